// The founding story, on the page: a host that was added before it had a TPM.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { ask, base, done, open, watched } from "./browser.mjs";

const { browser, context } = await open();
const page = await watched(context, (text) => text.includes("status of 4"));
const see = (text, within = page) => within.getByText(text).first().waitFor();

// First start: one page, a code that the server printed, an account.
await page.goto(`${base}/`);
await page.waitForURL("**/setup");
await page.getByLabel("Code").fill("000000");
await page.getByLabel("Your name").fill("ada");
await page.getByLabel(/^Password/).fill("correct horse battery staple");
await page.getByRole("button", { name: "Make the account" }).click();
await see(/code/i);
await page.goto(`${base}/setup`);
await page.getByLabel("Code").fill(process.env.BOOTPROOF_SETUP_CODE);
await page.getByLabel("Your name").fill("ada");
await page.getByLabel(/^Password/).fill("correct horse battery staple");
await page.getByRole("button", { name: "Make the account" }).click();
await see("No host yet");

// A wrong password is refused, in words; the right one goes on where one was.
await page.getByRole("button", { name: "Sign out" }).click();
await page.goto(`${base}/hosts`);
await page.waitForURL("**/login**");
await page.getByLabel("Name").fill("ada");
await page.getByLabel("Password").fill("wrong");
await page.getByRole("button", { name: "Sign in" }).click();
await see(/do not belong to an account/);
await page.getByLabel("Name").fill("ada");
await page.getByLabel("Password").fill("correct horse battery staple");
await page.getByRole("button", { name: "Sign in" }).click();
await page.waitForURL("**/hosts");

// A token, with the ready command.
await page.getByRole("link", { name: "Join", exact: true }).click();
await page.getByLabel("What it is for").fill("rack 7");
await page.getByRole("button", { name: "Make it" }).click();
const command = await page.locator("#command").textContent();
assert.match(command, /^bootproof-agent join https:\/\/\S+ --token \S+ --ca-sha256 [0-9a-f]{64}$/);

// The host joins before its TPM is switched on.
await page.getByRole("link", { name: "Hosts", exact: true }).click();
await see("No host joined yet");
const { host } = await ask("join without a TPM", { command });
await page.getByRole("link", { name: host }).click(); // It came by itself: nobody reloaded.
await see("Not appraised");
const name = page.url();
await ask("switch the TPM on");
const verdict = page.locator("#verdict");
await see("Not passed", verdict);
await see(/no-identity-key/, verdict);
assert.match(await verdict.locator(".next").first().textContent(), /disconnect.*reconnect/i);

// The alarm stands by its cause, is acknowledged with a reason, and is gone by itself later.
await page.getByRole("link", { name: "Alarms", exact: true }).click();
const cause = page.locator("#alarms tr", { hasText: "identity key" });
await cause.getByRole("link").first().click();
await see(host);
await page.getByLabel("Why nothing else").fill("the TPM was off; reconnecting");
await page.getByRole("button", { name: "Acknowledge all" }).click();
await see("Acknowledged.");
await see(/acknowledged .* by ada: the TPM was off/);

// The cure.
await page.goto(name);
await page.getByRole("button", { name: "Disconnect" }).click();
await see(/^Disconnected: the host is not attested/);
await page.getByRole("button", { name: "Reconnect" }).click();
await see(/^Reconnected:/);
await see("Passed", verdict);
await see("shim");
await page.locator("#pcrs, #h-pcrs").first().waitFor();
const url = page.url();
assert.ok(url.startsWith(name), "the verdict came while one looked at the page");

await page.getByRole("link", { name: "Alarms", exact: true }).click();
await see("Nothing stands against any host.");

// On demand, and the log behind it.
await page.goto(name);
// The verdict is on the page within a second after the server has it, by the clock of the page, which is the
// server's here. The fastest of some counts: other tests run meanwhile.
const judged = () => page.locator("#verdict .line time").first().getAttribute("data-ms").then(Number);
const delays = [];
while (delays.length < 5 && !delays.some((ms) => ms <= 1000)) {
  const before = await judged();
  await page.getByRole("button", { name: "Attest now" }).click();
  await see(/^Asked\./);
  delays.push(await page.evaluate((before) => new Promise((resolve) => {
    const look = () => {
      const at = Number(document.querySelector("#verdict .line time")?.dataset.ms);
      if (at > before) resolve(Date.now() - at); else requestAnimationFrame(look);
    };
    look();
  }), before));
}
assert.ok(delays.some((ms) => ms <= 1000), `verdicts were on the page after ${delays} ms`);
await page.getByRole("link", { name: "Event log" }).click();
await page.getByLabel("Words or hex").fill("shimx64");
await page.getByRole("button", { name: "Search" }).click();
const rows = page.locator("tbody tr");
assert.ok((await rows.count()) >= 1);
await rows.first().locator("summary").click();
assert.match(await rows.first().locator("pre").textContent(), /^0000 {2}/);

// The auditor gets a report: of this host, then of all hosts.
await page.goto(name);
await page.getByRole("link", { name: "Report", exact: true }).click();
for (const [button, begins] of [["Download the host", "%PDF"], ["Download", "%PDF"]]) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: button, exact: true }).click()]);
  assert.match(download.suggestedFilename(), /^bootproof-(host|fleet)-\d{4}-\d{2}-\d{2}T\d{6}Z\.pdf$/);
  assert.ok((await readFile(await download.path())).toString("latin1").startsWith(begins));
}

// Who did it is in the audit log.
await page.getByRole("link", { name: "Audit", exact: true }).click();
await see("host.reconnect");
await see("report.make");
await see("ada");

assert.deepEqual(page.faults, []);
await ask("done");
await browser.close();
done();
