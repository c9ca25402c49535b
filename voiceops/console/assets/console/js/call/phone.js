/* The softphone page: joins microphone, socket, speaker and view into one call at a time.

   States of #phone[data-state]: idle, connecting, live, ended, lost, busy, refused. */
import { typing } from "../keys.js";
import { Microphone, NoMicrophone, openSpeaker } from "./audio.js";
import { make } from "./parts.js";
import { CallSocket } from "./socket.js";
import { Turns } from "./turns.js";
import { CallView } from "./view.js";

const CONNECT_TRIES = 3;
const RETRY_MS = [600, 1500];
const SAY = {
  at_capacity: ["busy", "All lines are busy", "Every line of this machine is in use. Try again in a moment."],
  going_away: ["busy", "The platform restarts", "Calls are being moved. Try again in a few seconds."],
  login_required: ["refused", "Signed out", "Your session has ended. Reload the page and sign in."],
  agent_unknown: ["refused", "No such agent", "The agent was switched off. Reload the page and choose another."],
  idle: ["ended", "Call ended", "Nothing was heard for a while, so the call was ended."],
  silent: ["ended", "Call ended", "Nothing was heard for a while, so the call was ended."],
  too_long: ["ended", "Call ended", "The call reached the longest time a call may take."],
  "internal error": ["lost", "The call failed", "Something broke on the platform's side; it was logged. Call again."],
  slow_client: ["lost", "Line too slow", "This connection is too slow for a call."],
};
const CODES = { 1013: "at_capacity", 1012: "going_away", 4401: "login_required", 4404: "agent_unknown", 4408: "idle" };

const root = document.getElementById("phone");
if (root) start(root);

