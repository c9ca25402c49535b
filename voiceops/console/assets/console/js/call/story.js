/* One turn in words: when it ended and why, its language, what was prepared ahead and remembered. */
import { badge, make, ms, percent, shape, words } from "./parts.js";

const ENDPOINTS = {
  complete: "The sentence was complete",
  incomplete: "The sentence seemed unfinished, so more time was given",
  dictation: "The caller was dictating, so more time was given",
  backchannel: "The caller only murmured along",
  plain: "A fixed silence had passed",
  too_long: "The caller spoke for the longest time one turn may take",
  cut_off: "The line fell silent or was cut",
  typed: "Typed: there was nothing to wait for",
  dtmf: "A key was pressed",
};
const LANGUAGES = { en: "English", hi: "Hindi" };
const SIGNS = { acoustic: "Sound", script: "Script", words: "Words" };
const GUESSES = { prefetch: "facts", generation: "answer", first_clause: "voice" };
const STAGES = { prefetch: "retrieval", generation: "llm", first_clause: "tts" };
const CHANGES = {
  new: ["new", "ok"], corrected: ["corrected", "accent"], contradicted: ["in doubt", "warn"], confirmed: ["confirmed", "ok"],
  kept: ["kept", "ok"], retracted: ["taken back", "warn"], refused: ["not told", ""],
};
const RUPEES = /budget|price|amount|emi|deposit|rent/;

const name = (tag) => LANGUAGES[tag] ?? tag ?? "";

function line(label, ...content) {
  return make("div", "", make("dt", "", label), make("dd", "", ...content));
}

export function rupees(value) {
  for (const [unit, size] of [["crore", 1e7], ["lakh", 1e5]]) {
    if (Math.abs(value) >= size && Number.isInteger((value * 100) / size)) return `₹${value / size} ${unit}`;
  }
  return `₹${value.toLocaleString("en-IN")}`;
}

