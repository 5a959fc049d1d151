// A convolution that moves: a picture, the window on it, the products under the window, the output.
//
// Upper half: pure functions (a state, `update(state, event)`, arithmetic, words). Lower half: the
// page, `mount(el, value, tell)`. Nothing here waits for a kernel.
//
// value: { settings: what is chosen, turn: a number that grows when Python chose it }
// tells: { settings }

export const LONGEST = 35; // pixels a side
export const KERNELS = [
  [1, 1], [2, 2], [3, 3], [4, 4], [5, 5], [6, 6], [7, 7], [1, 3], [3, 1], [1, 7], [7, 1],
];
export const PADDINGS = { valid: "V: valid", same: "same", 1: "1 zero", 2: "2 zeros", 3: "3 zeros" };
export const PICTURES = { disc: "a disc", stripes: "stripes", point: "one bright pixel" };
export const WEIGHTS = {
  across: "edges across", down: "edges down", ones: "all ones", centre: "centre alone",
};
export const MIXES = { sum: "R + G + B", red: "R alone", opposed: "R − G" };
// What stands beside the window in a block: kernel, stride, zeros on each side.
export const PARTNERS = {
  "nothing": null,
  "1×1, stride 1": [1, 1, 0],
  "3×3, stride 1, padding 1": [3, 1, 1],
  "3×3 pool, stride 2, V": [3, 2, 0],
};
export const FIRST = {
  size: 12, kernel: [3, 3], stride: 1, padding: "valid", beside: "nothing", channels: 1,
  picture: "disc", weights: "across", mix: "sum", own: null, place: 0, cursor: null,
};

// --- Arithmetic -----------------------------------------------------------------------------------

/** At how many places a window of k pixels stops that moves by s over n pixels, p zeros each side. */
export function outputs(n, k, s, p) {
  const room = n + 2 * p - k;
  return room < 0 ? 0 : Math.floor(room / s) + 1;
}

/** For every pixel of one axis the number of windows that read it. */
export function readers(n, k, s, p) {
  const count = Array(n).fill(0);
  for (let place = 0; place < outputs(n, k, s, p); place++) {
    const first = place * s - p;
    for (let i = Math.max(first, 0); i < Math.min(first + k, n); i++) count[i]++;
  }
  return count;
}

/** Pixels at the far end that no window reaches. */
export function unread(n, k, s, p) {
  const read = readers(n, k, s, p);
  let lost = 0;
  while (lost < n && read[n - 1 - lost] === 0) lost++;
  return lost;
}

/** Zeros on each side, [above and below, left and right]. */
export function zeros(state) {
  if (state.padding === "valid") return [0, 0];
  if (state.padding === "same") return state.kernel.map(k => Math.floor((k - 1) / 2));
  return [Number(state.padding), Number(state.padding)];
}

/** [rows, columns] of the output. */
export function outputSize(state) {
  return zeros(state).map((p, axis) => outputs(state.size, state.kernel[axis], state.stride, p));
}

/** The picture: channels × n × n whole numbers from 0 (black) to 9 (white). */
export function picture(kind, n, channels) {
  const half = (n - 1) / 2;
  const shade = (c, i, j) => {
    if (kind === "point") return i === Math.floor(half) && j === Math.floor(half) ? 9 - 3 * c : 0;
    if (kind === "stripes") return (c === 1 ? i : j) % 4 < 2 ? 8 - 2 * c : 1;
    const shift = channels > 1 ? (c - 1) * n * 0.12 : 0; // the discs of the colours overlap
    const away = Math.hypot(i - half, j - half - shift) / Math.max(n, 2);
    return Math.round(9 * Math.min(1, Math.max(0, (0.42 - away) * 8)));
  };
  return Array.from({ length: channels }, (_, c) =>
    Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => shade(c, i, j))));
}