function start(phone) {
  const part = (id) => document.getElementById(id);
  const ui = {
    state: part("state"), timer: part("timer"), hint: part("hint"), dial: part("dial"), hangup: part("hangup"),
    mute: part("mute"), keys: part("keys"), keypad: part("keypad"), notices: part("notices"), agent: part("agent"),
    text: part("text"), composer: part("composer"), caller: part("level-caller"), voice: part("level-agent"),
  };
  const budgets = JSON.parse(part("budgets").textContent);
  const view = new CallView(phone, () => budgets[ui.agent.value] ?? Object.values(budgets)[0]);
  const idleHint = ui.hint.textContent;
  let call = null; // The one call in progress.
  let last = null; // The call that ended last: its turns stay on the page.

  function show(state, title, hint = "") {
    phone.dataset.state = state;
    ui.state.textContent = title;
    ui.hint.textContent = hint;
    const busy = state === "connecting" || state === "live";
    ui.dial.hidden = busy;
    ui.hangup.hidden = !busy;
    ui.agent.disabled = busy;
    ui.keys.disabled = state !== "live";
    ui.dial.querySelector("span").textContent = state === "idle" ? "Call" : "Call again";
    if (state !== "live") {
      ui.keypad.hidden = true;
      ui.keys.setAttribute("aria-expanded", "false");
      level(ui.caller, 0);
      level(ui.voice, 0);
    }
    ui.mute.disabled = state !== "live" || !call?.microphone;
  }

  function notice(tone, text, link) {
    const line = make("p", `notice ${tone}`, make("span", "", text));
    if (link) line.firstChild.append(" ", link);
    ui.notices.append(line);
  }

  function traceLink(sessionId) {
    const link = make("a", "", "See every decision of this call");
    link.href = phone.dataset.trace.replace("SESSION", encodeURIComponent(sessionId));
    link.dataset.traceLink = "";
    return link;
  }

  async function dial(firstText = "") {
    if (call) return;
    ui.notices.replaceChildren();
    view.reset();
    call = last = {
      turns: new Turns(), socket: null, microphone: null, speaker: null, context: null, sessionId: null,
      startedAt: 0, clock: null, tries: 0, queued: firstText ? [firstText] : [], error: null, muted: false,
    };
    show("connecting", "Connecting…", "Your browser may ask for the microphone.");
    const mine = call;
    try {
      await openAudio(mine);
    } catch (error) {
      if (mine === call) finish("refused", "No sound", `The browser could not start its audio (${error.message}). Reload the page.`);
      return;
    }
    if (mine === call) connect(mine);
  }

  async function openAudio(mine) {
    mine.context = new AudioContext({ latencyHint: "interactive" });
    void mine.context.resume();
    mine.speaker = await openSpeaker(mine.context, {
      onMark: (name) => mine.socket?.send({ type: "mark", name }),
      onLevel: (value) => level(ui.voice, value),
    });
    try {
      const microphone = await Microphone.open(mine.context, {
        onFrame: (pcm) => mine.socket?.audio(pcm),
        onLevel: (value) => level(ui.caller, mine.muted ? 0 : value),
      });
      // Hung up while the browser was asking.
      if (mine === call) mine.microphone = microphone;
      else microphone.close();
    } catch (error) {
      if (!(error instanceof NoMicrophone)) throw error;
      if (mine === call) notice("warn", `${error.message} You can type to the agent meanwhile.`);
    }
  }

  function connect(mine) {
    mine.tries += 1;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    mine.socket = new CallSocket(`${scheme}://${location.host}${phone.dataset.url}`, ui.agent.value, {
      onReady: (sessionId) => ready(mine, sessionId),
      onEvent: (event) => heard(mine, event),
      onAudio: (pcm) => mine.speaker.play(pcm),
      onClear: () => mine.speaker.clear(),
      onMark: (name) => mine.speaker.mark(name),
      onError: (code, message) => { mine.error = { code, message }; },
      onEnded: (reason, sessionId) => ended(mine, reason, sessionId),
      onLost: (code, wasReady) => lost(mine, code, wasReady),
    });
  }

  function ready(mine, sessionId) {
    if (mine !== call) return;
    mine.sessionId = sessionId;
    mine.startedAt = performance.now();
    mine.error = null;
    mine.clock = setInterval(() => tick(mine), 100);
    show("live", "In call", mine.microphone ? "Speak, or type below." : "Type below: there is no microphone.");
    for (const text of mine.queued.splice(0)) mine.socket.send({ type: "text", text });
    (mine.microphone ? ui.mute : ui.text).focus({ preventScroll: true });
  }

  function tick(mine) {
    const seconds = Math.floor((performance.now() - mine.startedAt) / 1000);
    ui.timer.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    view.draw(mine.turns, now(mine));
  }

  /** The call's clock as far as this page knows: the newest event's time and what passed since. */
  function now(mine) {
    return (mine.eventAt ?? 0) + (performance.now() - (mine.eventSeen ?? performance.now()));
  }

  function heard(mine, event) {
    mine.eventAt = event.at_ms;
    mine.eventSeen = performance.now();
    mine.turns.apply(event);
    view.draw(mine.turns, now(mine));
    if (event.kind === "agent.speaking") ui.hint.textContent = "The agent speaks: you can interrupt.";
    else if (event.kind === "agent.silent") ui.hint.textContent = mine.microphone ? "Listening…" : "Type below.";
    else if (event.kind === "speech.started") ui.hint.textContent = "Listening…";
  }

  function ended(mine, reason, sessionId) {
    if (mine !== call) return;
    mine.sessionId = sessionId ?? mine.sessionId;
    const [state, title, hint] = SAY[mine.error?.code ?? reason] ?? ["ended", "Call ended", ""];
    finish(state, title, hint);
  }

  async function lost(mine, code, wasReady) {
    if (mine !== call) return;
    const known = SAY[mine.error?.code] ?? SAY[CODES[code]];
    if (known) finish(...known);
    else if (mine.error) finish("refused", "Refused", mine.error.message ?? mine.error.code);
    else if (wasReady) finish("lost", "Connection lost", "The line to the platform was cut; the call is over. Check the network and call again.");
    else if (mine.tries < CONNECT_TRIES) {
      show("connecting", "Connecting again…", `The platform did not answer (try ${mine.tries} of ${CONNECT_TRIES}).`);
      setTimeout(() => mine === call && connect(mine), RETRY_MS[mine.tries - 1]);
    } else if (await signedOut()) {
      if (mine === call) finish(...SAY.login_required);
    } else if (mine === call) finish("lost", "No connection", "The platform does not answer calls right now. Check that it runs, then call again.");
  }

  function finish(state, title, hint) {
    const over = call;
    call = null;
    clearInterval(over.clock);
    over.microphone?.close();
    over.speaker?.clear();
    over.speaker?.close();
    void over.context?.close();
    view.draw(over.turns, now(over));
    ui.mute.setAttribute("aria-pressed", "false");
    show(state, title, hint);
    if (over.sessionId) notice("", "The trace is ready.", traceLink(over.sessionId));
    if (document.activeElement === ui.hangup || document.activeElement === document.body) ui.dial.focus({ preventScroll: true });
  }

  function hangUp() {
    if (!call) return;
    const mine = call;
    mine.socket?.send({ type: "hangup" });
    mine.speaker?.clear();
    const socket = mine.socket;
    // The platform answers with `ended`; the page does not wait for it.
    finish(mine.sessionId ? "ended" : "idle", mine.sessionId ? "Call ended" : "Ready", mine.sessionId ? "You hung up." : idleHint);
    if (socket) setTimeout(() => socket.close(), mine.sessionId ? 1500 : 0);
  }

  function toggleMute() {
    if (!call?.microphone) return;
    call.muted = !call.muted;
    call.microphone.muted = call.muted;
    ui.mute.setAttribute("aria-pressed", String(call.muted));
    ui.mute.querySelector("span").textContent = call.muted ? "Muted" : "Mute";
  }

  function sendText(text) {
    if (!call) void dial(text);
    else if (call.sessionId) call.socket.send({ type: "text", text });
    else call.queued.push(text);
  }

  ui.dial.addEventListener("click", () => void dial());
  ui.hangup.addEventListener("click", hangUp);
  ui.mute.addEventListener("click", toggleMute);
  ui.keys.addEventListener("click", () => {
    ui.keypad.hidden = !ui.keypad.hidden;
    ui.keys.setAttribute("aria-expanded", String(!ui.keypad.hidden));
  });
  ui.keypad.addEventListener("click", (event) => {
    const digit = event.target.closest("[data-digit]")?.dataset.digit;
    if (digit) call?.socket?.send({ type: "dtmf", digit });
  });
  ui.composer.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = ui.text.value.trim();
    if (!text) return;
    sendText(text);
    ui.text.value = "";
  });
  part("asks").addEventListener("click", (event) => {
    const ask = event.target.closest("[data-ask]")?.dataset.ask;
    if (ask) sendText(ask);
  });
  ui.agent.addEventListener("change", () => {
    for (const ask of part("asks").children) ask.hidden = ask.dataset.agent !== ui.agent.value;
    view.panel(last?.turns.current ?? null, 0);
  });
  part("talk").addEventListener("click", () => last && view.draw(last.turns, now(last)));
  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") hangUp();
    else if (event.key === "m" && !typing(event)) toggleMute();
  });
  addEventListener("pagehide", () => call && hangUp());
  show("idle", "Ready", idleHint);
}

/** A refused handshake has no reason; a page that redirects to the login says it. */
async function signedOut() {
  try {
    const response = await fetch(location.pathname, { redirect: "manual", cache: "no-store" });
    return response.type === "opaqueredirect";
  } catch {
    return false;
  }
}

function level(element, value) {
  element.style.setProperty("--level", Math.min(1, Math.sqrt(value) * 1.2).toFixed(2));
}
