/* The turns of a call as plain data, built from its events. No DOM here.
   Times are milliseconds since the call was answered, on the platform's clock. */

export const STAGES = ["stt", "retrieval", "llm", "tts"];

function newTurn(index, at_ms) {
  return {
    index, at_ms, heard: "", partial: "", said: [], filler: "", intent: null, facts: [], decisions: [], tools: [],
    stages: {}, // name → {start_ms, value_ms | null}; null while it runs.
    latency_ms: null, interrupted: false, closed: false, typed: false, source: "",
    firm: "", digits: "", endpoint: null, reading: null, guesses: [], memory: null, budget: [],
    murmurs: [], resumed: false,
  };
}

export class Turns {
  constructor() {
    this.list = [];
    this.current = null;
    this.pending = null; // What the caller is saying before the platform numbers the turn.
    this.error = null;
  }

  /** The turn an event speaks of; made when it is the first word of one. */
  turn(event) {
    if (event.turn === null || event.turn === undefined) {
      if (!this.pending) this.pending = newTurn(null, event.at_ms);
      return this.pending;
    }
    let found = this.list.find((turn) => turn.index === event.turn);
    if (!found) {
      // A turn that the agent opens by itself (greeting, "still there?") takes nobody's words.
      const own = event.kind === "turn.started" && (event.data?.purpose ?? "answer") !== "answer";
      found = (own ? null : this.pending) ?? newTurn(event.turn, event.at_ms);
      found.index = event.turn;
      if (!own) this.pending = null;
      this.list.push(found);
      this.list.sort((a, b) => a.index - b.index);
    }
    return found;
  }

  start(turn, stage, at_ms) {
    turn.stages[stage] ??= { start_ms: at_ms, value_ms: null };
  }

  stop(turn, stage, at_ms, value_ms) {
    const entry = (turn.stages[stage] ??= { start_ms: at_ms, value_ms: null });
    if (entry.value_ms === null) entry.value_ms = value_ms ?? Math.max(0, at_ms - entry.start_ms);
  }

  apply(event) {
    const data = event.data ?? {};
    const handler = HANDLERS[event.kind];
    if (!handler) return null;
    const changed = handler(this, event, data);
    if (changed) this.current = changed;
    return changed;
  }
}

/** The turn that something heard on the way belongs to; it never opens one. */
function near(turns, event) {
  if (event.turn !== null && event.turn !== undefined) {
    return turns.list.find((turn) => turn.index === event.turn) ?? turns.pending ?? null;
  }
  return turns.pending ?? turns.list.at(-1) ?? null;
}

function note(change) {
  return (turns, event, data) => {
    const turn = near(turns, event);
    if (turn) change(turn, data);
    return turn;
  };
}

function speaks(turns, event, data) {
  const turn = turns.turn(event);
  if (data.purpose === "filler") turn.filler = data.text ?? "";
  else if (data.text && turn.said.at(-1) !== data.text) turn.said.push(data.text);
  return turn;
}

