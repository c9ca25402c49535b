/* What every page has: theme toggle, keyboard shortcuts, relative times. */
import { typing } from "./keys.js";

const root = document.documentElement;

function isDark() {
  return (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
}

function toggleTheme() {
  const theme = isDark() ? "light" : "dark";
  root.dataset.theme = theme;
  try {
    localStorage.setItem("voiceops.theme", theme);
  } catch {
    /* Storage is blocked: the choice lasts for this page. */
  }
  announceTheme();
}

function announceTheme() {
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.setAttribute("aria-label", isDark() ? "Switch to the light theme" : "Switch to the dark theme");
    const label = button.querySelector(".label");
    if (label) label.textContent = isDark() ? "Light theme" : "Dark theme";
  }
}

/** "12 s ago" for a time in the past; the full time stays in the title. */
function ago(date, now = new Date()) {
  const seconds = Math.max(0, Math.round((now - date) / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return "";
}

function refreshTimes() {
  for (const element of document.querySelectorAll("time[data-ago]")) {
    element.dataset.full ??= element.textContent;
    element.title = element.dataset.full;
    element.textContent = ago(new Date(element.dateTime)) || element.dataset.full;
  }
}

const paths = { h: "/", l: "/calls/", c: "/call/", a: "/alarms/" };
let pendingGo = 0;

function onKey(event) {
  if (typing(event)) return;
  if (Date.now() - pendingGo < 1200 && paths[event.key]) {
    pendingGo = 0;
    event.preventDefault();
    location.assign(paths[event.key]);
    return;
  }
  if (event.key === "g") pendingGo = Date.now();
  else if (event.key === "t") toggleTheme();
  else if (event.key === "?") document.getElementById("shortcuts")?.showModal();
  else if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select?.();
  }
}

/** Copy what the named element says; without a clipboard (plain http) select it instead. */
async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  if (!source) return;
  button.dataset.label ??= button.textContent;
  try {
    await navigator.clipboard.writeText(source.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection()?.selectAllChildren(source);
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => { button.textContent = button.dataset.label; }, 2000);
}

document.addEventListener("keydown", onKey);
document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest("[data-theme-toggle]")) toggleTheme();
  if (target?.closest("[data-shortcuts]")) document.getElementById("shortcuts")?.showModal();
  if (target?.closest("[data-close]")) target.closest("dialog")?.close();
  const copier = target?.closest("[data-copy]");
  if (copier) void copy(copier);
});
document.addEventListener("htmx:afterSwap", refreshTimes);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", announceTheme);
announceTheme();
refreshTimes();
setInterval(refreshTimes, 10_000);
