// needs: keys.js
// What the controls of a lab need in the page: names for a screen reader, the theme, and the stored
// picture out of the way while the lab is alive.
//
// value: { stored: id of the stored picture, names: { "css-class": "name" }, wrong: ["css-class"] }

function nameAll(lab, names, wrong) {
  for (const [css, name] of Object.entries(names)) {
    for (const box of lab.querySelectorAll("." + css)) {
      const inputs = box.querySelectorAll(".noUi-handle, input, select, [contenteditable]");
      for (const input of inputs) {
        if (input.getAttribute("aria-label") !== name) input.setAttribute("aria-label", name);
        if (input.tagName === "INPUT")
          input.setAttribute("aria-invalid", wrong.includes(css) ? "true" : "false");
      }
    }
  }
}

// Light or dark: what JupyterLab, VS Code or Colab says, else what the reader's system says.
function isDark() {
  const { body, documentElement: root } = document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  if (body.dataset.vscodeThemeKind) return /dark|contrast$/.test(body.dataset.vscodeThemeKind);
  if (root.getAttribute("theme")) return root.getAttribute("theme") === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

function onTheme(act) {
  const watch = new MutationObserver(act);
  const seen = { attributes: true, attributeFilter: [
    "data-jp-theme-light", "data-vscode-theme-kind", "theme"] };
  watch.observe(document.body, seen);
  watch.observe(document.documentElement, seen);
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", act);
  return () => { watch.disconnect(); system.removeEventListener("change", act); };
}

function mount(el, value, tell) {
  let now = value, lab = null, watch = null;
  const stored = hidden => {
    for (const node of document.querySelectorAll(`[data-ied-stored="${now.stored}"]`))
      node.style.display = hidden ? "none" : "";
  };
  const theme = () => lab?.classList.toggle("ied-dark", isDark());
  const offTheme = onTheme(theme);
  const tick = requestAnimationFrame(() => {
    lab = el.closest(".ied-lab");
    if (!lab) return;
    keepKeys(el);
    theme();
    stored(true);
    const again = () => nameAll(lab, now.names, now.wrong);
    watch = new MutationObserver(again);    // sliders are made a moment after the lab is
    watch.observe(lab, { childList: true, subtree: true });
    again();
  });
  return {
    update: next => { now = next; if (lab) nameAll(lab, now.names, now.wrong); },
    remove: () => { cancelAnimationFrame(tick); watch?.disconnect(); offTheme(); stored(false); },
  };
}
