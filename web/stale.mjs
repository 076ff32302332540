// What a page says once it is not true any more: while the server does not answer, and when what it shows is gone.
import assert from "node:assert/strict";
import { WAIT_MS, ask, base, done, open, signIn, watched } from "./browser.mjs";

// The page's time goes on until this holds.
async function passUntil(holds, otherwise) {
  for (const begun = Date.now(); !(await holds());) {
    assert.ok(Date.now() - begun < WAIT_MS, otherwise);
    await page.clock.runFor(3000);
  }
}

const { browser, context } = await open();
const expected = ["status of 404", "net::ERR_"];
const page = await watched(context, (text) => expected.some((part) => text.includes(part)));
await signIn(page);
await page.clock.install();
await page.goto(base + process.env.BOOTPROOF_WEB_HOST);
const told = page.locator("#told");
assert.equal(await told.isVisible(), false, "all is well");

// A moment is a restart, and nothing is said of it. More than that is.
await ask("end the server");
const says = told.getByText(/^The server does not answer/);
await passUntil(async () => says.isVisible(), "nothing was said");
await ask("start the server");
// The stream comes back by the browser's own clock.
await passUntil(async () => !(await told.isVisible()), "it is still said");

await ask("remove the host");
await told.getByText(/^What this page shows is there no more/).waitFor();
assert.deepEqual(page.faults, []);

// Where one goes from there: the page of the removed host says so, and has the menu.
await page.reload();
await page.getByRole("heading", { name: /^There is no host/ }).waitFor();
await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Hosts" }).click();
await page.waitForURL(`${base}/hosts`);
await ask("done");
await browser.close();
done();