/** The weights: channels × height × width whole numbers. */
export function kernelWeights(state) {
  if (state.own) return state.own;
  const [h, w] = state.kernel;
  const side = (k, i) => Math.sign(2 * i - (k - 1)); // −1 in the first half, 1 in the second
  const at = (i, j) => {
    if (state.weights === "ones") return 1;
    if (state.weights === "centre") return i === (h >> 1) && j === (w >> 1) ? 1 : 0;
    const [long, here] = state.weights === "across" ? [w, side(w, j)] : [h, side(h, i)];
    return long === 1 ? 1 : here; // a kernel of one pixel has no two sides
  };
  const mix = { sum: [1, 1, 1], red: [1, 0, 0], opposed: [1, -1, 0] }[state.mix];
  return Array.from({ length: state.channels }, (_, c) =>
    Array.from({ length: h }, (_, i) =>
      Array.from({ length: w }, (_, j) => at(i, j) * (state.channels > 1 ? mix[c] : 1) + 0)));
}

/** What lies under the window at output (row, column): pixels, weights, products, their sum. */
export function under(image, weights, stride, [ph, pw], [row, column]) {
  const pixels = weights.map((plane, c) => plane.map((line, i) => line.map((_, j) => {
    const y = row * stride - ph + i, x = column * stride - pw + j;
    return image[c][y]?.[x] ?? 0; // a zero of the padding
  })));
  const products = weights.map((plane, c) =>
    plane.map((line, i) => line.map((weight, j) => weight * pixels[c][i][j] + 0)));
  return { pixels, weights, products, sum: products.flat(2).reduce((a, b) => a + b, 0) };
}

/** The whole output, rows × columns. */
export function convolve(state) {
  const image = picture(state.picture, state.size, state.channels);
  const weights = kernelWeights(state), pads = zeros(state), [rows, columns] = outputSize(state);
  return Array.from({ length: rows }, (_, i) => Array.from({ length: columns }, (_, j) =>
    under(image, weights, state.stride, pads, [i, j]).sum));
}

/** The outputs, as [row, column], whose window covers the pixel at [y, x]. */
export function readersOf(state, [y, x]) {
  const [ph, pw] = zeros(state), [rows, columns] = outputSize(state), [h, w] = state.kernel;
  const covers = (place, p, k, pixel) => {
    const first = place * state.stride - p;
    return first <= pixel && pixel < first + k;
  };
  const found = [];
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++)
      if (covers(i, ph, h, y) && covers(j, pw, w, x)) found.push([i, j]);
  return found;
}

// --- State ----------------------------------------------------------------------------------------

/** [row, column] of the place at which the window stands; null where it fits nowhere. */
export function placeOf(state) {
  const [rows, columns] = outputSize(state);
  if (!rows || !columns) return null;
  return [Math.floor(state.place / columns), state.place % columns];
}

function settled(state) {
  const [rows, columns] = outputSize(state);
  const place = Math.min(Math.max(state.place, 0), Math.max(rows * columns - 1, 0));
  const inside = state.cursor && state.cursor.every(i => i >= 0 && i < state.size);
  return { ...state, place, cursor: inside ? state.cursor : null };
}

/** The state with its window where the picture has something to show. */
function begun(state) {
  const [rows, columns] = outputSize(state);
  return settled({ ...state, place: Math.floor(rows / 3) * columns + Math.floor(columns / 5) });
}

/** The state after an event: {set: {…}}, {place: [row, column]}, {step: ±1}, {pixel: [y, x] or null}
 *  or {weight: [channel, row, column], by: ±1}. */
export function update(state, event) {
  if (event.set) {
    const next = { ...state, ...event.set };
    const reshaped = ["kernel", "channels", "weights", "mix"].some(key => key in event.set);
    if (reshaped && !("own" in event.set)) next.own = null;
    if ("channels" in event.set || "size" in event.set) next.cursor = null;
    return settled(next);
  }
  if (event.place) {
    const [rows, columns] = outputSize(state);
    if (!rows || !columns) return state;
    const [row, column] = [Math.min(Math.max(event.place[0], 0), rows - 1),
      Math.min(Math.max(event.place[1], 0), columns - 1)];
    return { ...state, place: row * columns + column };
  }
  if (event.step) {
    const [rows, columns] = outputSize(state), all = rows * columns;
    return all ? { ...state, place: (state.place + event.step + all) % all } : state;
  }
  if ("pixel" in event) return settled({ ...state, cursor: event.pixel });
  if (event.weight) {
    const own = structuredClone(kernelWeights(state)), [c, i, j] = event.weight;
    own[c][i][j] = (own[c][i][j] + event.by + 3 + 7) % 7 - 3; // −3 to 3, then round again
    return { ...state, own };
  }
  return state;
}

