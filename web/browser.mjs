// The browser, and how a script of this folder talks with the test that started it.
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

export const base = process.env.BOOTPROOF_WEB_BASE;
if (!base) throw new Error("BOOTPROOF_WEB_BASE names the server; these scripts are started by tests of the server");

// How long anything may take before the test fails: as long as all tests of the project wait (testkit::wait).
// Nothing here is waited for by time: a step goes on with the event that it waits for. What is quick on an idle
// machine (a verdict is on the page within a second) took over twenty seconds on two cores with all other tests.
export const WAIT_MS = 60_000;

export async function open(options = {}) {
  const browser = await chromium.launch({
    executablePath: process.env.BOOTPROOF_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update",
      "--disable-default-apps", "--disable-sync", "--no-first-run", "--no-default-browser-check"],
  });
  // The server's authority was made for this run; the programs of the test pin it, a browser cannot.
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  context.setDefaultTimeout(WAIT_MS);
  return { browser, context };
}

/// A page whose errors end the test: of scripts, of the content policy, and answers of 5xx.
export async function watched(context, allowed = () => false) {
  const page = await context.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(`${page.url()}: ${error}`));
  page.on("console", (message) => {
    if (message.type() === "error" && !allowed(message.text())) faults.push(`${page.url()}: ${message.text()}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 500) faults.push(`${response.url()}: ${response.status()}`);
  });
  page.faults = faults;
  return page;
}

/// Signs in with the account of the test.
export async function signIn(page) {
  await page.goto(`${base}/login`);
  await page.getByLabel("Name").fill(process.env.BOOTPROOF_WEB_NAME);
  await page.getByLabel("Password").fill(process.env.BOOTPROOF_WEB_PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${base}/`);
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/// Says what the test has to do now, and waits until it did.
export async function ask(step, data = {}) {
  process.stdout.write(`${JSON.stringify({ step, ...data })}\n`);
  const { value, done } = await lines.next();
  if (done) throw new Error(`the test ended while ${step} was waited for`);
  return JSON.parse(value);
}

export function done() {
  process.stdin.pause();
  process.stdin.destroy();
}
