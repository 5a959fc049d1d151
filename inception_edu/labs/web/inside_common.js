// What the three pieces of the lab of a network's inside share: maps as pixels, and word of the
// place that is pointed at.

// base64 of int8 → Int8Array
function unpack(text) {
  const bytes = atob(text), values = new Int8Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) values[i] = bytes.charCodeAt(i);
  return values;
}

// cividis, which readers with any kind of colour vision read alike; below 0 it turns to orange.
const CIVIDIS = [[0, 34, 78], [18, 53, 112], [59, 73, 108], [87, 93, 109], [112, 113, 115],
  [138, 134, 120], [166, 157, 117], [197, 182, 104], [228, 207, 81], [254, 232, 56]];
const BELOW = [[0, 34, 78], [110, 50, 60], [214, 94, 30], [255, 158, 100]];

function between(stops, share) {
  const at = Math.min(share, 1) * (stops.length - 1), i = Math.min(Math.floor(at), stops.length - 2);
  return stops[i].map((c, k) => c + (at - i) * (stops[i + 1][k] - c));
}
const shadeOf = q => [...between(q < 0 ? BELOW : CIVIDIS, Math.abs(q) / 127), 255];

// Colours that lie over a picture: alpha grows with the value.
const over = (above, below, most) => q => [...(q < 0 ? below : above), most * Math.abs(q) / 127];
const ORANGE = [230, 97, 0], BLUE = [30, 136, 255];
const MAP_OVER = over(ORANGE, BLUE, 235), WHY_OVER = over(BLUE, ORANGE, 200);
const SHADE_OVER = over(ORANGE, ORANGE, 235);

// The 256 colours of a function of int8, each computed once: a block has some 20,000 pixels.
const TABLES = new Map();
function tableOf(colour) {
  if (!TABLES.has(colour)) {
    const table = new Uint32Array(256), bytes = new Uint8ClampedArray(table.buffer);
    for (let q = -128; q < 128; q++) bytes.set(colour(q), 4 * (q & 255));
    TABLES.set(colour, table);
  }
  return TABLES.get(colour);
}

function paint(canvas, map, colour) {
  const values = unpack(map.q), table = tableOf(colour);
  canvas.width = map.w;
  canvas.height = map.h;
  const context = canvas.getContext("2d"), image = context.createImageData(map.w, map.h);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < values.length; i++) pixels[i] = table[values[i] & 255];
  context.putImageData(image, 0, 0);
}

// One element: make("button", { class: "x", text: "…", onclick: f }, child, …)
function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter(child => child != null));
  return node;
}

// The pieces stand side by side in one lab and tell one another what is pointed at.
const labOf = el => el.closest(".ied-lab") || document.body;
const tellLab = (el, name, detail) => labOf(el).dispatchEvent(new CustomEvent(name, { detail }));
function hearLab(el, name, act) {
  let lab = null;
  const hear = event => act(event.detail);
  const tick = requestAnimationFrame(() => { lab = labOf(el); lab.addEventListener(name, hear); });
  return () => { cancelAnimationFrame(tick); lab?.removeEventListener(name, hear); };
}

// Points go to the kernel one at a time: the next when the last was answered, and only the newest.
function pointing(el, tell) {
  let waiting = null, timer = 0;
  const answered = () => {
    clearTimeout(timer);
    timer = 0;
    if (waiting) { const next = waiting; waiting = null; send(next); }
  };
  const send = point => {
    tell({ point });
    timer = setTimeout(answered, 1500);
  };
  const stopHearing = hearLab(el, "ied-answered", answered);
  return {
    at(point, windows) {
      tellLab(el, "ied-point", { point, windows });
      if (timer) waiting = point; else send(point);
    },
    remove: () => { clearTimeout(timer); stopHearing(); },
  };
}

// Makes a box with a map in it readable: by the pointer, and by arrow keys while it has the focus.
// `value()` gives { h, w, q }; `act(y, x)` is told the place.
function readable(node, value, act) {
  let place = null;
  const go = (y, x) => {
    const { h, w } = value();
    place = [Math.max(0, Math.min(h - 1, y)), Math.max(0, Math.min(w - 1, x))];
    act(...place);
  };
  const strongest = () => {
    const { q, w } = value(), values = unpack(q);
    let best = 0;
    values.forEach((v, i) => { if (Math.abs(v) > Math.abs(values[best])) best = i; });
    return [Math.floor(best / w), best % w];
  };
  node.addEventListener("pointermove", event => {
    const box = node.getBoundingClientRect(), { h, w } = value();
    const y = Math.floor((event.clientY - box.top) / box.height * h);
    const x = Math.floor((event.clientX - box.left) / box.width * w);
    if (!place || place[0] !== y || place[1] !== x) go(y, x);
  });
  node.addEventListener("focus", () => { if (node.matches(":focus-visible")) go(...strongest()); });
  node.addEventListener("keydown", event => {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    const [y, x] = place || strongest();
    go(y + step[0], x + step[1]);
  });
}

// Draws anew and leaves the focus where it was: on the element with the same data-key.
function redraw(el, nodes) {
  const key = el.contains(document.activeElement) && document.activeElement.dataset.key;
  const top = el.querySelector(".ied-scroll")?.scrollTop;
  el.replaceChildren(...nodes.filter(node => node != null));
  if (top) el.querySelector(".ied-scroll").scrollTop = top;
  if (key) el.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

// "1.2", "0.034", "−3.1"
function words(value) {
  const size = Math.abs(value);
  const text = size >= 100 ? size.toFixed(0) : size === 0 ? "0" : String(+size.toPrecision(2));
  return (value < 0 ? "−" : "") + text;
}
const percent = share => `${Math.round(100 * share)} %`;
