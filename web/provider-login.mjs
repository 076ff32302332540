// Somebody logs in at an identity provider, and leaves again: two sites, cookies of both, and the policies by
// which a browser keeps them apart.
import { base, open, watched, ask, done } from "./browser.mjs";

const { browser, context } = await open();
// The page that asks for itself once more has no icon, for which the browser may ask meanwhile.
const page = await watched(context, (text) => text.includes("status of 404"));

await page.goto(`${base}/hosts`);
await page.getByRole("link", { name: "Sign in with Example & Co" }).click();
await page.getByPlaceholder("Enter any login").fill("alice");
await page.getByPlaceholder("and password").fill("x");
await page.getByRole("button", { name: "Sign-in" }).click();
await page.getByRole("button", { name: "Continue" }).click();
// Back on the page that was asked for, in a session whose cookie no other site gets.
await page.waitForURL(`${base}/hosts`);
await page.getByRole("button", { name: "Sign out" }).waitFor();
const cookies = await context.cookies(base);
const kept = cookies.map((cookie) => `${cookie.name} ${cookie.sameSite} ${cookie.secure} ${cookie.httpOnly}`);
if (kept.length !== 1 || kept[0] !== "__Host-bootproof Strict true true") throw new Error(kept.join("; "));

await page.getByRole("button", { name: "Sign out" }).click();
await page.getByRole("link", { name: "Sign out of Example & Co, too" }).click();
await page.getByRole("button", { name: "Yes, sign me out" }).click();
await page.waitForURL(`${base}/login`);
await page.getByRole("link", { name: "Sign in with Example & Co" }).click();
await page.getByPlaceholder("Enter any login").waitFor();

const faults = page.faults.filter((fault) => fault.startsWith(base));
if (faults.length > 0) throw new Error(faults.join("\n"));
await ask("done");
done();
await browser.close();
