// Light or dark: what JupyterLab, VS Code or Colab says, else what the reader's system says.
function isDark() {
  const { body, documentElement: root } = document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  if (body.dataset.vscodeThemeKind) return /dark|contrast$/.test(body.dataset.vscodeThemeKind);
  if (root.dataset.theme) return root.dataset.theme === "dark"; // a page of the site
  if (root.getAttribute("theme")) return root.getAttribute("theme") === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function onTheme(act) {
  const watch = new MutationObserver(act);
  const seen = { attributes: true, attributeFilter: [
    "data-jp-theme-light", "data-vscode-theme-kind", "data-theme", "theme"] };
  watch.observe(document.body, seen);
  watch.observe(document.documentElement, seen);
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", act);
  return () => { watch.disconnect(); system.removeEventListener("change", act); };
}

// Colours of runs, told apart by readers who see few colours, on white and on black (each at least
// 4.5 to 1 against its card).
const COLOURS = {
  light: ["#b84300", "#0068ab", "#8a3f8f", "#00714f", "#7a5c00", "#b0305c", "#3b4cc0",
    "#007a80"],
  dark: ["#ff9c66", "#6cb6f2", "#e0a3e6", "#5cd0a8", "#e3c04d", "#ff9fbd", "#aab4ff",
    "#5fd3d8"],
};
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [5, 5], [12, 3], [2, 2, 6, 2], [3, 6],
  [14, 3, 3, 3], [1, 3]];
const colourOf = n => n < 0 ? faintOf() : COLOURS[isDark() ? "dark" : "light"][n % 8];
const dashOf = run => DASHES[run.dash || 0];
const inkOf = () => isDark() ? "#eceef0" : "#1d1d1f";
const faintOf = () => isDark() ? "#a7adb5" : "#5a5f66";
const cardOf = () => isDark() ? "#17191c" : "#ffffff"; // as `--ied-card` of lab.css
const gridOf = () => isDark() ? "#2c3036" : "#e6e9ee";

// The one cursor of a lab: every view sends "ied-step" to the lab and hears it there.
const labOf = el => el.closest(".ied-lab") || document.body;
const goTo = (el, step, from) =>
  labOf(el).dispatchEvent(new CustomEvent("ied-step", { detail: { step, from } }));
