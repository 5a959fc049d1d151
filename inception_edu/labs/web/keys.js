// In JupyterLab and Notebook plain keys walk through the cells or change them: inside a lab they
// belong to its lists, sliders and buttons.
const isPlain = event =>
  !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey && event.key !== "Escape";
const keep = event => { if (isPlain(event)) event.stopPropagation(); };
const keepKeys = el => requestAnimationFrame(
  () => el.closest(".ied-lab")?.addEventListener("keydown", keep));
// Notebook 7 takes keys before they reach the lab, but for those of an element with this attribute.
if (!window.iedKeys) {
  window.iedKeys = true;
  window.addEventListener("keydown", event => {
    if (event.target.closest?.(".ied-lab"))
      event.target.toggleAttribute("data-lm-suppress-shortcuts", isPlain(event));
  }, true);
}
