/* Shared by every page that has shortcuts. No side effects: hashed static files may load it twice. */

/** True while the person types into a field, where a letter is a letter. */
export function typing(event) {
  const target = event.target;
  return event.ctrlKey || event.metaKey || event.altKey
    || (target instanceof HTMLElement && target.matches("input, textarea, select, [contenteditable]"));
}