function valueWords(key, value) {
  if (typeof value === "number") return RUPEES.test(key) && Number.isInteger(value) ? rupees(value) : String(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map((item) => valueWords(key, item)).join(", ");
  if (value && typeof value === "object") return Object.entries(value).map(([k, v]) => `${k} ${valueWords(k, v)}`).join(", ");
  return value === null || value === undefined ? "–" : String(value);
}

function ending(endpoint) {
  const { reason, silence_ms: waited, wait_ms: asked, completeness } = endpoint;
  const said = [ENDPOINTS[reason] ?? words(reason)];
  const timed = waited && !["typed", "dtmf"].includes(reason);
  if (timed) said.push(`, waited ${ms(waited)}`);
  if (timed && asked && Math.abs(waited - asked) >= 40) said.push(` (asked for ${ms(asked)})`);
  const rest = timed && typeof completeness === "number" ? ` ${percent(completeness)} complete` : "";
  return line("End of turn", `${said.join("")}.`, make("span", "faint", rest));
}

function signs(reading) {
  const switched = reading.before && reading.before !== reading.after;
  let decision = switched ? `Switched from ${name(reading.before)} to ${name(reading.after)}`
    : `${reading.before ? "Stayed in" : "Took it for"} ${name(reading.after)}`;
  if (reading.mixed) decision += switched ? ", mixed speech" : ": both languages in one sentence are no switch";
  const doubt = reading.doubt < 0.05 ? "no doubt" : `${percent(Math.min(1, reading.doubt))} of the way to a switch`;
  const chips = (reading.signs ?? []).map((sign) => {
    const bar = shape("svg", { class: "sign-bar", "aria-hidden": "true" });
    bar.append(shape("rect", { class: "rail-bg", width: "100%", height: 6, rx: 3 }),
      shape("rect", { class: "fill", width: `${Math.min(100, 100 * sign.strength)}%`, height: 6, rx: 3 }));
    const chip = make("span", "sign", make("span", "faint", SIGNS[sign.source] ?? sign.source), ` ${name(sign.language)} `, bar,
      make("span", "num faint", Number(sign.strength).toFixed(2)));
    chip.title = sign.detail || `${SIGNS[sign.source] ?? sign.source} says ${name(sign.language)}`;
    return chip;
  });
  return line("Language",
    make("span", "story-line", make("strong", switched ? "switched" : "", decision), make("span", "faint", doubt)),
    chips.length ? make("span", "signs", ...chips) : null,
    reading.suspicion ? make("span", "suspicion", `May be misjudged: ${reading.suspicion}`) : null);
}

function ahead(guesses) {
  const hits = guesses.filter((guess) => guess.outcome === "hit");
  const saved = hits.reduce((sum, guess) => sum + (guess.saved_ms ?? 0), 0);
  const lost = guesses.length - hits.length;
  const said = [hits.length ? `${hits.length} of ${guesses.length} guesses used, saved ${ms(saved)}.`
    : `${lost} ${lost === 1 ? "guess" : "guesses"}, none used.`];
  const rows = guesses.map((guess) => {
    const tone = { hit: "ok", waste: "warn" }[guess.outcome] ?? "";
    const what = { hit: `used, −${ms(guess.saved_ms)}`, waste: "not needed", aborted: "stopped early" }[guess.outcome] ?? guess.outcome;
    const item = make("span", "guess-line", make("span", `stage hatched s-${STAGES[guess.kind] ?? ""}`, words(GUESSES[guess.kind] ?? guess.kind)), badge(what, tone));
    item.title = `planned from “${guess.basis ?? ""}”${guess.reason ? `: ${guess.reason}` : ""}`;
    return item;
  });
  return line("Ahead of time", said[0], make("span", "guess-lines", ...rows));
}

function memory(kept) {
  const facts = kept.facts ?? {};
  const changes = new Map((kept.changes ?? []).map((change) => [change.name, change]));
  const names = [...new Set([...changes.keys(), ...Object.keys(facts)])];
  const chips = names.map((key) => {
    const change = changes.get(key);
    const fact = facts[key];
    const value = fact && typeof fact === "object" && "value" in fact ? fact.value
      : fact ?? (change?.change === "retracted" ? change.before : change?.after);
    const rival = fact?.rival?.value ?? (change?.change === "contradicted" ? change.after : null);
    const shown = rival === null || rival === undefined ? valueWords(key, value) : `${valueWords(key, value)} or ${valueWords(key, rival)}?`;
    const chip = make("span", "fact-chip", make("span", "faint", words(key)), " ", make("strong", "", shown),
      change ? badge(...(CHANGES[change.change] ?? [words(change.change).toLowerCase()])) : null);
    const before = change?.change === "corrected" && change.before !== null ? `was ${valueWords(key, change.before)}` : "";
    chip.title = [fact?.said ? `“${fact.said}”` : "", fact?.turn !== undefined ? `turn ${fact.turn}` : "", before].filter(Boolean).join(", ");
    return chip;
  });
  return chips.length ? line("Remembered", make("span", "chips", ...chips)) : null;
}

/** The lines that are known of a turn so far. */
export function storyOf(turn) {
  if (!turn) return [];
  return [
    turn.endpoint ? ending(turn.endpoint) : null,
    turn.digits && turn.digits !== turn.heard ? line("In digits", turn.digits) : null,
    turn.reading ? signs(turn.reading) : null,
    turn.guesses.length ? ahead(turn.guesses) : null,
    turn.memory ? memory(turn.memory) : null,
    turn.murmurs.length ? line("Murmured along", turn.murmurs.map((text) => `“${text}”`).join(" "), make("span", "faint", " not taken for an interruption")) : null,
    turn.resumed ? line("Went on", "The interruption was a false alarm: the sentence was taken up where it was heard last.") : null,
  ].filter(Boolean);
}

/** What a change of the story looks like, to draw only when there is one. */
export function storyKey(turn) {
  return turn && [turn.endpoint, turn.digits, turn.reading, turn.guesses, turn.memory, turn.murmurs.length, turn.resumed];
}
