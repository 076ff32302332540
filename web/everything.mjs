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
        const name = path === "/" ? "overview" : path.replace(/[0-9a-f-]{36}/, "one").replace(/\W+/g, "-").replace(/^-/, "");
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

assert.deepEqual(problems, []);
await ask("done");
await browser.close();
done();
