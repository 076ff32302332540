// An alarm from its first sight to its end: acknowledged, taken back, acknowledged again, and cleared by a sound boot
// while one looks at it. Then the report that says so, as a file.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { ask, base, done, open, signIn, watched } from "./browser.mjs";

const { browser, context } = await open({ acceptDownloads: true });
const page = await watched(context);
const see = (text, within = page) => within.getByText(text).first().waitFor();
await signIn(page);

await page.getByRole("link", { name: "Alarms", exact: true }).click();
const line = page.getByRole("row").filter({ hasText: "Secure Boot" }).first();
await line.waitFor();
await line.getByRole("link").first().click();
await see("web-1");

// Known, and for how long; nothing of it changes that the alarm stands.
await page.getByLabel("Why nothing else is to be done now").fill("ticket 4711 <b>");
await page.getByLabel("Hours it counts for").fill("2");
await page.getByRole("button", { name: "Acknowledge all of this cause" }).click();
await see("ticket 4711 <b>");
await page.getByRole("button", { name: "Withdraw the acknowledgement" }).click();
await page.getByText("ticket 4711").waitFor({ state: "detached" });
await page.getByLabel("Why nothing else is to be done now").fill("waits for a new board");
await page.getByRole("button", { name: "Acknowledge all of this cause" }).click();
await see("waits for a new board");

// The cause is gone, and so is the alarm, while one looks.
await ask("boot with Secure Boot on");
await see("No host has it now.");
await page.getByRole("link", { name: "Those that are over, too" }).click();
await see("Gone");
await page.getByRole("link", { name: "Alarms", exact: true }).click();
await see("Nothing stands against any host.");

// And on paper.
await page.getByRole("link", { name: "Reports", exact: true }).click();
// With its signature beside it, where it carries none; and alone, for whoever wants just a table.
await see("bootproof report verify FILE");
for (const [format, signature, ending, beginning] of [
  ["pdf", "beside", "pdf", "%PDF"], ["jws", "beside", "jws", "ey"], ["html", "beside", "html.zip", "PK"],
  ["csv", "beside", "csv.zip", "PK"], ["json", "beside", "json.zip", "PK"], ["csv", "", "csv", '"name"'],
]) {
  await page.getByLabel("Format").selectOption(format);
  await page.locator('select[name="signature"]').selectOption(signature);
  const [download] = await Promise.all([
    page.waitForEvent("download"), page.getByRole("button", { name: "Download", exact: true }).click(),
  ]);
  assert.match(download.suggestedFilename(), new RegExp(`^bootproof-fleet-[^.]*\\.${ending.replace(".", "\\.")}$`));
  const file = await download.path();
  assert.equal((await readFile(file)).subarray(0, beginning.length).toString(), beginning);
  await ask("look at the report", { ending, file });
}

assert.deepEqual(page.faults, []);
await ask("done");
done();
await browser.close();
