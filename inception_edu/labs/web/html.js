// needs: keys.js
// HTML that changes in place. A new text for a whole element makes the browser lay out and paint
// everything anew, and JupyterLab's page with it: here only what differs is touched.
function patch(here, next) {
  const old = [...here.childNodes];
  [...next.childNodes].forEach((node, i) => {
    const was = old[i];
    if (!was) here.append(node);
    else if (was.nodeName !== node.nodeName) was.replaceWith(node);
    else if (node.nodeType === Node.TEXT_NODE) {
      if (was.data !== node.data) was.data = node.data;
    } else if (!was.isEqualNode(node)) {
      for (const { name } of [...was.attributes])
        if (!node.hasAttribute(name)) was.removeAttribute(name);
      for (const { name, value } of node.attributes)
        if (was.getAttribute(name) !== value) was.setAttribute(name, value);
      patch(was, node);
    }
    old[i] = null;
  });
  old.forEach(node => node?.remove());
}

function mount(el, value, tell) {
  const show = html => {
    const next = document.createElement("template");
    next.innerHTML = html;
    patch(el, next.content);
  };
  // A press on anything that carries data-tell="…" is told to the lab.
  const press = event => {
    const said = event.target.closest?.("[data-tell]");
    if (said && el.contains(said)) tell(said.dataset.tell);
  };
  el.addEventListener("click", press);
  show(value);
  keepKeys(el);
  return { update: show, remove: () => el.removeEventListener("click", press) };
}
