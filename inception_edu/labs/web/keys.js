// In JupyterLab plain keys walk through the cells or change them: inside a lab they belong to its
// lists and buttons.
const keep = event => {
  if (!event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey && event.key !== "Escape")
    event.stopPropagation();
};
const keepKeys = el => requestAnimationFrame(
  () => el.closest(".ied-lab")?.addEventListener("keydown", keep));
