/* The trace page: the recording plays, the transcript follows, a click on a turn seeks. */
import { typing } from "../keys.js";
import { restore } from "./tabs.js";
import { Waveform } from "./waveform.js";

const STEP_S = 5;
const root = document.getElementById("trace");
const audio = document.getElementById("audio");
const play = document.getElementById("play");
const at = document.getElementById("at");
const wave = document.getElementById("wave");
const marks = JSON.parse(document.getElementById("marks").textContent);
const turns = [...document.querySelectorAll(".script-turn")].map((element) => ({
  element, head: element.querySelector(".script-head"),
  index: Number(element.dataset.turn), start_ms: Number(element.dataset.start), end_ms: Number(element.dataset.end),
}));
const still = matchMedia("(prefers-reduced-motion: reduce)");
const narrow = matchMedia("(max-width: 1100px)");
let waveform = null;
let frame = 0;

root.classList.toggle("silent", !audio);

function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function show() {
  const now_ms = audio.currentTime * 1000;
  at.textContent = clock(now_ms);
  wave.setAttribute("aria-valuenow", String(Math.round(now_ms)));
  wave.setAttribute("aria-valuetext", clock(now_ms));
  waveform?.seek(now_ms);
  let current = null;
  for (const turn of turns) if (turn.start_ms <= now_ms) current = turn;
  for (const turn of turns) {
    const is = turn === current && !audio.paused;
    if (is && !turn.element.classList.contains("playing")) {
      turn.element.scrollIntoView({ block: "nearest", behavior: still.matches ? "auto" : "smooth" });
    }
    turn.element.classList.toggle("playing", is);
  }
}

function follow() {
  show();
  frame = audio.paused ? 0 : requestAnimationFrame(follow);
}

function seek(ms) {
  if (!audio) return;
  audio.currentTime = Math.max(0, ms / 1000);
  show();
}

function choose(turn, { open = true } = {}) {
  for (const other of turns) {
    other.element.classList.toggle("chosen", other === turn);
    if (other === turn) other.head.setAttribute("aria-current", "true");
    else other.head.removeAttribute("aria-current");
  }
  waveform?.choose(turn.index);
  seek(turn.start_ms);
  if (open) turn.head.click();
}

function chosen() {
  return turns.findIndex((turn) => turn.element.classList.contains("chosen"));
}

function toggle() {
  if (!audio) return;
  if (audio.paused) void audio.play().catch((error) => note(`The recording cannot be played (${error.message}).`));
  else audio.pause();
}

function note(text) {
  let line = document.getElementById("wave-note");
  if (!line) {
    line = document.createElement("p");
    line.className = "wave-note faint";
    line.id = "wave-note";
    wave.append(line);
  }
  line.textContent = text;
}

async function load() {
  const response = await fetch(root.dataset.peaks, { headers: { Accept: "application/json" } });
  const body = await response.json();
  if (!response.ok) {
    note(body.detail);
    return;
  }
  waveform = new Waveform(wave, body, marks);
  wave.setAttribute("aria-valuemax", String(body.duration_ms));
  const index = chosen();
  if (index >= 0) waveform.choose(turns[index].index);
}

function pointerSeek(event) {
  if (!waveform) return;
  const box = wave.getBoundingClientRect();
  seek(((event.clientX - box.left) / box.width) * waveform.duration_ms);
}

if (audio) {
  load().catch(() => note("The waveform could not be read; the recording still plays."));
  play.addEventListener("click", toggle);
  audio.addEventListener("play", () => {
    play.classList.add("playing");
    play.setAttribute("aria-label", "Pause");
    frame ||= requestAnimationFrame(follow);
  });
  audio.addEventListener("pause", () => {
    play.classList.remove("playing");
    play.setAttribute("aria-label", "Play");
    show();
  });
  audio.addEventListener("seeked", show);
  audio.addEventListener("error", () => note("The recording could not be loaded. Reload the page to try again."));
  wave.addEventListener("pointerdown", (event) => {
    wave.setPointerCapture(event.pointerId);
    pointerSeek(event);
  });
  wave.addEventListener("pointermove", (event) => wave.hasPointerCapture(event.pointerId) && pointerSeek(event));
}

for (const turn of turns) {
  turn.head.addEventListener("click", (event) => {
    // The address names the turn, but the page does not jump to it.
    event.preventDefault();
    history.replaceState(null, "", `#turn-${turn.index}`);
    choose(turn, { open: false });
    // Below the transcript, where there is one column: bring it into view.
    if (narrow.matches) document.getElementById("turn-panel").scrollIntoView({ block: "start", behavior: still.matches ? "auto" : "smooth" });
  });
}

document.addEventListener("keydown", (event) => {
  if (typing(event) || document.querySelector("dialog[open]")) return;
  const onButton = event.target instanceof Element && event.target.closest("button, a");
  if (event.key === " " && !onButton) {
    event.preventDefault();
    toggle();
  } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    if (!audio) return;
    event.preventDefault();
    seek((audio.currentTime + (event.key === "ArrowRight" ? STEP_S : -STEP_S)) * 1000);
  } else if (event.key === "j" || event.key === "k") {
    const to = turns[chosen() + (event.key === "j" ? 1 : -1)];
    if (!to) return;
    choose(to);
    to.element.scrollIntoView({ block: "nearest" });
  }
});

document.addEventListener("htmx:afterSwap", (event) => event.detail.target?.id === "turn-panel" && restore());

/* #turn-3 in the address opens that turn. */
const wanted = turns.find((turn) => location.hash === `#turn-${turn.index}`);
if (wanted) addEventListener("load", () => choose(wanted));

/* A call that goes on is read again until it has ended. */
if (document.getElementById("still-live")) setTimeout(() => audio?.paused !== false && location.reload(), 3000);
