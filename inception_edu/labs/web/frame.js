// needs: keys.js theme.js
// What the controls of a lab need in the page: names for a screen reader, the theme, and the stored
// picture out of the way while the lab is alive.
//
// value: { stored: id of the stored picture, names: { "css-class": "name" },
//          texts: { "css-class": what a slider's value is called }, wrong: ["css-class"] }

function nameAll(lab, { names, texts, wrong }) {
  for (const [css, name] of Object.entries(names)) {
    for (const box of lab.querySelectorAll("." + css)) {
      const inputs = box.querySelectorAll(".noUi-handle, input, select, [contenteditable]");
      for (const input of inputs) {
        if (input.getAttribute("aria-label") !== name) input.setAttribute("aria-label", name);
        if (input.tagName === "INPUT")
          input.setAttribute("aria-invalid", wrong.includes(css) ? "true" : "false");
        if (css in texts && input.getAttribute("role") === "slider")
          input.setAttribute("aria-valuetext", texts[css]);
      }
    }
  }
}

function mount(el, value, tell) {
  let now = value, lab = null, watch = null, life = null;
  const stored = hidden => {
    for (const node of document.querySelectorAll(`[data-ied-stored="${now.stored}"]`))
      node.style.display = hidden ? "none" : "";
  };
  const theme = () => lab?.classList.toggle("ied-dark", isDark());
  const offTheme = onTheme(theme);
  // A restarted kernel leaves the page as it was, with buttons that do nothing: say so.
  const alone = () => {
    const gone = lab.classList.contains("jupyter-widgets-disconnected");
    let said = lab.querySelector(":scope > .ied-gone");
    if (gone && !said) {
      said = document.createElement("div");
      said.className = "ied-gone";
      said.setAttribute("role", "alert");
      said.textContent = "The kernel was restarted, so this lab is only a picture now and a run "
        + "that was under way is lost. Run the cell again to bring the lab back.";
      lab.prepend(said);
    } else if (!gone) said?.remove();
  };
  const tick = requestAnimationFrame(() => {
    lab = el.closest(".ied-lab");
    if (!lab) return;
    keepKeys(el);
    theme();
    stored(true);
    const again = () => nameAll(lab, now);
    watch = new MutationObserver(again);    // sliders are made a moment after the lab is
    watch.observe(lab, { childList: true, subtree: true });
    again();
    life = new MutationObserver(alone);
    life.observe(lab, { attributes: true, attributeFilter: ["class"] });
    alone();
  });
  return {
    update: next => { now = next; if (lab) nameAll(lab, now); },
    remove: () => { cancelAnimationFrame(tick); watch?.disconnect(); life?.disconnect(); offTheme(); stored(false); },
  };
}
