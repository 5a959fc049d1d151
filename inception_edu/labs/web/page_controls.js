// The controls of a lab as plain elements of a web page.

const make = (tag, css, text = "") => {
  const node = document.createElement(tag);
  if (css) node.className = css;
  if (text) node.textContent = text;
  return node;
};
const classOf = key => "ied-" + key.replaceAll("_", "-");

// One control: its box, and `show(control)` that sets it.
function controlBox(first, send) {
  if (first.kind === "button") return button(first, send);
  const box = make("div", `ied-control ied-control-${first.key.replaceAll("_", "-")}`);
  const label = make("label", "ied-label", first.label);
  const strip = make("div", "ied-strip"), note = make("div", "ied-note");
  const set = value => send("set", first.key, value);
  const kinds = { slider, steps: slider, whole: text, list, pick, check, text };
  const parts = kinds[first.kind](first, set);
  const main = parts.nodes[0];
  main.id = `ied-${Math.random().toString(36).slice(2)}`;
  if (first.kind !== "pick") label.htmlFor = main.id;
  if (first.kind === "check") box.append(...parts.nodes, label);
  else box.append(label, ...parts.nodes);
  box.append(strip, note);
  const show = control => {
    box.hidden = control.hidden;
    parts.show(control);
    for (const node of parts.nodes) {
      node.disabled = control.disabled;
      node.setAttribute("aria-invalid", control.wrong);
    }
    if (label.textContent !== control.label) label.textContent = control.label;
    if (strip.innerHTML !== control.strip) strip.innerHTML = control.strip;
    note.textContent = control.note;
    note.classList.toggle("ied-wrong", control.wrong);
  };
  return { node: box, show };
}

function button(first, send) {
  const node = make("button", `ied-button ${classOf(first.key)}`);
  node.type = "button";
  node.addEventListener("click", () => send("press", first.key));
  const show = control => {
    node.textContent = control.label;
    node.title = control.tip;
    node.disabled = control.disabled;
    node.hidden = control.hidden;
    node.classList.toggle("ied-primary", control.look === "primary");
  };
  return { node, show };
}

// A slider with a field in which its value can be typed; "steps" runs over words.
function slider(first, set) {
  const range = make("input"), typed = make("input", "ied-typed");
  const words = first.kind === "steps";
  let now = first;
  range.type = "range";
  typed.type = "text";
  range.setAttribute("aria-label", first.said);
  typed.setAttribute("aria-label", `${first.said}, typed`);
  range.addEventListener("input", () =>
    set(words ? now.choices[range.valueAsNumber] : range.valueAsNumber));
  typed.addEventListener("change", () =>
    (now.wrong || typed.value !== now.text) && set(typed.value));
  const show = control => {
    now = control;
    if (words) [range.min, range.max, range.step] = [0, control.choices.length - 1, 1];
    else [range.min, range.max, range.step] = [control.low, control.high, control.step];
    range.setAttribute("aria-valuetext", control.text + control.unit);
    if (control.wrong) return;
    range.value = words ? control.choices.indexOf(control.text) : control.value;
    typed.value = control.text;
  };
  return { nodes: [range, typed], show };
}

function list(first, set) {
  const node = make("select");
  let shown = "";
  node.setAttribute("aria-label", first.said);
  node.addEventListener("change", () => set(node.value));
  const show = control => {
    const now = JSON.stringify(control.choices);
    if (now !== shown) node.replaceChildren(...control.choices.map(words => new Option(words)));
    shown = now;
    if (!control.wrong) node.value = control.text;
  };
  return { nodes: [node], show };
}

function pick(first, set) {
  const group = make("div", "ied-pick");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", first.said);
  const show = control => {
    while (group.children.length > control.choices.length) group.lastChild.remove();
    control.choices.forEach((words, i) => {
      let node = group.children[i];
      if (!node) {
        node = make("button", "ied-button");
        node.type = "button";
        node.addEventListener("click", () => set(node.textContent));
        group.append(node);
      }
      node.textContent = words;
      node.disabled = control.disabled;
      node.setAttribute("aria-pressed", words === control.text);
    });
  };
  return { nodes: [group], show };
}

function check(first, set) {
  const node = make("input");
  node.type = "checkbox";
  node.addEventListener("change", () => set(node.checked));
  return { nodes: [node], show: control => { node.checked = control.value; } };
}

function text(first, set) {
  const node = make("input");
  node.type = "text";
  node.setAttribute("aria-label", first.said);
  node.addEventListener("change", () => set(node.value));
  return { nodes: [node], show: control => { if (!control.wrong) node.value = control.text; } };
}
