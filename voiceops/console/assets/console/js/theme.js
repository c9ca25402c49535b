/* Runs before the first paint (a classic script in <head>): the chosen theme, if any. */
(() => {
  try {
    const theme = localStorage.getItem("voiceops.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    /* Storage is blocked: the system's preference stands. */
  }
})();
