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
const problems = [];
for (const colorScheme of ["light", "dark"]) {
  for (const width of [390, 1280, 2560]) {
    // Colours do not change widths; who wants pictures gets all.
    if (colorScheme === "dark" && width !== 1280 && !process.env.BOOTPROOF_WEB_SHOTS) continue;
    const context = await browser.newContext({
      ignoreHTTPSErrors: true, storageState, colorScheme, reducedMotion: "reduce", viewport: { width, height: 900 },
    });
    const page = await watched(context);
    const shot = {};
    for (const path of pages) {
      const answer = await page.goto(base + path);
      assert.equal(answer.status(), 200, path);
      const place = `${path} ${colorScheme} ${width}`;
      if (width === 1280) {
        await page.evaluate(axe.source);
        const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
        for (const violation of found.violations) {
          problems.push(`${place}: ${violation.id}: ${violation.help}: ${violation.nodes.slice(0, 3).map((node) => node.html).join(" | ")}`);
        }
      }
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) problems.push(`${place}: ${wide} px wider than the window`);
      if (await page.evaluate(() => globalThis.owned === true)) problems.push(`${place}: a text became a script`);
      if (process.env.BOOTPROOF_WEB_SHOTS) {
        const plain = path === "/" ? "overview" : path.replace(/[0-9a-f-]{36}/, "one").replace(/\W+/g, "-").replace(/^-/, "");
        // Of pages of several hosts each has its picture.
        const n = (shot[plain] = (shot[plain] ?? 0) + 1);
        const name = n === 1 ? plain : `${plain}-${n}`;
        await page.screenshot({ path: `${process.env.BOOTPROOF_WEB_SHOTS}/${name}-${colorScheme}-${width}.png`, fullPage: width !== 390 });
      }
    }
    problems.push(...page.faults);
    await context.close();
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
await small.locator('input[name="view"]').fill("failed <b>last");
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
