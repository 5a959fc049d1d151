// Labs in a web page without Jupyter: draws what a lab renders (JSON from labs/in_page.py) and
// sends what the reader does. A place for a lab is
//
//   <div class="ied-page-lab" data-lab="shape_explorer" data-settings="{…}" data-arguments="[…]">
//
// Nothing is loaded before the first press on "Use this lab here"; Python is loaded once a page.

const here = new URL(".", import.meta.url);
let python = null;

async function load() {
  const { loadPyodide } = await import(new URL("pyodide/pyodide.mjs", here));
  const pyodide = await loadPyodide({ indexURL: new URL("pyodide/", here).href });
  const files = await fetch(new URL("inception_edu.zip", here));
  if (!files.ok) throw Error(`inception_edu.zip: ${files.status}`);
  pyodide.unpackArchive(await files.arrayBuffer(), "zip", { extractDir: "/lab" });
  pyodide.runPython("import sys; sys.path.insert(0, '/lab')");
  return pyodide.pyimport("inception_edu.labs.in_page");
}

const make = (tag, css, text = "") => {
  const node = document.createElement(tag);
  if (css) node.className = css;
  if (text) node.textContent = text;
  return node;
};
const classOf = key => "ied-" + key.replaceAll("_", "-");

// ---- controls ------------------------------------------------------------------------------------

// One control: its box, and `show(control)` that sets it.
function controlBox(first, send) {
  if (first.kind === "button") return button(first, send);
  const box = make("div", `ied-control ied-control-${first.key.replaceAll("_", "-")}`);
  const label = make("label", "ied-label", first.label);
  const strip = make("div", "ied-strip"), note = make("div", "ied-note");
  const set = value => send("set", first.key, value);
  const parts = { slider, steps: slider, list, pick, check, text }[first.kind](first, set);
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
  typed.addEventListener("change", () => typed.value !== now.text && set(typed.value));
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
  return { nodes: [node], show: control => { if (!control.wrong) node.value = control.value; } };
}

// ---- parts, layout, a lab ------------------------------------------------------------------------

async function partBox(first, tell) {
  const node = make("div", `ied-part ${classOf(first.key)}`);
  const { mount } = await import(new URL(`labs/${first.kind}.mjs`, here));
  const look = new URL(`labs/${first.kind}.css`, here).href;
  if (!document.querySelector(`link[href="${look}"]`)) {
    const link = make("link");
    link.rel = "stylesheet";
    link.href = look;
    document.head.append(link);
  }
  let component = null, value = null;
  const show = part => {
    node.hidden = part.hidden;
    const next = JSON.stringify(part.value);
    if (next === value) return;
    value = next;
    if (component) component.update(part.value);
    else component = mount(node, part.value, tell);
  };
  return { node, show };
}

function arrange(item, nodes) {
  if (typeof item === "string") return nodes.get(item);
  const group = make("div", item.row ? "ied-row" : "ied-column");
  if (item.width) group.style.width = item.width;
  group.append(...item.items.map(child => arrange(child, nodes)));
  return group;
}

async function open(place) {
  const { lab: name, settings, arguments: given } = place.dataset;
  const lab = python.open_lab(name, settings, given, location.hash.slice(1));
  const view = JSON.parse(lab.view());
  const boxes = new Map(), nodes = new Map(), status = make("div", "ied-status");
  const send = (kind, key, value = null) => draw(lab.send(kind, key, JSON.stringify(value)));
  for (const control of view.controls) boxes.set(control.key, controlBox(control, send));
  for (const part of view.parts)
    boxes.set(part.key, await partBox(part, said => send("tell", part.key, said)));
  for (const [key, box] of boxes) nodes.set(key, box.node);
  nodes.set("status", status);
  status.setAttribute("aria-live", "polite");
  const body = make("div", `ied-lab ied-${lab.name}`);
  body.setAttribute("role", "group");
  body.setAttribute("aria-label", lab.title);
  body.append(arrange(view.layout, nodes));
  place.replaceChildren(body);
  if (lab.link()) body.append(linkButton(lab));
  const show = next => {
    for (const item of [...next.controls, ...next.parts]) boxes.get(item.key).show(item);
    status.textContent = next.status;
    status.setAttribute("role", next.alert ? "alert" : "status");
  };
  const draw = json => show(JSON.parse(json));
  show(view);
  const theme = () =>
    body.classList.toggle("ied-dark", document.documentElement.dataset.theme === "dark");
  new MutationObserver(theme).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  theme();
}

// The page's address with the lab's settings behind it, to keep or to send.
function linkButton(lab) {
  const box = make("div"), button = make("button", "ied-button", "copy link");
  const said = make("span", "ied-said");
  said.setAttribute("role", "status");
  button.type = "button";
  button.addEventListener("click", () => {
    location.hash = lab.link();
    navigator.clipboard?.writeText(location.href).then(
      () => { said.textContent = " copied"; },
      () => { said.textContent = " it is this page's address now"; });
  });
  box.append(button, said);
  return box;
}

function offer(place) {
  const start = make("button", "ied-button ied-primary", "Use this lab here");
  const words = make("span", "ied-said", " Python comes into the page once: 13 MB, some seconds.");
  words.setAttribute("aria-live", "polite");
  start.type = "button";
  start.addEventListener("click", async () => {
    start.disabled = true;
    words.textContent = " Python is on its way …";
    try {
      python = await (python ?? load());
      await open(place);
    } catch (error) {
      python = null;
      start.disabled = false;
      words.textContent = ` This did not work (${error.message}). Press again, or reload the page.`;
    }
  });
  place.append(start, words);
  if (location.hash.startsWith(`#${place.dataset.lab}?`)) {
    start.textContent = "Use this lab here, as the link has it";
    place.scrollIntoView();
  }
}

document.querySelectorAll(".ied-page-lab").forEach(offer);
