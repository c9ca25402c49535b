/* The filter drawer at phone width. The list itself is HTMX. */
const more = document.getElementById("more");
const fields = document.getElementById("filter-fields");

more?.addEventListener("click", () => {
  const open = fields.classList.toggle("open");
  more.setAttribute("aria-expanded", String(open));
});

/* Empty filters stay out of the address. */
document.addEventListener("htmx:configRequest", (event) => {
  const { parameters } = event.detail;
  for (const key of Object.keys(parameters)) if (parameters[key] === "") delete parameters[key];
});