// --- Words ----------------------------------------------------------------------------------------

/** The arithmetic of both axes with the numbers in it. */
export function formula(state) {
  const line = (k, p) => `⌊(${state.size} + 2·${p} − ${k}) / ${state.stride}⌋ + 1 = `
    + outputs(state.size, k, state.stride, p);
  const [h, w] = state.kernel, [ph, pw] = zeros(state);
  return h === w ? line(h, ph) : `height ${line(h, ph)}, width ${line(w, pw)}`;
}

/** The settings in the figures' words, and whether the result can be joined with what is beside. */
export function verdict(state) {
  const [h, w] = state.kernel, [ph, pw] = zeros(state), [rows, columns] = outputSize(state);
  if (state.padding === "same" && (h % 2 === 0 || w % 2 === 0))
    return { text: `"same" needs an odd kernel: a window of ${h}×${w} has no middle pixel.`, alert: true };
  if (!rows || !columns)
    return {
      text: `A window of ${h}×${w} does not fit into ${state.size}×${state.size} pixels with `
        + `${Math.max(ph, pw)} of padding: there is no output.`, alert: true,
    };
  const same = state.kernel.map(k => (k - 1) / 2);
  let kind = `neither V nor same; same would be ${same[0] === same[1] ? same[0] : same.join(" and ")}`;
  if (ph === 0 && pw === 0) kind = "V: valid, no padding";
  else if (ph === same[0] && pw === same[1]) kind = "same: the window's centre starts on the first pixel";
  else if (same.some(p => p % 1)) kind = "neither V nor same; same needs an odd kernel";
  let text = `${formula(state)} (${kind}).`;
  if (h === 1 && w === 1 && state.channels === 1)
    text += " A 1×1 sees one pixel: with 3 channels it mixes them.";
  const nobody = nobodyReads(state), all = state.size ** 2;
  if (nobody) text += ` ${nobody} of ${all} pixels are read by nobody.`;
  const partner = PARTNERS[state.beside];
  if (!partner) return { text, alert: false };
  const other = outputs(state.size, ...partner), fits = other === rows && other === columns;
  const mine = rows === columns ? `${rows}` : `${rows}×${columns}`;
  text += fits
    ? ` The branch beside it gives ${other} too: the two can be concatenated.`
    : ` The branch beside it gives ${other}, this one ${mine}: the concatenation breaks.`;
  return { text, alert: !fits };
}

/** Pixels of the picture that no window covers. */
export function nobodyReads(state) {
  const [a, b] = zeros(state).map((p, axis) =>
    readers(state.size, state.kernel[axis], state.stride, p).filter(r => r > 0).length);
  return state.size ** 2 - a * b;
}

const signed = n => (n < 0 ? `−${-n}` : `${n}`);

/** The sum at the window's place, written out where it is short. */
export function sumWords(state) {
  const place = placeOf(state);
  if (!place) return "";
  const image = picture(state.picture, state.size, state.channels);
  const { products, sum } = under(image, kernelWeights(state), state.stride, zeros(state), place);
  const terms = products.flat(2).length <= 9
    ? products.flat(2)
    : state.channels > 1 ? products.map(p => p.flat().reduce((a, b) => a + b, 0))
      : products[0].map(line => line.reduce((a, b) => a + b, 0));
  const each = products.flat(2).length <= 9 ? "" : state.channels > 1 ? "by channel: " : "by row: ";
  const written = terms.map((t, i) => (i ? (t < 0 ? ` − ${-t}` : ` + ${t}`) : signed(t))).join("");
  return `Row ${place[0] + 1}, column ${place[1] + 1}: ${each}${written} = ${signed(sum)}`;
}

// --- The page -------------------------------------------------------------------------------------

const AREA = 296, PANEL = 264; // sides of the drawings, in pixels

