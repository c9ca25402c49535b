/* Small pieces that the live page is made of: elements, badges, numbers as people read them. */
const SVG = "http://www.w3.org/2000/svg";
const THIN = "\u202f";

export function ms(value) {
  if (value === null || value === undefined) return "–";
  return value < 1000 ? `${Math.round(value)}${THIN}ms` : `${(value / 1000).toFixed(2)}${THIN}s`;
}

export function words(slug) {
  const text = String(slug ?? "").replace(/[_-]/g, " ").trim().replace(/\b(crm|emi|llm|stt|tts|dtmf)\b/gi, (name) => name.toUpperCase());
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function percent(share) {
  return `${Math.round(100 * share)}${THIN}%`;
}

/** An element with a class and children (strings are text, never markup). */
export function make(tag, name, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

export function badge(text, tone = "") {
  return make("span", `badge ${tone}`, text);
}