const HANDLERS = {
  "speech.started": (turns, event) => {
    const last = turns.list.at(-1);
    // The number of the turn that ends is not the turn that begins.
    const fresh = event.turn !== null && event.turn !== undefined && !(last?.closed && last.index === event.turn)
      ? turns.turn(event) : turns.turn({ ...event, turn: null });
    return fresh;
  },
  "speech.stopped": (turns, event) => {
    const turn = turns.turn(event);
    turns.start(turn, "stt", event.at_ms);
    return turn;
  },
  "transcript.partial": (turns, event, data) => hear(turns, event, data),
  "transcript.stable": (turns, event, data) => {
    const turn = turns.turn(event);
    if (turn.heard) return turn;
    turn.firm = data.stable || data.text || "";
    turn.partial = data.text || turn.partial;
    return turn;
  },
  "transcript.final": (turns, event, data) => {
    const turn = turns.turn(event);
    turn.heard = data.text ?? turn.partial;
    turn.digits = data.normalised ?? turn.digits;
    turn.partial = "";
    turn.typed = data.engine === "typed";
    turn.language = data.language;
    if (!turn.typed) turns.stop(turn, "stt", event.at_ms, data.decode_ms);
    turns.start(turn, "retrieval", event.at_ms);
    return turn;
  },
  "turn.started": (turns, event) => turns.turn(event),
  "intent": (turns, event, data) => {
    const turn = turns.turn(event);
    turn.intent = data;
    turns.start(turn, "retrieval", event.at_ms);
    return turn;
  },
  "retrieval": (turns, event, data) => {
    const turn = turns.turn(event);
    turn.facts.push(data);
    const entry = (turn.stages.retrieval ??= { start_ms: event.at_ms, value_ms: null });
    entry.value_ms = Math.max(entry.value_ms ?? 0, data.latency_ms ?? 0);
    turns.start(turn, "llm", event.at_ms);
    return turn;
  },
  "llm.first_token": (turns, event, data) => {
    const turn = turns.turn(event);
    turns.start(turn, "llm", event.at_ms - (data.after_ms ?? 0));
    return turn;
  },
  "clause": (turns, event, data) => {
    const turn = turns.turn(event);
    turn.source = data.source ?? turn.source;
    if (data.source === "llm" || turn.stages.llm) turns.stop(turn, "llm", event.at_ms);
    turns.start(turn, "tts", event.at_ms);
    return turn;
  },
  "tts.first_audio": (turns, event) => {
    const turn = turns.turn(event);
    turns.stop(turn, "tts", event.at_ms);
    return turn;
  },
  "agent.speaking": speaks,
  "barge_in": (turns, event, data) => {
    const turn = event.turn === null || event.turn === undefined ? turns.list.at(-1) : turns.turn(event);
    if (!turn) return null;
    turn.interrupted = true;
    if (data.heard_text !== undefined) turn.said = data.heard_text ? [data.heard_text] : [];
    return turn;
  },
  // A murmur is neither a turn nor an interruption.
  "backchannel": (turns, event, data) => {
    turns.pending = null;
    const turn = turns.list.at(-1) ?? null;
    if (turn && data.text) turn.murmurs.push(data.text);
    return turn;
  },
  "resumed": (turns, event, data) => {
    turns.pending = null;
    const turn = event.turn === null || event.turn === undefined ? turns.list.at(-1) : turns.turn(event);
    if (!turn) return null;
    turn.interrupted = false;
    turn.resumed = true;
    if (data.text && turn.said.at(-1) !== data.text) turn.said.push(data.text);
    return turn;
  },
  "endpoint": note((turn, data) => { turn.endpoint = data; }),
  "language": note((turn, data) => { turn.reading = data; }),
  "speculation": note((turn, data) => { turn.guesses.push(data); }),
  "memory": note((turn, data) => { turn.memory = data; }),
  "tool": (turns, event, data) => {
    const turn = turns.turn(event);
    turn.tools.push(data);
    return turn;
  },
  "degrade": decided,
  "escalation": decided,
  "grounding": decided,
  "refusal": decided,
  "error": (turns, event, data) => {
    const turn = turns.turn(event);
    turn.decisions.push({ kind: "error", code: data.code, reason: data.message ?? data.stage });
    return turn;
  },
  "turn.closed": (turns, event, data) => {
    const turn = turns.turn({ ...event, turn: event.turn ?? data.index });
    if (data.void) {
      // The caller went on: the next turn answers everything that was said.
      turns.list = turns.list.filter((other) => other !== turn);
      return turns.list.at(-1) ?? null;
    }
    turn.closed = true;
    if (data.heard) turn.heard = data.heard;
    turn.partial = "";
    if (typeof data.said === "string" && data.said) turn.said = [data.said];
    if (data.latency_ms !== undefined) turn.latency_ms = data.latency_ms;
    turn.interrupted ||= Boolean(data.interrupted);
    turn.filler ||= data.filler ?? "";
    for (const stage of STAGES) {
      const value = data[`${stage}_ms`];
      if (value === null || value === undefined) {
        delete turn.stages[stage];
      } else {
        turn.stages[stage] = { start_ms: turn.stages[stage]?.start_ms ?? event.at_ms, value_ms: value };
      }
    }
    turn.digits = data.heard_normalised || turn.digits;
    turn.endpoint = data.endpoint ?? turn.endpoint;
    turn.reading = data.language_reading ?? turn.reading;
    turn.memory = data.memory && Object.keys(data.memory).length ? data.memory : turn.memory;
    if (data.speculations) turn.guesses = data.speculations;
    turn.budget = data.budget ?? [];
    turn.source = data.answer_source ?? turn.source;
    if (!turn.intent && data.intent) turn.intent = { slug: data.intent };
    turn.crm_sync = data.crm_sync;
    return turn;
  },
};

function hear(turns, event, data) {
  const turn = turns.turn(event);
  if (turn.heard) return turn;
  turn.partial = data.text ?? "";
  // A recogniser that tells its firm words with every decode; else those told apart stay.
  if (data.stable) turn.firm = data.stable;
  return turn;
}

function decided(turns, event, data) {
  const turn = turns.turn(event);
  turn.decisions.push({ kind: data.decision ?? event.kind, code: data.code, reason: data.reason });
  return turn;
}