const rect = (x, y, w, h, extra = "") =>
  `<rect x="${x}" y="${y}" width="${w}" height="${h}" ${extra}/>`;
const words = (x, y, size, text, extra = "") =>
  `<text x="${x}" y="${y + size * 0.36}" font-size="${size}" text-anchor="middle" ${extra}>${text}</text>`;

function shade(value, channel) {
  const light = Math.round([14, 34, 52, 70, 92, 150, 176, 200, 224, 250][value]);
  const low = Math.round(light * 0.42);
  return channel === null ? `rgb(${light},${light},${light})`
    : `rgb(${[0, 1, 2].map(c => (c === channel ? light : low)).join()})`;
}

function diverging(value, most) {
  const share = most ? Math.abs(value) / most : 0;
  const [r, g, b] = value < 0 ? [230, 120, 40] : [60, 140, 210];
  return `rgb(${[r, g, b].map(c => Math.round(255 - (255 - c) * share * 0.9)).join()})`;
}

/** Where the planes of the input stand: their cell's side and their left upper corners. */
function inputPlan(state) {
  const [ph, pw] = zeros(state), area = state.channels > 1 ? AREA / 2 - 4 : AREA;
  const rows = state.size + 2 * ph, columns = state.size + 2 * pw;
  const cell = Math.min(area / rows, area / columns, 34);
  const corner = c => (state.channels > 1
    ? [(c % 2) * (area + 8) + (area - cell * columns) / 2, (c >> 1) * (area + 8) + (area - cell * rows) / 2]
    : [(area - cell * columns) / 2, (area - cell * rows) / 2]);
  return { cell, rows, columns, corners: Array.from({ length: state.channels > 1 ? 4 : 1 }, (_, c) => corner(c)) };
}

function outputPlan(state) {
  const [rows, columns] = outputSize(state);
  const cell = Math.min(AREA / Math.max(rows, 1), AREA / Math.max(columns, 1), 34);
  return { cell, rows, columns, corner: [(AREA - cell * columns) / 2, (AREA - cell * rows) / 2] };
}

function inputSvg(state) {
  const { cell, rows, columns, corners } = inputPlan(state), [ph, pw] = zeros(state), out = [];
  const image = picture(state.picture, state.size, state.channels);
  const read = [0, 1].map(axis => readers(state.size, state.kernel[axis], state.stride, zeros(state)[axis]));
  corners.forEach(([left, top], c) => {
    const mixed = state.channels > 1 && c === 3;
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) {
      const y = i - ph, x = j - pw, at = [left + j * cell, top + i * cell];
      const value = image[mixed ? 0 : c][y]?.[x];
      if (value === undefined) {
        if (mixed) continue;
        out.push(rect(at[0] + 0.5, at[1] + 0.5, cell - 1, cell - 1, 'class="zero"'));
        if (cell >= 15) out.push(words(at[0] + cell / 2, at[1] + cell / 2, Math.min(cell * 0.45, 12), 0, 'class="zero"'));
        continue;
      }
      const fill = mixed
        ? `rgb(${[0, 1, 2].map(k => 28 * image[k][y][x]).join()})`
        : shade(value, state.channels > 1 ? c : null);
      out.push(rect(at[0], at[1], cell - 0.6, cell - 0.6, `fill="${fill}"`));
      if (cell >= 15 && !mixed) out.push(words(at[0] + cell / 2, at[1] + cell / 2, Math.min(cell * 0.45, 12), value,
        `fill="${value > 4 ? "#000" : "#fff"}"`));
      if (!mixed && (!read[0][y] || !read[1][x]))
        out.push(`<path class="unread" d="M${at[0] + 1} ${at[1] + 1}l${cell - 2.6} ${cell - 2.6}m0 ${2.6 - cell}l${2.6 - cell} ${cell - 2.6}"/>`);
    }
  });
  return out.join("") + '<g class="over"></g>';
}

