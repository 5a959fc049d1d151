// Ties a component, mount(el, value, tell) → { update(value), remove() }, to a notebook's widget.
export default {
  render({ model, el }) {
    const part = mount(el, model.get("value"), said => model.send({ tell: said }));
    const changed = () => part.update(model.get("value"));
    model.on("change:value", changed);
    return () => { model.off("change:value", changed); part.remove(); };
  },
};
