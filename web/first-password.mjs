// An account that was made for somebody: its person signs in for the first time, and chooses a password.
import assert from "node:assert/strict";
import { base, done, open, watched } from "./browser.mjs";

const { BOOTPROOF_WEB_NAME: name, BOOTPROOF_WEB_FIRST: first, BOOTPROOF_WEB_PASSWORD: chosen } = process.env;

const { browser, context } = await open();
// Until the password is another one, the page may not listen to events.
const page = await watched(context, (text) => text.includes("status of 403"));
await page.goto(`${base}/login`);
await page.getByLabel("Name").fill(name);
await page.getByLabel("Password").fill(first);
await page.keyboard.press("Enter");
await page.waitForURL("**/password");
await page.getByLabel("The present one").fill(first);
await page.getByLabel(/^The new one/).fill(chosen);
await page.getByRole("button", { name: "Change it" }).click();
await page.waitForURL((url) => url.pathname !== "/password");

assert.deepEqual(page.faults, []);
await browser.close();
done();
