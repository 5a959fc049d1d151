"""What a lab does in the page itself: text and pictures that change in place, and keys that stay
inside the lab.

chart = changing()        an `ipywidgets.HTML` to all who use it: set its `value`
"""

from __future__ import annotations

from functools import lru_cache

import ipywidgets as widgets

from inception_edu.labs.live import pick_mode

# In JupyterLab plain keys walk through the cells or change them: inside a lab they belong to its
# lists and buttons.
KEEP_KEYS = """
const keep = event => {
  if (!event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey && event.key !== "Escape")
    event.stopPropagation();
};
const keepKeys = el => requestAnimationFrame(() => el.closest(".ied-lab")?.addEventListener("keydown", keep));
"""

# A new text for the whole element makes the browser lay out and paint everything anew, and
# JupyterLab's page with it. Here only what differs is touched: most of the time the points of a few
# lines and some numbers.
_ESM = (
    KEEP_KEYS
    + """
function patch(here, next) {
  const old = [...here.childNodes];
  [...next.childNodes].forEach((node, i) => {
    const was = old[i];
    if (!was) here.append(node);
    else if (was.nodeName !== node.nodeName) was.replaceWith(node);
    else if (node.nodeType === Node.TEXT_NODE) { if (was.data !== node.data) was.data = node.data; }
    else if (!was.isEqualNode(node)) {
      for (const { name } of [...was.attributes]) if (!node.hasAttribute(name)) was.removeAttribute(name);
      for (const { name, value } of node.attributes)
        if (was.getAttribute(name) !== value) was.setAttribute(name, value);
      patch(was, node);
    }
    old[i] = null;
  });
  old.forEach(node => node?.remove());
}
function render({ model, el }) {
  const show = () => {
    const next = document.createElement("template");
    next.innerHTML = model.get("value");
    patch(el, next.content);
  };
  model.on("change:value", show);
  show();
  keepKeys(el);
  return () => model.off("change:value", show);
}
export default { render };
"""
)


@lru_cache(maxsize=1)
def _class():
    """The widget's class, or None where anywidget is missing."""
    try:
        import anywidget
        import traitlets
    except ImportError:
        return None

    class Changing(anywidget.AnyWidget):
        """HTML that is changed where it differs. Plain keys pressed in its lab do not reach the
        notebook."""

        _esm = _ESM
        value = traitlets.Unicode().tag(sync=True)

    return Changing


def changing(mode: str = "auto", **layout: str) -> widgets.DOMWidget:
    """A widget that shows its `value`, HTML, and takes little of the browser's time when that
    changes.

    `mode` as in `live.pick_mode`: in the foreground (Colab), and without anywidget, it is an
    `ipywidgets.HTML`.
    """
    kind = _class() if pick_mode(mode) == "background" else None
    return (kind or widgets.HTML)(layout=widgets.Layout(**layout))
