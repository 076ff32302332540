// Keeps a page true while it is looked at. Without this file all pages work, by reloading.
const FRESH_AFTER_MS = 250; // Many hosts change in one moment: one look for all of them.

const changed = (part, fresh) => fresh && part.innerHTML !== fresh.innerHTML;

// What a person has in hand stays as it is: an open form is not exchanged under the fingers.
const inHand = (part) =>
  part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")
  || part.querySelector("details.act[open], input:checked");

let looking = false;
let again = false;

async function look() {
  if (looking) { again = true; return; }
  looking = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "manual" });
    if (answer.type === "opaqueredirect") { tell("Your session has ended. Nothing that you typed is lost; sign in again in another tab."); return; }
    if (answer.status === 404 || answer.status === 403) { tell("What this page shows is there no more, or no more for you. What stands below is of before: reload the page."); return; }
    if (!answer.ok) { away(); return; }
    tell("");
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const other = fresh.getElementById(part.id);
      if (!changed(part, other) || inHand(part)) continue;
      const open = [...part.querySelectorAll("details[open]")].map((d) => d.id).filter(Boolean);
      const focus = part.contains(document.activeElement) ? document.activeElement.id : "";
      part.replaceChildren(...other.childNodes);
      part.className = other.className;
      for (const id of open) document.getElementById(id)?.setAttribute("open", "");
      if (focus) document.getElementById(focus)?.focus();
      part.classList.add("fresh");
      part.addEventListener("animationend", () => part.classList.remove("fresh"), { once: true });
    }
    lookAgain(fresh.body);
    ages();
  } catch {
    // The stream comes back by itself, and asks anew then.
    away();
  } finally {
    looking = false;
    if (again) { again = false; soon(); }
  }
}

// What was still being counted is there in a moment.
function lookAgain(body) {
  if (body.dataset.again) setTimeout(soon, Number(body.dataset.again));
}

let waiting = 0;
function soon() {
  if (waiting) return;
  waiting = setTimeout(() => { waiting = 0; look(); }, FRESH_AFTER_MS);
}

// What stands on the page is of the last look that was answered. Said once the server was away for longer than its
// restart takes, so that nobody takes it for what counts now.
const AWAY_AFTER_MS = 10000;
const AWAY = "The server does not answer. What stands below was true when it last did; it is looked at anew by itself.";
let awaySince = 0;
function away() {
  awaySince ||= Date.now();
  if (Date.now() - awaySince >= AWAY_AFTER_MS) tell(AWAY);
}

function tell(text) {
  const place = document.getElementById("told");
  if (text !== AWAY) awaySince = 0;
  if (place && place.textContent !== text) { place.textContent = text; place.hidden = text === ""; }
}

// Times are exact in the page; how long ago that is changes while one looks.
function ages() {
  const now = Date.now();
  for (const time of document.querySelectorAll("time[data-ms]")) {
    time.textContent = age(Number(time.dataset.ms) - now);
  }
}

function age(ms) {
  const ahead = ms > 0;
  const s = Math.round(Math.abs(ms) / 1000);
  const [n, unit] = s < 60 ? [s, "s"] : s < 3600 ? [Math.round(s / 60), "min"]
    : s < 172800 ? [Math.round(s / 3600), "h"] : [Math.round(s / 86400), "days"];
  if (s < 5 && !ahead) return "just now";
  return ahead ? `in ${n} ${unit}` : `${n} ${unit} ago`;
}

const root = document.documentElement;
const theme = localStorage.getItem("theme");
if (theme) root.dataset.theme = theme;
document.getElementById("theme")?.addEventListener("click", () => {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
});

// A second click does nothing more than the first.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 10000);
});

document.addEventListener("change", (event) => {
  if (event.target.id !== "all") return;
  for (const box of document.querySelectorAll('input[name="host"]')) box.checked = event.target.checked;
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy)?.textContent ?? "";
  await navigator.clipboard?.writeText(text);
  button.textContent = "Copied";
});

ages();
setInterval(ages, 5000);
lookAgain(document.body);

// The stream comes back by itself where it ends; where something on the way refuses it, asking now and
// then takes its place.
const ASK_EVERY_MS = 10000;
const stream = document.body.dataset.stream;
if (stream) {
  const events = new EventSource(stream);
  events.onmessage = soon;
  events.onopen = soon;
  let asking = false;
  events.onerror = () => {
    away();
    // The browser tries the stream again by itself, and says nothing between; where it gave up, asking takes its place.
    setTimeout(() => { if (events.readyState !== EventSource.OPEN) soon(); }, ASK_EVERY_MS);
    if (events.readyState === EventSource.CLOSED && !asking) { asking = true; setInterval(soon, ASK_EVERY_MS); }
  };
}