function outputSvg(state, map) {
  const { cell, corner: [left, top] } = outputPlan(state), out = [];
  const most = Math.max(1, ...map.flat().map(Math.abs));
  map.forEach((line, i) => line.forEach((value, j) => {
    const at = [left + j * cell, top + i * cell];
    out.push(`<g class="out" data-n="${i * line.length + j}">`
      + rect(at[0], at[1], cell - 0.6, cell - 0.6, `fill="${diverging(value, most)}"`)
      + (cell >= 17 ? words(at[0] + cell / 2, at[1] + cell / 2, Math.min(cell * 0.42, 12), signed(value), 'fill="#111"') : "")
      + "</g>");
  }));
  return out.join("") + '<g class="over"></g>';
}

/** Three small grids a channel: pixels × weights = products. Side by side, or one above the other. */
function panelPlan(state) {
  const [h, w] = state.kernel, c = state.channels, gap = 14, head = 18;
  const beside = Math.min((PANEL - 2 * gap) / (3 * w), (AREA - head - (c - 1) * 8) / (c * h), 30);
  const below = Math.min(PANEL / w, (AREA - c * (3 * head + 4)) / (3 * c * h), 30);
  const across = beside >= below || c > 1 && h === 1 && w === 1;
  const cell = Math.max(across ? beside : below, 4);
  const column = Math.max(cell * w, 70) + gap; // room for the words above
  const corner = (channel, k) => (across
    ? [(PANEL - 3 * column + gap) / 2 + k * column + (column - gap - cell * w) / 2, head + channel * (cell * h + 8)]
    : [(PANEL - cell * w) / 2, (3 * channel + k) * (head + cell * h) + head + channel * 4]);
  return { cell, across, corner };
}

function panelSvg(state, here, chosen) {
  const { cell, across, corner } = panelPlan(state), out = [], [h, w] = state.kernel;
  const titles = ["pixels", "× weights", "= products"];
  const most = Math.max(1, ...here.products.flat(2).map(Math.abs));
  const grids = [here.pixels, here.weights, here.products];
  here.pixels.forEach((_, c) => grids.forEach((grid, k) => {
    const [left, top] = corner(c, k);
    if (c === 0 || !across) {
      const channel = state.channels > 1 && !across ? ` ${"RGB"[c]}` : "";
      out.push(words(left + cell * w / 2, top - 9, 11, titles[k] + channel, 'class="ink"'));
    }
    for (let i = 0; i < h; i++) for (let j = 0; j < w; j++) {
      const value = grid[c][i][j], at = [left + j * cell, top + i * cell];
      const fill = k === 0 ? shade(value, state.channels > 1 ? c : null) : diverging(value, k === 1 ? 3 : most);
      const mark = k === 1 && chosen && [c, i, j].every((n, axis) => n === chosen[axis]) ? ' class="chosen"' : "";
      const data = k === 1 ? ` data-weight="${c},${i},${j}"` : "";
      out.push(`<g${mark}${data}>` + rect(at[0], at[1], cell - 1, cell - 1, `fill="${fill}"`)
        + (cell >= 11 ? words(at[0] + cell / 2 - 0.5, at[1] + cell / 2 - 0.5, Math.min(cell * 0.5, 13), signed(value),
          `fill="${k === 0 && value < 5 ? "#fff" : "#111"}"`) : "") + "</g>");
    }
  }));
  return out.join("");
}

const options = (table, chosen) => Object.entries(table).map(([key, label]) =>
  `<option value="${key}"${String(chosen) === key ? " selected" : ""}>${label}</option>`).join("");
const kernelKey = kernel => kernel.join("×");

