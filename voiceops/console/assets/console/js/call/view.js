/* Draws the turns of the call: the conversation and the panel of one turn. */
import { badge, make, ms, shape, words } from "./parts.js";
import { storyKey, storyOf } from "./story.js";
import { STAGES } from "./turns.js";

const LABELS = { endpoint: "End of turn", stt: "Speech to text", retrieval: "Retrieval", llm: "Language model", tts: "Text to speech" };
const COLOURS = { endpoint: "endpointing" };

/** One stage's bar against its budget; `set(value_ms, running)` fills it. */
class Meter {
  constructor(stage) {
    this.stage = stage;
    this.value = make("span", "num meter-value", "–");
    this.svg = shape("svg", { class: "bar", "aria-hidden": "true" });
    this.fill = shape("rect", { class: "fill", y: 4, height: 8, rx: 3, width: "0%" });
    this.excess = shape("rect", { class: "excess", y: 4, height: 8, width: "0%" });
    this.limit = shape("line", { class: "budget", y1: 0, y2: 16 });
    this.svg.append(shape("rect", { class: "rail-bg", y: 4, height: 8, rx: 3, width: "100%" }), this.fill, this.excess, this.limit);
    this.budget = make("span", "faint meter-budget");
    const colour = COLOURS[stage] ?? stage;
    this.state = make("span", "meter-state");
    this.element = make("div", `meter s-${colour} is-${stage}`,
      make("span", "meter-name", make("span", `stage s-${colour}`, LABELS[stage] ?? "Turn latency"), this.state),
      this.value, this.budget, this.svg);
  }

  /** `line`: the finished turn's own budget line of this stage, if it told one. */
  set(value, budget, running, line = null) {
    this.element.hidden = this.stage === "endpoint" && value === null;
    const state = line?.degraded ? "cheaper way" : line && line.actual_ms === null ? "not needed" : "";
    if (this.state.textContent !== state) this.state.replaceChildren(...(state ? [badge(state, line.degraded ? "warn" : "outline")] : []));
    const whole = Math.max(budget * 1.6, (value ?? 0) * 1.05, 1);
    const at = (part) => `${Math.min(100, (100 * part) / whole).toFixed(2)}%`;
    this.fill.setAttribute("width", at(Math.min(value ?? 0, budget)));
    this.excess.setAttribute("x", at(budget));
    this.excess.setAttribute("width", at(Math.max(0, (value ?? 0) - budget)));
    this.limit.setAttribute("x1", at(budget));
    this.limit.setAttribute("x2", at(budget));
    this.value.textContent = ms(value);
    this.value.classList.toggle("over", value > budget);
    this.element.classList.toggle("running", running);
    this.budget.textContent = budget ? `of ${ms(budget)}` : "";
  }
}

export class CallView {
  constructor(root, budgetOf) {
    this.budgetOf = budgetOf;
    this.chosen = null; // Index of the turn a person picked; null follows the newest.
    this.nodes = new Map();
    const part = (id) => root.querySelector(`#${id}`);
    this.talk = part("talk");
    this.empty = part("talk-empty");
    this.intent = part("intent");
    this.facts = part("facts");
    this.decisions = part("decisions");
    this.title = part("insight-title");
    this.note = part("insight-note");
    this.story = part("story");
    this.meters = new Map(["endpoint", ...STAGES, "total"].map((stage) => [stage, new Meter(stage)]));
    part("meters").replaceChildren(...[...this.meters.values()].map((meter) => meter.element));
    this.quiet = [this.facts.innerHTML, this.decisions.innerHTML];
    this.panel(null, 0);
  }

  reset() {
    this.nodes.clear();
    this.chosen = null;
    this.talk.replaceChildren();
    this.empty.hidden = false;
    this.panel(null, 0);
  }

