/* ARIA tabs: click, arrow keys, Home and End. The chosen tab is kept from turn to turn. */
let chosen = "tab-facts";

function select(list, tab, focus) {
  for (const other of list.querySelectorAll('[role="tab"]')) {
    const is = other === tab;
    other.setAttribute("aria-selected", String(is));
    other.tabIndex = is ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !is;
  }
  chosen = tab.id;
  if (focus) tab.focus();
}

export function restore() {
  const tab = document.getElementById(chosen);
  if (tab) select(tab.closest('[role="tablist"]'), tab, false);
}

document.addEventListener("click", (event) => {
  const tab = event.target instanceof Element ? event.target.closest('[role="tab"]') : null;
  if (tab) select(tab.closest('[role="tablist"]'), tab, true);
});

document.addEventListener("keydown", (event) => {
  const tab = event.target instanceof Element ? event.target.closest('[role="tab"]') : null;
  if (!tab) return;
  const list = tab.closest('[role="tablist"]');
  const tabs = [...list.querySelectorAll('[role="tab"]')];
  const at = tabs.indexOf(tab);
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  select(list, tabs[(to + tabs.length) % tabs.length], true);
}, true);
