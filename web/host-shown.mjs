// What the pages show of one host: in the list, and on its own page.
import assert from "node:assert/strict";
import { base, done, open, signIn, watched } from "./browser.mjs";

const { BOOTPROOF_WEB_HOST: host, BOOTPROOF_WEB_CONNECTION: connection, BOOTPROOF_WEB_VERDICTS } = process.env;
const verdicts = BOOTPROOF_WEB_VERDICTS.split(",");

const { browser, context } = await open();
const page = await watched(context);
await signIn(page);

// The list, asked for those of this connection alone.
await page.goto(`${base}/hosts?connection=${encodeURIComponent(connection.toLowerCase())}`);
const row = page.locator("#hosts tbody tr", { has: page.getByRole("link", { name: host, exact: true }) });
const said = async (within, selector) => (await within.locator(selector).first().textContent()).trim();
// Below it, where it says nothing, when it spoke last.
const [word] = (await row.locator("[data-name=Connection]").innerText()).split("\n");
assert.equal(word.trim(), connection);
const listed = await said(row, ".badge");
assert.ok(verdicts.includes(listed), `the list says ${listed}`);

await row.getByRole("link", { name: host, exact: true }).click();
const line = page.locator("#verdict .line");
await line.getByText(connection, { exact: true }).waitFor();
const shown = await said(line, ".badge");
assert.ok(verdicts.includes(shown), `its page says ${shown}`);

assert.deepEqual(page.faults, []);
await browser.close();
done();
