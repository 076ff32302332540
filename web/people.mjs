// Accounts, sessions, tokens and channels: made, changed and ended; what was filled in stays where it is refused.
import assert from "node:assert/strict";
import { ask, base, done, open, signIn, watched } from "./browser.mjs";

const { browser, context } = await open();
const page = await watched(context, (text) => text.includes("status of 4"));
const see = (text, within = page) => within.getByText(text).first().waitFor();
const refused = () => page.locator(".said.bad:not([hidden])").waitFor();
await signIn(page);

// An account: a password that holds no one off is refused, and the name is still there.
await page.getByRole("link", { name: "People", exact: true }).click();
const accounts = page.locator("section", { has: page.getByRole("heading", { name: "Accounts" }) });
const account = accounts.locator("form[action='/people/users']");
await account.getByLabel("Name", { exact: true }).fill("grace");
await account.getByLabel("May").selectOption("operator");
await account.getByLabel(/^First password/).fill("aaaaaaaaaaaaaaaaaaaa");
await account.getByRole("button", { name: "Add the account" }).click();
await refused();
assert.equal(await account.getByLabel("Name", { exact: true }).inputValue(), "grace");
assert.equal(await account.getByLabel("May").inputValue(), "operator");
await account.getByLabel(/^First password/).fill("purple monkey dishwasher");
await account.getByRole("button", { name: "Add the account" }).click();
await see("The account is made.");

// She signs in, must choose a password, and sees her own sessions alone.
const other = await browser.newContext({ ignoreHTTPSErrors: true });
const hers = await watched(other, (text) => text.includes("status of 4"));
await hers.goto(`${base}/people`);
await hers.getByLabel("Name", { exact: true }).fill("grace");
await hers.getByLabel("Password").fill("purple monkey dishwasher");
await hers.getByRole("button", { name: "Sign in" }).click();
await hers.waitForURL("**/password");
await hers.getByLabel("The present one").fill("purple monkey dishwasher");
await hers.getByLabel(/^The new one/).fill("an entirely other sentence");
await hers.getByRole("button", { name: "Change it" }).click();
await hers.waitForURL(`${base}/`);
await hers.goto(`${base}/people`);
assert.equal(await hers.getByRole("heading", { name: "Accounts" }).count(), 0);
assert.equal(await hers.locator("#sessions tbody tr").count(), 1);

// Disabled, she is out at once.
await page.goto(`${base}/people`);
const row = accounts.locator("tbody tr", { hasText: "grace" });
await row.locator("summary", { hasText: "Role" }).click();
await row.getByLabel("May").selectOption("viewer");
await row.getByRole("button", { name: "Change the role" }).click();
await see("Changed. The account's sessions have ended.");
await row.getByRole("button", { name: "Disable" }).click();
await see(/^Disabled: the account lets nobody in/);
await hers.goto(`${base}/hosts`);
await hers.waitForURL("**/login**");

// The last administrator stays.
const ada = accounts.locator("tbody tr", { hasText: process.env.BOOTPROOF_WEB_NAME });
await ada.getByRole("button", { name: "Disable" }).click();
await refused();
await see(/make another account of an administrator first/i);

// A token of a program: shown once, and revoked.
const token = page.locator("form[action='/people/tokens']");
await token.getByLabel("Name", { exact: true }).fill("ci");
await token.getByLabel("For hosts").fill("not a label!");
await token.getByRole("button", { name: "Make the token" }).click();
await refused();
assert.equal(await token.getByLabel("Name", { exact: true }).inputValue(), "ci");
await token.getByLabel("For hosts").fill("site=muc");
await token.getByRole("button", { name: "Make the token" }).click();
const secret = await page.locator("#token").textContent();
assert.match(secret, /^bpa_/);
await page.goto(`${base}/people`);
assert.ok(!(await page.content()).includes(secret));
await page.locator("#tokens tbody tr", { hasText: "ci" }).locator("summary").click();
await page.getByRole("button", { name: "Revoke it" }).click();
await see("The token lets nobody in any more.");

// A channel: refused with its reason and what was filled in, added, tested step by step, removed.
await page.getByRole("link", { name: "Channels", exact: true }).click();
await page.getByRole("link", { name: "Add Syslog" }).click();
await page.getByLabel("Name", { exact: true }).fill("siem");
await page.getByLabel("Server, HOST:PORT").fill("127.0.0.1");
await page.getByRole("button", { name: "Add it" }).click();
await refused();
assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "siem");
await page.getByLabel("Server, HOST:PORT").fill("127.0.0.1:9");
await page.getByLabel("Types of events").fill("alarm.raised, alarm.cleared");
await page.getByRole("button", { name: "Add it" }).click();
await see("Added. Send a test");
await page.getByRole("button", { name: "Send a test" }).click();
await see("The test was not taken");
assert.ok((await page.locator("section", { hasText: "The test was not taken" }).locator("li .badge.bad").count()) === 1);
await page.goto(`${base}/channels/siem`);
await page.getByRole("button", { name: "Pause" }).click();
await see("Paused: what comes waits.");
await page.getByRole("link", { name: "Change" }).click();
assert.equal(await page.getByLabel("Types of events").inputValue(), "alarm.raised, alarm.cleared");
await page.getByLabel("Hosts with these labels").fill("site=muc");
await page.getByRole("button", { name: "Change it" }).click();
await see(/of hosts with site=muc/);
await page.locator("summary", { hasText: "Remove" }).click();
await page.getByRole("button", { name: "Remove the channel" }).click();
await see("The channel is removed.");

// What the server was told, without what is secret.
await page.getByRole("link", { name: "Settings", exact: true }).click();
await see("attest_interval_s");
await see("sqlite");

assert.deepEqual([...page.faults, ...hers.faults], []);
await ask("done");
await browser.close();
done();
