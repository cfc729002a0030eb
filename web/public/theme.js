// Runs before the first paint, so that the page never flashes in the other theme.
// A file and not an inline script: the content security policy allows none.
(() => {
  const chosen = localStorage.getItem("amarktai.theme");
  const light = matchMedia("(prefers-color-scheme: light)").matches;
  const theme = chosen === "light" || chosen === "dark" ? chosen : light ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
})();
