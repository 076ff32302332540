// A change on the page: told in words, compared with the boot before, accepted.
import assert from "node:assert/strict";
import { ask, base, done, open, signIn, watched } from "./browser.mjs";

const { browser, context } = await open();
const page = await watched(context, (text) => text.includes("status of 4"));
const see = (text, within = page) => within.getByText(text).first().waitFor();
await signIn(page);

await page.goto(`${base}${process.env.BOOTPROOF_WEB_HOST}`);
const verdict = page.locator("#verdict");
await see("Not passed", verdict);
await see(/init=\/bin\/sh/, verdict);
await page.getByRole("button", { name: "Compare two boots" }).click();
await see("Differences");
await see(/init=\/bin\/sh/);

// Meanwhile it was judged once more: what one looked at is not what would be accepted.
await ask("judge it again");
await page.getByLabel("Why").fill("kernel update, ticket 4711");
await page.getByRole("button", { name: "Accept this change" }).click();
await see(/newer|judged since|again/i);
await page.goto(`${base}${process.env.BOOTPROOF_WEB_HOST}/diff`);
await page.getByLabel("Why").fill("kernel update, ticket 4711");
await page.getByRole("button", { name: "Accept this change" }).dblclick();
await see(/^Accepted: what booted is expected/);
await see("Passed", verdict);

assert.deepEqual(page.faults, []);
await ask("done");
await browser.close();
done();
