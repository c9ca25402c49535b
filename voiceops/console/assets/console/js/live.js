/* The live board: a snapshot, then low-rate events of every call. */

const STATES = {
  "speech.started": ["stt", "Caller speaks"],
  "transcript.final": ["intent", "Heard"],
  "turn.started": ["intent", "Heard"],
  "intent": ["retrieval", "Looking up"],
  "retrieval": ["llm", "Answering"],
  "llm.first_token": ["llm", "Answering"],
  "agent.speaking": ["tts", "Agent speaks"],
  "agent.silent": ["endpointing", "Listening"],
  "barge_in": ["stt", "Interrupted"],
};
const RETRY_MS = [500, 1000, 2000, 4000, 8000];

const list = document.querySelector("[data-live-list]");
const empty = document.querySelector("[data-live-empty]");
const count = document.querySelector("[data-live-count]");
const state = document.querySelector("[data-live-state]");
const template = document.getElementById("live-row");
const rows = new Map();
let attempt = 0;

function clock(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function rowFor(id, call) {
  let row = rows.get(id);
  if (!row) {
    const element = template.content.firstElementChild.cloneNode(true);
    row = { element, started: Date.now() };
    rows.set(id, row);
    element.querySelector("[data-link]").href = list.dataset.trace.replace("SESSION", encodeURIComponent(id));
    list.append(element);
  }
  const set = (name, value) => {
    if (value !== undefined && value !== null && value !== "") {
      row.element.querySelector(`[data-${name}]`).textContent = value;
    }
  };
  set("agent", call.agent);
  set("caller", call.caller || (row.element.querySelector("[data-caller]").textContent || "Unknown caller"));
  set("channel", call.channel);
  set("last", call.last);
  if (call.turn) set("turn", `turn ${call.turn}`);
  if (call.started_at) row.started = Date.parse(call.started_at) || row.started;
  return row;
}

function setStage(row, kind) {
  const [stage, label] = STATES[kind] ?? [];
  if (!stage) return;
  const chip = row.element.querySelector("[data-stage]");
  chip.className = `live-stage stage s-${stage}`;
  chip.textContent = label;
}

function render() {
  count.textContent = String(rows.size);
  empty.hidden = rows.size > 0;
}

function drop(id) {
  const row = rows.get(id);
  if (!row) return;
  row.element.remove();
  rows.delete(id);
  render();
}

function onEvent(message) {
  const id = message.session_id;
  if (message.kind === "call.ended") {
    drop(id);
    document.body.dispatchEvent(new CustomEvent("voiceops:call-ended", { bubbles: true }));
    return;
  }
  const known = rows.has(id);
  const row = rowFor(id, { agent: message.agent, channel: message.channel, turn: message.turn, caller: message.data?.caller,
    last: message.data?.text });
  if (!known) row.started = Date.now() - (message.at_ms ?? 0);
  setStage(row, message.kind);
  render();
}

function show(kind, text) {
  const dot = document.createElement("span");
  dot.className = `dot ${kind}`;
  state.replaceChildren(dot, document.createTextNode(` ${text}`));
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/console/live/`);
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === "snapshot") {
      attempt = 0;
      if (message.detail) show("off", message.detail);
      else show("on", "Connected");
      for (const id of [...rows.keys()]) drop(id);
      for (const call of message.calls) rowFor(call.session_id, call);
      render();
    } else if (message.type === "event") {
      onEvent(message);
    }
  };
  socket.onclose = ({ code }) => {
    if (code === 4401) {
      show("off", "Signed out: reload the page to sign in");
      return;
    }
    const wait = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)];
    attempt += 1;
    show("off", "Connection lost, trying again…");
    setTimeout(connect, wait);
  };
}

setInterval(() => {
  for (const row of rows.values()) {
    row.element.querySelector("[data-time]").textContent = clock(Date.now() - row.started);
  }
}, 500);
render();
connect();