  /** Draw everything that changed. `now_ms` is the call's clock, for stages still running. */
  draw(turns, now_ms) {
    const entries = turns.pending ? [...turns.list, turns.pending] : turns.list;
    this.empty.hidden = entries.length > 0;
    const atEnd = this.talk.scrollHeight - this.talk.scrollTop - this.talk.clientHeight < 80;
    for (const [turn, node] of this.nodes) {
      if (entries.includes(turn)) continue;
      node.item.remove();
      this.nodes.delete(turn);
    }
    for (const turn of entries) this.turn(turn);
    if (atEnd) this.talk.scrollTop = this.talk.scrollHeight;
    const shown = entries.find((turn) => turn.index === this.chosen && this.chosen !== null)
      ?? turns.current ?? entries.at(-1) ?? null;
    this.panel(shown, now_ms);
  }

  turn(turn) {
    let node = this.nodes.get(turn);
    if (!node) {
      node = {
        item: make("li", "turn"), heard: make("p", "bubble caller"), filler: make("p", "bubble agent filler"),
        said: make("p", "bubble agent"), strip: make("button", "turn-strip"),
      };
      node.strip.type = "button";
      node.strip.addEventListener("click", () => {
        this.chosen = turn.index;
        document.getElementById("insight")?.scrollIntoView({ block: "nearest" });
      });
      node.item.append(node.heard, node.strip, node.filler, node.said);
      this.nodes.set(turn, node);
      this.talk.append(node.item);
    }
    growing(node.heard, turn);
    node.heard.hidden = !(turn.heard || turn.partial);
    node.heard.classList.toggle("growing", !turn.heard);
    put(node.filler, turn.filler);
    node.filler.hidden = !turn.filler;
    put(node.said, turn.said.join(" "));
    node.said.hidden = !turn.said.length;
    node.said.classList.toggle("cut-off", turn.interrupted);
    this.strip(node.strip, turn);
  }

  strip(button, turn) {
    const key = JSON.stringify([turn.intent?.slug, turn.latency_ms, turn.interrupted, turn.resumed, turn.guesses.length, turn.closed, turn.stages, turn.decisions.length, turn.typed]);
    button.hidden = !(turn.intent && turn.heard) && turn.latency_ms === null;
    if (button.dataset.key === key) return;
    button.dataset.key = key;
    const values = STAGES.map((stage) => [stage, turn.stages[stage]?.value_ms]).filter(([, value]) => value > 0);
    const whole = values.reduce((sum, [, value]) => sum + value, 0);
    const bar = shape("svg", { class: "mini", "aria-hidden": "true" });
    let x = 0;
    for (const [stage, value] of values) {
      const width = (100 * value) / whole;
      bar.append(shape("rect", { class: `seg s-${stage}`, x: `${x}%`, width: `${width}%`, height: 6 }));
      x += width;
    }
    button.setAttribute("aria-label", `Turn ${turn.index ?? ""}: ${words(turn.intent?.slug)} ${ms(turn.latency_ms)}. Show its stages.`);
    button.replaceChildren(...[
      turn.intent ? make("span", "", words(turn.intent.slug)) : null,
      values.length ? bar : null,
      turn.latency_ms !== null ? make("span", turn.latency_ms > this.budgetOf().total_ms ? "over" : "", ms(turn.latency_ms)) : null,
      turn.typed ? badge("typed", "outline") : null,
      turn.interrupted ? badge("interrupted", "warn") : null,
      turn.resumed ? badge("went on", "ok") : null,
      turn.guesses.some((guess) => guess.outcome === "hit") ? badge("ahead of time", "ok") : null,
      turn.decisions.length ? badge(String(turn.decisions.length) + (turn.decisions.length === 1 ? " decision" : " decisions"), "outline") : null,
    ].filter(Boolean));
  }