function mount(el, value, tell) {
  let state = begun({ ...FIRST, ...value.settings }), shown = null, timer = null, map = [];
  let turn = value.turn;
  const first = state;
  let chosen = [0, 0, 0], filled = Infinity;
  const root = document.createElement("div");
  root.className = "ied-convolution-page";
  root.dataset.lmSuppressShortcuts = "true";
  const label = (name, inner) => `<label class="field">${name} ${inner}</label>`;
  root.innerHTML = `
    <div class="row settings">
      ${label("kernel", `<select data-key="kernel">${options(Object.fromEntries(KERNELS.map(k => [kernelKey(k), kernelKey(k)])), kernelKey(state.kernel))}</select>`)}
      ${label("stride", `<select data-key="stride">${options({ 1: 1, 2: 2, 3: 3, 4: 4 }, state.stride)}</select>`)}
      ${label("padding", `<select data-key="padding">${options(PADDINGS, state.padding)}</select>`)}
      ${label("pixels a side", `<input data-key="size" type="range" min="1" max="${LONGEST}"><output class="size"></output>`)}
      ${label("beside it", `<select data-key="beside">${options(Object.fromEntries(Object.keys(PARTNERS).map(k => [k, k])), state.beside)}</select>`)}
    </div>
    <div class="row settings">
      ${label("picture", `<select data-key="picture">${options(PICTURES, state.picture)}</select>`)}
      ${label("channels", `<select data-key="channels">${options({ 1: "1: grey", 3: "3: R, G, B" }, state.channels)}</select>`)}
      ${label("weights", `<select data-key="weights">${options(WEIGHTS, state.weights)}</select>`)}
      ${label("mix", `<select data-key="mix">${options(MIXES, state.mix)}</select>`)}
      <span class="buttons">
        <button type="button" class="back" title="One place back">◀<span class="word"> Back</span></button>
        <button type="button" class="play">▶ Play</button>
        <button type="button" class="step" title="One place on">Step ▶</button>
        <button type="button" class="reset">Reset</button>
      </span>
    </div>
    <p class="verdict" role="status"></p>
    <div class="stage">
      <figure class="in"><figcaption></figcaption>
        <svg viewBox="0 0 ${AREA} ${AREA}" tabindex="0" role="application"></svg></figure>
      <figure class="sum"><figcaption>under the window</figcaption>
        <svg viewBox="0 0 ${PANEL} ${AREA}" tabindex="0" role="application"></svg></figure>
      <figure class="out"><figcaption></figcaption>
        <svg viewBox="0 0 ${AREA} ${AREA}" tabindex="0" role="application"></svg></figure>
    </div>
    <p class="place" role="status"></p>
    <p class="help">Point at an output to see its window, at a pixel to see who reads it. Drag the window, or
      use the arrow keys. Click a weight to change it. <span class="key zero"></span>&nbsp;a zero of the padding
      <span class="key unread">×</span>&nbsp;read by nobody</p>`;
  el.append(root);
  const find = selector => root.querySelector(selector);
  const svgs = { in: find(".in svg"), sum: find(".sum svg"), out: find(".out svg") };

  const save = () => {
    const { place, cursor, ...settings } = state;
    tell({ settings });
  };

  function drawAll() {
    map = convolve(state);
    svgs.in.innerHTML = inputSvg(state);
    svgs.out.innerHTML = outputSvg(state, map);
    const [rows, columns] = outputSize(state), [ph, pw] = zeros(state);
    let pads = ph === pw ? `, ${ph} of zeros around` : `, ${ph || pw} of zeros ${ph ? "above, below" : "left, right"}`;
    if (!ph && !pw) pads = "";
    find(".in figcaption").textContent = `input ${state.size}×${state.size}${state.channels > 1 ? "×3" : ""}${pads}`;
    find(".out figcaption").textContent = `output ${rows}×${columns}`;
    const said = verdict(state), line = find(".verdict");
    line.textContent = said.text;
    line.classList.toggle("alert", said.alert);
    for (const control of root.querySelectorAll("[data-key]")) {
      const key = control.dataset.key;
      control.value = key === "kernel" ? kernelKey(state.kernel) : state[key];
    }
    find(".size").textContent = state.size;
    find("[data-key=mix]").disabled = state.channels === 1;
    for (const name of ["back", "play", "step"]) find(`.${name}`).disabled = !rows || !columns;
    drawPlace();
  }

  function drawPlace() {
    const place = placeOf(state), here = shown ?? place;
    const inPlan = inputPlan(state), outPlan = outputPlan(state);
    const lit = state.cursor ? readersOf(state, state.cursor) : [];
    let window = "", marks = "";
    if (here) {
      const [ph, pw] = zeros(state), [h, w] = state.kernel, s = state.stride;
      inPlan.corners.slice(0, state.channels).forEach(([left, top]) => {
        window += rect(left + here[1] * s * inPlan.cell, top + here[0] * s * inPlan.cell,
          w * inPlan.cell, h * inPlan.cell, 'class="window"');
        if (state.cursor) window += rect(left + (state.cursor[1] + pw) * inPlan.cell,
          top + (state.cursor[0] + ph) * inPlan.cell, inPlan.cell, inPlan.cell, 'class="cursor"');
      });
      const mark = ([i, j], name) => rect(outPlan.corner[0] + j * outPlan.cell, outPlan.corner[1] + i * outPlan.cell,
        outPlan.cell, outPlan.cell, `class="${name}"`);
      marks = lit.map(at => mark(at, "reader")).join("") + mark(here, "window");
      const image = picture(state.picture, state.size, state.channels);
      const seen = under(image, kernelWeights(state), s, zeros(state), here);
      svgs.sum.innerHTML = panelSvg(state, seen, document.activeElement === svgs.sum ? chosen : null);
    } else svgs.sum.innerHTML = "";
    svgs.in.querySelector(".over").innerHTML = window;
    svgs.out.querySelector(".over").innerHTML = marks;
    svgs.out.querySelectorAll("g.out").forEach(g => g.classList.toggle("later", Number(g.dataset.n) > filled));
    const columns = outPlan.columns;
    const words = here ? sumWords({ ...state, place: here[0] * columns + here[1] }) : "";
    const cursor = state.cursor
      ? ` · The pixel in row ${state.cursor[0] + 1}, column ${state.cursor[1] + 1} is read by ${lit.length} `
        + (lit.length === 1 ? "output." : "outputs.") : "";
    find(".place").textContent = words + cursor;
    svgs.in.setAttribute("aria-label", `The input. Arrow keys move a pixel; who reads it is marked in the output.${cursor}`);
    svgs.sum.setAttribute("aria-label", `Pixels, weights and products. Arrow keys choose a weight, plus and minus change it. ${words}`);
    svgs.out.setAttribute("aria-label", `The output. Arrow keys move the window. ${words}`);
  }

  const stop = () => {
    clearInterval(timer);
    timer = null;
    filled = Infinity;
    find(".play").textContent = "▶ Play";
    find(".place").setAttribute("aria-live", "polite");
    drawPlace();
  };
  function play() {
    if (timer) return stop();
    const [rows, columns] = outputSize(state), all = rows * columns;
    if (state.place === all - 1) state = update(state, { place: [0, 0] });
    filled = state.place;
    find(".play").textContent = "❚❚ Pause";
    find(".place").setAttribute("aria-live", "off"); // a screen reader would hear each place
    timer = setInterval(() => {
      if (state.place >= all - 1) return stop();
      state = update(state, { step: 1 });
      filled = state.place;
      drawPlace();
    }, Math.max(40, Math.min(300, 30000 / all)));
    drawPlace();
  }
  const act = event => {
    const before = state;
    state = update(state, event);
    if (event.set || event.weight) { if (timer) stop(); drawAll(); save(); }
    else if (state !== before) drawPlace();
  };

  root.addEventListener("input", ({ target }) => {
    const key = target.dataset.key;
    if (!key) return;
    const value = key === "kernel" ? target.value.split("×").map(Number)
      : ["stride", "size", "channels"].includes(key) ? Number(target.value)
      : key === "padding" && !isNaN(target.value) ? Number(target.value) : target.value;
    act({ set: { [key]: value } });
  });
  find(".play").addEventListener("click", play);
  find(".step").addEventListener("click", () => { if (timer) stop(); act({ step: 1 }); });
  find(".back").addEventListener("click", () => { if (timer) stop(); act({ step: -1 }); });
  find(".reset").addEventListener("click", () => { if (timer) stop(); state = first; drawAll(); save(); });

  // Where the pointer is, in cells of a plane.
  const local = (svg, event) => {
    const box = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  };
  const pixelAt = event => {
    const { cell, rows, columns, corners } = inputPlan(state), [x, y] = local(svgs.in, event);
    for (const [left, top] of corners) {
      const i = Math.floor((y - top) / cell), j = Math.floor((x - left) / cell);
      if (i >= 0 && j >= 0 && i < rows && j < columns) return [i, j];
    }
    return null;
  };
  const outputAt = event => {
    const { cell, rows, columns, corner: [left, top] } = outputPlan(state), [x, y] = local(svgs.out, event);
    const i = Math.floor((y - top) / cell), j = Math.floor((x - left) / cell);
    return i >= 0 && j >= 0 && i < rows && j < columns ? [i, j] : null;
  };
  let dragging = false;
  const dragTo = event => {
    const at = pixelAt(event);
    if (!at) return;
    act({ place: at.map((n, axis) => Math.round((n - (state.kernel[axis] - 1) / 2) / state.stride)) });
  };
  svgs.in.addEventListener("pointerdown", event => {
    if (timer) stop();
    dragging = true;
    svgs.in.setPointerCapture(event.pointerId);
    dragTo(event);
  });
  svgs.in.addEventListener("pointerup", () => { dragging = false; });
  svgs.in.addEventListener("pointermove", event => {
    if (dragging) return dragTo(event);
    const at = pixelAt(event), [ph, pw] = zeros(state);
    act({ pixel: at && [at[0] - ph, at[1] - pw] });
  });
  svgs.in.addEventListener("pointerleave", () => act({ pixel: null }));
  svgs.out.addEventListener("pointermove", event => {
    if (timer) return;
    const at = outputAt(event);
    if (String(at) === String(shown)) return;
    shown = at;
    drawPlace();
  });
  svgs.out.addEventListener("pointerleave", () => { shown = null; drawPlace(); });
  svgs.out.addEventListener("click", event => {
    if (timer) stop();
    const at = outputAt(event);
    if (at) act({ place: at });
  });
  svgs.sum.addEventListener("click", event => {
    const data = event.target.closest("[data-weight]")?.dataset.weight;
    if (!data) return;
    chosen = data.split(",").map(Number);
    act({ weight: chosen, by: 1 });
  });

  const arrows = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  svgs.in.addEventListener("keydown", event => {
    const move = arrows[event.key];
    if (!move) return;
    const from = state.cursor ?? [0, 0].map(() => Math.floor((state.size - 1) / 2));
    const to = from.map((n, axis) => Math.min(Math.max(n + (state.cursor ? move[axis] : 0), 0), state.size - 1));
    act({ pixel: to });
    event.preventDefault();
  });
  svgs.out.addEventListener("keydown", event => {
    const place = placeOf(state);
    if (!place) return;
    const ends = { Home: [0, 0], End: [LONGEST * 2, LONGEST * 2] };
    const to = arrows[event.key] ? place.map((n, axis) => n + arrows[event.key][axis]) : ends[event.key];
    if (!to) return;
    if (timer) stop();
    act({ place: to });
    event.preventDefault();
  });
  svgs.sum.addEventListener("keydown", event => {
    const limits = [state.channels, ...state.kernel], move = arrows[event.key];
    const change = { "+": 1, "=": 1, "-": -1, Enter: 1, " ": 1 }[event.key];
    if (move) {
      let [c, i, j] = chosen;
      i += move[0];
      j += move[1];
      if (i < 0 && c > 0) { c--; i = limits[1] - 1; }
      if (i >= limits[1] && c + 1 < limits[0]) { c++; i = 0; }
      chosen = [c, i, j].map((n, axis) => Math.min(Math.max(n, 0), limits[axis] - 1));
      drawPlace();
    } else if (change) {
      chosen = chosen.map((n, axis) => Math.min(n, limits[axis] - 1));
      act({ weight: chosen, by: change });
    } else return;
    event.preventDefault();
  });
  svgs.sum.addEventListener("focus", drawPlace);
  svgs.sum.addEventListener("blur", drawPlace);
  root.addEventListener("keydown", event => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Escape") event.stopPropagation();
  });

  drawAll();
  return {
    update: next => {
      if (next.turn === turn) return; // what this page told comes back: no news
      turn = next.turn;
      if (timer) stop();
      state = begun({ ...FIRST, ...next.settings });
      drawAll();
    },
    remove: () => clearInterval(timer),
  };
}
