// Another policy: written, checked, kept, tried on the fleet, activated; with what goes wrong in between.
import assert from "node:assert/strict";
import { ask, base, done, open, signIn, watched } from "./browser.mjs";

const { browser, context } = await open();
const page = await watched(context, (text) => text.includes("status of 4"));
const see = (text, within = page) => within.getByText(text).first().waitFor();
await signIn(page);

await page.getByRole("link", { name: "Policies", exact: true }).click();
await see("Hosts are judged by the default policy");
await page.getByRole("link", { name: "Write another" }).click();
const text = page.getByLabel("Policy, as TOML");
assert.match(await text.inputValue(), /^# A policy of Bootproof/, "one begins with every key");

// A fault is told by its place, and what was written is still there.
const wrong = "# lab\n[findings.secure-boot-off]\nseverity = \"wrn\"\n";
await text.fill(wrong);
await page.getByLabel("What it is for").fill("lab machines");
await page.getByRole("button", { name: "Keep it" }).click();
await see(/Line 3, column 12:/);
assert.equal(await text.inputValue(), wrong);
assert.equal(await page.getByLabel("What it is for").inputValue(), "lab machines");

const right = "# lab <b>&amp;</b>\n[findings.secure-boot-off]\nseverity = \"warn\"\nreason = \"lab\"\nexpires = 9000-01-01\n";
await text.fill(right);
await page.getByRole("button", { name: "Only check it" }).click();
await see("Nothing is wrong with it. It is not kept yet.");
assert.equal(await text.inputValue(), right);

// The session ends while one writes: nothing is lost, and nothing is done before one says so.
await ask("end the session");
await page.getByRole("button", { name: "Keep it" }).click();
await see("Your session has ended.");
await page.getByLabel("Name").fill(process.env.BOOTPROOF_WEB_NAME);
await page.getByLabel("Password").fill("wrong");
await page.getByRole("button", { name: "Sign in" }).click();
await see(/do not belong to an account/);
await page.getByLabel("Name").fill(process.env.BOOTPROOF_WEB_NAME);
await page.getByLabel("Password").fill(process.env.BOOTPROOF_WEB_PASSWORD);
await page.getByRole("button", { name: "Sign in" }).click();
await see("Go on where you were");
assert.equal(await page.getByLabel("policy").inputValue(), right);
await page.getByRole("button", { name: "Send it" }).dblclick();
await see("Kept. It does not count yet");
const version = page.url().replace(/\?.*/, "");
assert.match(await page.locator("pre.diff .added").allTextContents().then((all) => all.join("")), /severity = "warn"/);

// Another session in another tab: what is sent in the name of the one before is asked about.
const edit = await context.newPage();
await edit.goto(`${base}/policies/new`);
await edit.getByLabel("Policy, as TOML").fill("# of two sessions\n");
await page.getByRole("button", { name: "Sign out" }).click();
await signIn(page);
await edit.getByRole("button", { name: "Keep it" }).click();
await see("Go on where you were", edit);
assert.equal(await edit.getByLabel("policy").inputValue(), "# of two sessions\n");
await edit.close();

// What would turn, and why.
await page.goto(version);
await page.getByRole("button", { name: "Try on the fleet" }).click();
const row = page.locator("#changes tbody tr");
await see("lab-1", row);
await see("secure-boot-off", row);
await see("Passed", row);

// Somebody else was faster: a clear text, and what was tried is kept.
const { number } = await ask("activate another one", { host: "lab-1" });
await page.getByLabel("Why").fill("tried on all hosts");
await page.getByRole("button", { name: /^Activate version/ }).click();
await see(`Another policy counts by now: version ${number}.`);
await page.goto(version);
await page.getByRole("button", { name: "Try on the fleet" }).click();
await page.getByLabel("Why").fill("tried on all hosts");
await page.getByRole("button", { name: /^Activate version/ }).click();
await see("Activated. What hosts sent last is being judged anew.");
await see("tried on all hosts");
await page.goto(`${base}/hosts`);
await see("Passed", page.locator("main"));

assert.deepEqual(page.faults, []);
await ask("done");
await browser.close();
done();