  panel(turn, now_ms) {
    const budget = this.budgetOf();
    put(this.title, turn?.index ? `Turn ${turn.index}` : "This turn");
    put(this.note, turn ? (turn.closed ? "Finished" : "Live") : "No turn yet");
    const lines = new Map((turn?.budget ?? []).map((line) => [line.stage, line]));
    const waited = turn?.endpoint?.silence_ms ?? null;
    const asked = lines.get("endpoint")?.budget_ms ?? budget.endpoint_ms ?? 0;
    this.meters.get("endpoint").set(lines.get("endpoint")?.actual_ms ?? (waited || null), asked, false, lines.get("endpoint"));
    let sum = waited ?? 0;
    for (const stage of STAGES) {
      const entry = turn?.stages[stage];
      const line = lines.get(stage);
      const running = Boolean(entry && entry.value_ms === null && !turn.closed);
      // What the caller waited for it, once the turn tells; till then how long it has run.
      const value = line ? line.actual_ms : entry ? entry.value_ms ?? Math.max(0, now_ms - entry.start_ms) : null;
      sum += value ?? 0;
      this.meters.get(stage).set(value, line?.budget_ms ?? budget[`${stage}_ms`], running, line);
    }
    this.meters.get("total").set(turn ? turn.latency_ms ?? (turn.closed ? null : sum || null) : null, budget.total_ms, false);
    const told = JSON.stringify(storyKey(turn));
    if (told !== this.told) {
      this.told = told;
      this.story.replaceChildren(...storyOf(turn));
      this.story.hidden = !this.story.children.length;
    }
    const key = JSON.stringify([turn?.intent, turn?.facts, turn?.decisions, turn?.tools]);
    if (key === this.key) return;
    this.key = key;
    this.intent.replaceChildren(...intentOf(turn));
    this.facts.innerHTML = this.quiet[0];
    if (turn?.facts.length) this.facts.replaceChildren(...turn.facts.map(factItem));
    this.decisions.innerHTML = this.quiet[1];
    const made = [...(turn?.tools ?? []).map(toolItem), ...(turn?.decisions ?? []).map(decisionItem)];
    if (made.length) this.decisions.replaceChildren(...made);
  }
}

/** The caller's words: while they grow, the firm ones apart from those that may still change. */
function growing(element, turn) {
  const text = turn.heard || turn.partial;
  const firm = !turn.heard && turn.firm && text.startsWith(turn.firm) ? turn.firm : "";
  const key = `${firm.length}:${text}`;
  if (element.dataset.key === key) return;
  element.dataset.key = key;
  element.replaceChildren(...(firm ? [make("span", "firm", firm), make("span", "soft", text.slice(firm.length))] : [text]));
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function intentOf(turn) {
  if (!turn?.intent) return [make("span", "faint", "–")];
  const { slug, score, runner_up: other } = turn.intent;
  const name = typeof other === "string" ? other : other?.slug ?? other?.[0];
  return [
    make("strong", "", words(slug)),
    typeof score === "number" ? badge(score.toFixed(2), "accent") : null,
    name ? make("span", "faint", `next: ${words(name)}`) : null,
  ].filter(Boolean);
}

function factItem(fact) {
  const bad = !["ok", "stale"].includes(fact.outcome ?? "ok");
  const head = make("span", "fact-head", make("span", "mono", fact.source ?? ""), make("span", "faint", ms(fact.latency_ms)),
    fact.outcome && fact.outcome !== "ok" ? badge(words(fact.outcome), bad ? "bad" : "warn") : null,
    typeof fact.score === "number" ? make("span", "faint fact-score", fact.score.toFixed(2)) : null);
  return make("li", "", head, make("span", "fact-text", fact.text || (bad ? "No answer from this source." : "Nothing found.")),
    fact.chunk ? make("span", "faint mono cut", fact.chunk) : null);
}

function decisionItem(decision) {
  const tone = { degrade: "warn", escalation: "accent", error: "bad", refusal: "warn" }[decision.kind] ?? "";
  return make("li", "", make("span", "fact-head", badge(words(decision.code ?? decision.kind), tone)),
    make("span", "fact-text", decision.reason ?? ""));
}

function toolItem(tool) {
  return make("li", "", make("span", "fact-head", make("span", "stage s-tool", words(tool.name)), make("span", "faint", ms(tool.latency_ms)),
    badge(words(tool.outcome), tool.outcome === "ok" ? "ok" : "bad")));
}
