// Every page: axe finds nothing, nothing is wider than the window, nothing that a host sent becomes
// HTML, and each is reached and used by keyboard. In both themes.
import assert from "node:assert/strict";
import axe from "axe-core";
import { ask, base, done, open, signIn, watched } from "./browser.mjs";

const { browser, context: first } = await open();
const login = await watched(first);
await signIn(login);
const storageState = await first.storageState();

const pages = JSON.parse(process.env.BOOTPROOF_WEB_PAGES);
const host = process.env.BOOTPROOF_WEB_HOST;
const shots = process.env.BOOTPROOF_WEB_SHOTS;
const problems = [];

// What comes of an action: what opens, previews, refusals. Each begins anew, and ends with the page to look at.
const states = {
  "menu-open": async (page) => {
    await page.goto(`${base}/hosts`);
    // Behind a button on narrow windows alone.
    if (page.viewportSize().width < 960) await page.locator(".menu > summary").click();
  },
  "list-to-keep": async (page) => {
    await page.goto(`${base}/hosts?verdict=accepted&sort=-judged`);
    await page.getByText("Keep this list").click();
  },
  "nothing-found": async (page) => { await page.goto(`${base}/hosts?search=no-such-name`); },
  "bulk-preview": async (page) => {
    await page.goto(`${base}/hosts`);
    await page.getByLabel("All hosts of this page").check();
    assert.equal(await page.locator('input[name="host"]:not(:checked)').count(), 0, "all of the page are marked");
    await page.getByLabel("To the marked hosts").selectOption("enter-maintenance");
    await page.getByRole("button", { name: "Show what would be done" }).click();
    await page.waitForURL("**/hosts/preview");
  },
  "host-forms": async (page) => {
    await page.goto(base + host);
    for (const form of await page.locator("details.act > summary").all()) await form.click();
  },
  "event-open": async (page) => {
    await page.goto(`${base}${host}/log`);
    await page.locator("tbody tr summary").first().click();
  },
  "joined": async (page) => {
    await page.goto(`${base}/join`);
    await page.getByRole("button", { name: "Make it" }).click();
    await page.locator("#command").waitFor();
  },
  "policy-tried": async (page) => {
    await page.goto(base + process.env.BOOTPROOF_WEB_POLICY);
    await page.getByRole("button", { name: "Try on the fleet" }).click();
    await page.waitForURL("**/try");
  },
  "policy-fault": async (page) => {
    await page.goto(`${base}/policies/new`);
    await page.getByLabel("Policy, as TOML").fill("[findings.secure-boot-off]\nseverity = \"wrn\"\n");
    await page.getByRole("button", { name: "Only check it" }).click();
    await page.getByText(/Line 2, column 12:/).waitFor();
  },
  "nothing-marked": async (page) => {
    await page.goto(`${base}/hosts`);
    await page.getByRole("button", { name: "Show what would be done" }).click();
    await page.getByText(/^No host is marked/).first().waitFor();
  },
  "no-such-host": async (page) => { await page.goto(`${base}/hosts/none`); },
};

