/* Two lanes of loudness over time: the caller above, the agent below. Peaks are 0…1 per bucket. */

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 100;
const LANES = { caller: [27, 24], agent: [77, 21] }; // Middle and half-height, in the view box.
let drawn = 0;

function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** A closed outline, mirrored around the lane's middle. Loudness is shown on a square-root scale. */
function outline(peaks, [middle, half]) {
  const at = (index, sign) => `${index} ${(middle + sign * Math.max(0.4, Math.sqrt(peaks[index]) * half)).toFixed(1)}`;
  const top = peaks.map((_, index) => at(index, -1));
  const bottom = peaks.map((_, index) => at(index, 1)).reverse();
  return `M${top.join("L")}L${bottom.join("L")}Z`;
}

export class Waveform {
  /** `marks`: {kind: turn | filler | barge-in, turn, start_ms, end_ms, label}. */
  constructor(root, { duration_ms, caller, agent }, marks) {
    this.duration_ms = duration_ms;
    this.width = Math.max(caller.length, agent.length, 1);
    this.svg = shape("svg", { viewBox: `0 0 ${this.width} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    const clip = `played-${(drawn += 1)}`;
    this.clip = shape("rect", { x: 0, y: 0, width: 0, height: HEIGHT });
    const clipPath = shape("clipPath", { id: clip });
    clipPath.append(this.clip);
    this.zones = new Map();
    this.svg.append(clipPath);
    for (const mark of marks) if (mark.kind === "turn") this.zone(mark);
    this.svg.append(shape("line", { class: "axis", x1: 0, x2: this.width, y1: 52, y2: 52 }));
    const lanes = () => {
      const group = shape("g", {});
      if (caller.length) group.append(shape("path", { class: "lane-caller", d: outline(caller, LANES.caller) }));
      if (agent.length) group.append(shape("path", { class: "lane-agent", d: outline(agent, LANES.agent) }));
      return group;
    };
    const done = lanes();
    done.classList.add("done");
    done.setAttribute("clip-path", `url(#${clip})`);
    this.svg.append(lanes(), done);
    for (const mark of marks) this.mark(mark);
    this.cursor = shape("line", { class: "cursor", x1: 0, x2: 0, y1: 0, y2: HEIGHT });
    this.svg.append(this.cursor);
    root.replaceChildren(this.svg);
  }

  x(at_ms) {
    return (this.width * Math.max(0, Math.min(at_ms, this.duration_ms))) / this.duration_ms;
  }

  zone(mark) {
    const x = this.x(mark.start_ms);
    const zone = shape("rect", { class: "turn-zone", x, y: 0, width: Math.max(0, this.x(mark.end_ms) - x), height: HEIGHT });
    this.zones.set(mark.turn, zone);
    this.svg.append(zone, shape("line", { class: "turn-edge", x1: x, x2: x, y1: 0, y2: HEIGHT }));
  }

  mark(mark) {
    let element = null;
    if (mark.kind === "filler") {
      const x = this.x(mark.start_ms);
      element = shape("rect", { class: "mark-filler", x, y: 95, width: Math.max(2, this.x(mark.end_ms) - x), height: 4 });
    } else if (mark.kind === "barge-in") {
      const x = this.x(mark.start_ms);
      element = shape("line", { class: "mark-barge", x1: x, x2: x, y1: 0, y2: HEIGHT });
    }
    if (!element) return;
    const title = shape("title", {});
    title.textContent = mark.label;
    element.append(title);
    this.svg.append(element);
  }

  choose(turn) {
    for (const [index, zone] of this.zones) zone.classList.toggle("chosen", index === turn);
  }

  seek(at_ms) {
    const x = this.x(at_ms);
    this.clip.setAttribute("width", x);
    this.cursor.setAttribute("x1", x);
    this.cursor.setAttribute("x2", x);
  }
}
