// The founding story, on the page, by keyboard alone: a host that was added before it had a TPM.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { ask, base, done, open, watched } from "./browser.mjs";

const { browser, context } = await open();
const page = await watched(context, (text) => text.includes("status of 4"));
const see = (text, within = page) => within.getByText(text).first().waitFor();

// All of it by keyboard: what is used is reached by Tab, and shows that it has the focus.
const reach = async (target) => {
  await target.waitFor();
  for (let n = 0; n < 150; n += 1) {
    const at = await target.evaluate((one) => one === document.activeElement && getComputedStyle(one).outlineStyle !== "none");
    if (at) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`${target} is not reached by Tab, or does not show it`);
};
const press = async (target) => { await reach(target); await page.keyboard.press("Enter"); };
const follow = async (target) => { await reach(target); await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]); };
const write = async (target, text) => { await reach(target); await page.keyboard.press("Control+a"); await page.keyboard.type(text); };

// First start: one page, a code that the server printed, an account.
await page.goto(`${base}/`);
await page.waitForURL("**/setup");
await write(page.getByLabel("Code"), "000000");
await write(page.getByLabel("Your name"), "ada");
await write(page.getByLabel(/^Password/), "correct horse battery staple");
await follow(page.getByRole("button", { name: "Make the account" }));
await see(/code/i);
await page.goto(`${base}/setup`);
await write(page.getByLabel("Code"), process.env.BOOTPROOF_SETUP_CODE);
await write(page.getByLabel("Your name"), "ada");
await write(page.getByLabel(/^Password/), "correct horse battery staple");
await follow(page.getByRole("button", { name: "Make the account" }));
await see("No host yet");

// A wrong password is refused, in words; the right one goes on where one was.
await follow(page.getByRole("button", { name: "Sign out" }));
await page.goto(`${base}/hosts`);
await page.waitForURL("**/login**");
await write(page.getByLabel("Name"), "ada");
await write(page.getByLabel("Password"), "wrong");
await follow(page.getByRole("button", { name: "Sign in" }));
await see(/do not belong to an account/);
await write(page.getByLabel("Name"), "ada");
await write(page.getByLabel("Password"), "correct horse battery staple");
await follow(page.getByRole("button", { name: "Sign in" }));
await page.waitForURL("**/hosts");

// A token, with the ready command.
await follow(page.getByRole("link", { name: "Join", exact: true }));
await write(page.getByLabel("What it is for"), "rack 7");
await follow(page.getByRole("button", { name: "Make it" }));
const command = await page.locator("#command").textContent();
assert.match(command, /^bootproof-agent join https:\/\/\S+ --token \S+ --ca-sha256 [0-9a-f]{64}$/);

// The host joins before its TPM is switched on.
await follow(page.getByRole("link", { name: "Hosts", exact: true }));
await see("No host joined yet");
const { host } = await ask("join without a TPM", { command });
await follow(page.getByRole("link", { name: host })); // It came by itself: nobody reloaded.
await see("Not appraised");
const name = page.url();
await ask("switch the TPM on");
const verdict = page.locator("#verdict");
await see("Not passed", verdict);
await see(/no-identity-key/, verdict);
assert.match(await verdict.locator(".next").first().textContent(), /disconnect.*reconnect/i);

// The alarm stands by its cause, is acknowledged with a reason, and is gone by itself later.
await follow(page.getByRole("link", { name: "Alarms", exact: true }));
const cause = page.locator("#alarms tr", { hasText: "identity key" });
await follow(cause.getByRole("link").first());
await see(host);
await write(page.getByLabel("Why nothing else"), "the TPM was off; reconnecting");
await follow(page.getByRole("button", { name: "Acknowledge all" }));
await see("Acknowledged.");
await see(/acknowledged .* by ada: the TPM was off/);

// The cure.
await page.goto(name);
await follow(page.getByRole("button", { name: "Disconnect" }));
await see(/^Disconnected: the host is not attested/);
await follow(page.getByRole("button", { name: "Reconnect" }));
await see(/^Reconnected:/);
await see("Passed", verdict);
await see("shim");
await page.locator("#pcrs, #h-pcrs").first().waitFor();
const url = page.url();
assert.ok(url.startsWith(name), "the verdict came while one looked at the page");

await follow(page.getByRole("link", { name: "Alarms", exact: true }));
await see("Nothing stands against any host.");

// On demand, and the log behind it.
await page.goto(name);
// The verdict is on the page within a second after the server has it, by the clock of the page, which is the
// server's here. The fastest of some counts: other tests run meanwhile.
const judged = () => page.locator("#verdict .line time").first().getAttribute("data-ms").then(Number);
const delays = [];
while (delays.length < 5 && !delays.some((ms) => ms <= 1000)) {
  const before = await judged();
  await follow(page.getByRole("button", { name: "Attest now" }));
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
await follow(page.getByRole("link", { name: "Event log" }));
await write(page.getByLabel("Words or hex"), "shimx64");
await follow(page.getByRole("button", { name: "Search" }));
const rows = page.locator("tbody tr");
assert.ok((await rows.count()) >= 1);
await press(rows.first().locator("summary"));
assert.match(await rows.first().locator("pre").textContent(), /^0000 {2}/);

// The auditor gets a report: of this host, then of all hosts.
await page.goto(name);
await follow(page.getByRole("link", { name: "Report", exact: true }));
for (const [button, begins] of [["Download the host", "%PDF"], ["Download", "%PDF"]]) {
  const [download] = await Promise.all([page.waitForEvent("download"), press(page.getByRole("button", { name: button, exact: true }))]);
  assert.match(download.suggestedFilename(), /^bootproof-(host|fleet)-\d{4}-\d{2}-\d{2}T\d{6}Z\.pdf$/);
  assert.ok((await readFile(await download.path())).toString("latin1").startsWith(begins));
}

// Who did it is in the audit log.
await follow(page.getByRole("link", { name: "Audit", exact: true }));
await see("host.reconnect");
await see("report.make");
await see("ada");

assert.deepEqual(page.faults, []);
await ask("done");
await browser.close();
done();