/// Looks at what a page shows.
async function examine(page, place, plain, withAxe) {
  if (withAxe) {
    await page.evaluate(axe.source);
    const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
    for (const violation of found.violations) {
      problems.push(`${place}: ${violation.id}: ${violation.help}: ${violation.nodes.slice(0, 3).map((node) => node.html).join(" | ")}`);
    }
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (wide > 0) problems.push(`${place}: ${wide} px wider than the window`);
  if (await page.evaluate(() => globalThis.owned === true)) problems.push(`${place}: a text became a script`);
  if (shots) await page.screenshot({ path: `${shots}/${plain}.png`, fullPage: true });
}

for (const colorScheme of ["light", "dark"]) {
  for (const width of [390, 1280, 2560]) {
    // Colours do not change widths; who wants pictures gets all.
    if (colorScheme === "dark" && width !== 1280 && !shots) continue;
    // Nothing but the width of columns changes above 1280.
    const withAxe = width === 1280 || (width === 390 && colorScheme === "light");
    const as = { ignoreHTTPSErrors: true, colorScheme, reducedMotion: "reduce", viewport: { width, height: 900 } };
    const context = await browser.newContext({ ...as, storageState });
    const page = await watched(context, (text) => text.includes("status of 4"));
    const named = {};
    for (const path of pages) {
      const answer = await page.goto(base + path);
      assert.equal(answer.status(), 200, path);
      const plain = path === "/" ? "overview" : path.replace(/[0-9a-f-]{36}/, "one").replace(/\W+/g, "-").replace(/^-/, "");
      // Of pages of several hosts each has its picture.
      const n = (named[plain] = (named[plain] ?? 0) + 1);
      // Chapters and the catalogue are long, and of one column at each width: once is enough.
      const isLong = path.startsWith("/help") && width === 390;
      await examine(page, `${path} ${colorScheme} ${width}`, `${n === 1 ? plain : `${plain}-${n}`}-${colorScheme}-${width}`, withAxe && !isLong);
    }
    for (const [name, act] of withAxe || shots ? Object.entries(states) : []) {
      await act(page);
      await examine(page, `${name} ${colorScheme} ${width}`, `state-${name}-${colorScheme}-${width}`, withAxe);
    }
    problems.push(...page.faults);
    await context.close();
    // Before somebody signed in.
    const outside = await browser.newContext(as);
    const entrance = await watched(outside);
    await entrance.goto(`${base}/login`);
    await examine(entrance, `/login ${colorScheme} ${width}`, `login-${colorScheme}-${width}`, withAxe);
    problems.push(...entrance.faults);
    await outside.close();
  }
}

// By keyboard alone: to the content, along the menu, and through an action with its form.
const context = await browser.newContext({ ignoreHTTPSErrors: true, storageState });
const page = await watched(context);
await page.goto(base + process.env.BOOTPROOF_WEB_HOST);
await page.keyboard.press("Tab");
assert.equal(await page.evaluate(() => document.activeElement.textContent), "To the content");
await page.keyboard.press("Enter");
assert.equal(await page.evaluate(() => document.activeElement.id), "main");
const reach = async (text) => {
  for (let n = 0; n < 80; n += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const one = document.activeElement;
      const style = getComputedStyle(one);
      return { text: one.textContent.trim(), seen: style.outlineStyle !== "none" && style.outlineWidth !== "0px" };
    });
    if (at.text.startsWith(text)) { assert.ok(at.seen, `${text} shows that it has the focus`); return; }
  }
  assert.fail(`${text} is not reached by keyboard`);
};
await reach("Maintenance");
await page.keyboard.press("Enter");
await page.keyboard.press("Tab");
await page.keyboard.type("a new fan");
await page.keyboard.press("Enter");
await page.getByText(/^In maintenance: its alarms are muted/).waitFor();
await reach("Leave maintenance");
await page.keyboard.press("Enter");
await page.getByText("Maintenance has ended.").waitFor();
problems.push(...page.faults);

// On a narrow window the menu is behind a button, which opens by keyboard, without script; and lists are sorted
// by their headings, which are links, where there are headings.
const narrow = await browser.newContext({
  ignoreHTTPSErrors: true, storageState, javaScriptEnabled: false, viewport: { width: 360, height: 800 },
});
const small = await narrow.newPage();
await small.goto(`${base}/hosts`);
assert.equal(await small.getByRole("link", { name: "Alarms" }).count(), 0, "the menu is closed");
await small.locator("summary", { hasText: "Menu" }).focus();
await small.keyboard.press("Enter");
await small.getByRole("link", { name: "Alarms" }).click();
await small.waitForURL(`${base}/alarms`);
await small.setViewportSize({ width: 1280, height: 800 });
await small.goto(`${base}/hosts`);
await small.getByRole("columnheader", { name: "Host" }).and(small.locator("[aria-sort=ascending]")).waitFor();
await small.getByRole("link", { name: "Judged" }).click();
await small.getByRole("columnheader", { name: "Judged" }).and(small.locator("[aria-sort=ascending]")).waitFor();
await small.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Alarms" }).waitFor();

// A list is kept under a name, shown again, and removed.
await small.goto(`${base}/hosts?verdict=not+accepted&sort=-judged`);
await small.getByText("Keep this list").click();
await small.locator('input[name="view"]:not([type="hidden"])').fill("failed <b>last");
await small.getByRole("button", { name: "Keep", exact: true }).click();
await small.getByText("Kept: it is among the views above the list.").waitFor();
await small.goto(`${base}/hosts`);
await small.getByRole("link", { name: "failed <b>last" }).click();
await small.waitForURL(`${base}/hosts?verdict=not%20accepted&sort=-judged`);
await small.getByRole("button", { name: "Remove the view" }).click();
await small.getByText("The view is removed.").waitFor();
await small.goto(`${base}/hosts`);
assert.equal(await small.getByRole("link", { name: "failed" }).count(), 0);
await narrow.close();

assert.deepEqual(problems, []);
await ask("done");
await browser.close();
done();
