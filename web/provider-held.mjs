// What one wrote when the session ended is carried through signing in at an identity provider: a short form in the
// cookie, a long one at the server. Nothing of it is done before one says so.
import assert from "node:assert/strict";
import { base, open, watched, ask, done } from "./browser.mjs";

const { browser, context } = await open();
const page = await watched(context, (text) => text.includes("status of 4"));
const atProvider = async () => {
  await page.getByPlaceholder("Enter any login").fill("alice");
  await page.getByPlaceholder("and password").fill("x");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
};

await page.goto(`${base}/policies/new`);
await page.getByRole("link", { name: "Sign in with Example & Co" }).click();
await atProvider();
await page.waitForURL(`${base}/policies/new`);

const write = async (text) => {
  await page.getByLabel("Policy, as TOML").fill(text);
  await page.getByLabel("What it is for").fill("of a session that ended");
  await ask("end the session");
  await page.getByRole("button", { name: "Keep it" }).click();
  await page.getByText("Your session has ended.").first().waitFor();
  await page.getByRole("button", { name: "Sign in with Example & Co" }).click();
};
// The provider may know its person still; then it asks nothing.
const back = page.getByText("Go on where you were").first();
const comeBack = async () => {
  const login = page.getByPlaceholder("Enter any login");
  await back.or(login).first().waitFor();
  if (await login.isVisible()) await atProvider();
  await back.waitFor();
};

for (const text of ["# short <b>\n", `# long\n${"# a line of a policy\n".repeat(200)}`]) {
  await write(text);
  await comeBack();
  assert.equal(await page.getByLabel("policy").inputValue(), text);
  await page.getByRole("button", { name: "Send it" }).click();
  await page.getByText("Kept. It does not count yet").first().waitFor();
  await page.goto(`${base}/policies/new`);
}

const faults = page.faults.filter((fault) => fault.startsWith(base));
assert.deepEqual(faults, []);
await ask("done");
done();
await browser.close();
