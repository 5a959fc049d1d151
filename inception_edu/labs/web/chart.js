// needs: keys.js theme.js uplot/uPlot.iife.min.js
// Curves of runs in linked panels, drawn by uPlot.
//
// value: {
//   panels: [{ key, title, unit, note, log, percent, low, high, cap, whole, guides: [{ y, label }],
//              alone }]                              alone: its x is not the steps of the others
//   runs:   [{ id, name, words, colour, dash, faded, hidden, pinned, fixed, running,
//              series: { panelKey: [[x…], [y…]] } }]   running: it cannot be removed yet
//   bands:  [{ panel, x, low, high, colour }]        what recorded seeds did
//   x: { label, max }, height, wide
//   same: what all runs of the legend have in common, in words
//   loose: the lab has no player; the cursor goes with the pointer and says its step
// }
// tell: { hide | pin | remove: id } or { rename: id, name }

const FONT = "12px system-ui, sans-serif";

function words(value, panel) {
  if (value == null || !isFinite(value)) return "–";
  if (panel.percent) return `${(100 * value).toFixed(value > 0 && value < 0.095 ? 1 : 0)} %`;
  const size = Math.abs(value), minus = value < 0 ? "−" : "";
  if (size && (size < 0.01 || size >= 1e4)) return minus + size.toExponential(1);
  return minus + size.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}

// The last recorded value at or before a step.
function valueAt([x, y], step) {
  let low = 0, high = x.length - 1, at = -1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (x[middle] <= step) { at = middle; low = middle + 1; } else high = middle - 1;
  }
  while (at >= 0 && y[at] == null) at -= 1;
  return at < 0 ? null : y[at];
}

// At most so many of 1, 2, 5, 10, … between two numbers.
function roundLogs(low, high, most) {
  const all = [], few = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1)
    for (const digit of [1, 2, 5]) {
      const value = digit * 10 ** power;
      if (value >= low && value <= high) { all.push(value); if (digit === 1) few.push(value); }
    }
  if (!all.length) return [+Math.sqrt(low * high).toPrecision(2)]; // none of these lies between
  return all.length <= most ? all : few.length >= 2 ? few : all.filter((_, i) => i % 2);
}

const PITCH = 11, COLUMN = 26; // pixels from name to name, down and across

// A name, or as much of its beginning as has room: a reader's own name may have twelve letters.
export function fitted(name, room, widthOf) {
  let text = name;
  for (let n = name.length - 1; n && widthOf(text) > room; n -= 1) text = name.slice(0, n) + "…";
  return text;
}

// Names at the ends of curves, from the top down, that would cover each other stand apart: in as
// many columns as they need, each as near to its place as the others let it.
export function apart(places, low, high, pitch) {
  const rows = Math.max(1, Math.floor((high - low) / pitch) + 1);
  const columns = Math.max(1, Math.ceil(places.length / rows));
  const put = places.map((y, i) => ({ column: i % columns, y }));
  for (let column = 0; column < columns; column += 1) {
    const here = put.filter(one => one.column === column);
    here.forEach((one, i) => { if (i) one.y = Math.max(one.y, here[i - 1].y + pitch); });
    let most = high;
    for (const one of here.reverse()) { one.y = Math.min(one.y, most); most = one.y - pitch; }
  }
  return put;
}

class PanelPlot {
  constructor(el, panel, chart) {
    this.chart = chart;
    this.panel = panel;
    this.box = document.createElement("div");
    this.box.className = `ied-panel ied-panel-${panel.key}`;
    this.head = document.createElement("div");
    this.head.className = "ied-panel-head";
    this.place = document.createElement("div");
    this.place.setAttribute("role", "img");
    this.box.append(this.head, this.place);
    el.append(this.box);
    this.head.append(document.createElement("b"));
    this.head.firstChild.textContent = panel.title;
    this.unit = this.head.appendChild(document.createElement("span"));
    this.unit.className = "ied-unit";
    this.unit.textContent = panel.unit || "";
    this.others = this.head.appendChild(document.createElement("span"));
    this.others.className = "ied-values ied-others";
    this.values = this.head.appendChild(document.createElement("span"));
    this.values.className = "ied-values";
    this.shape = "";
  }

  // What is drawn: bands first, then faded runs, then the others.
  lines() {
    const { runs } = this.chart.value, key = this.panel.key;
    return runs.filter(run => run.series[key]?.[0].length && !this.chart.isHidden(run))
      .sort((a, b) => Number(b.faded) - Number(a.faded));
  }

  update(value) {
    this.panel = value.panels.find(panel => panel.key === this.panel.key) || this.panel;
    this.unit.textContent = this.panel.note || this.panel.unit || "";
    const runs = this.lines();
    const bands = (value.bands || []).filter(band => band.panel === this.panel.key);
    this.runs = runs;
    this.right = this.roomForNames(value);
    const shape = JSON.stringify([runs.map(r => [r.id, r.colour, r.dash, r.faded]), this.right,
      bands.map(band => band.colour), isDark(),
      this.panel, value.height, value.x]);
    const tables = [...bands.map(b => [b.x, b.high, b.low]),
      ...runs.map(run => run.series[this.panel.key])];
    const data = tables.length ? uPlot.join(tables) : [[0, 1], [null, null]];
    this.say(runs);
    // Known from the last change of size: asking the page here makes it lay out for each panel.
    const width = this.width || this.place.clientWidth || this.box.clientWidth;
    if (!width) {                           // not laid out now: while a theme is loaded, say
      clearTimeout(this.later);
      this.later = setTimeout(() => this.box.isConnected && this.update(this.chart.value), 150);
      return;
    }
    if (shape !== this.shape || !this.plot) {
      this.plot?.destroy();
      this.shape = shape;
      this.plot = new uPlot(this.options(runs, bands, width, value), data, this.place);
      this.cursor = this.plot.over.appendChild(document.createElement("div"));
      this.cursor.className = "ied-cursor";
      if (this.panel.alone) this.cursor.style.display = "none";
      this.dots = [];
      this.plot.over.addEventListener("pointermove", event => this.hover(event));
      this.plot.over.addEventListener("pointerdown", event => this.hover(event));
      if (value.loose)
        this.plot.over.addEventListener("pointerleave", () => goTo(this.box, null, this.chart));
    } else {
      this.plot.setData(data);
    }
    this.showStep(this.chart.step);
  }

  resize() {
    const width = this.width = this.place.clientWidth;
    if (!width) return;
    this.update(this.chart.value);       // what changed while nothing could be seen
    if (Math.abs(this.plot.width - width) > 1) {
      this.plot.setSize({ width, height: this.plot.height });
      this.showStep(this.chart.step);
    }
  }

  // Right of the curves, the same in all panels: their steps stand under each other.
  roomForNames(value) {
    const shown = value.runs.filter(run => !this.chart.isHidden(run));
    const rows = Math.floor(((value.height || 84) - 10) / PITCH) + 1;
    if (shown.length > rows) return 34 + COLUMN * (Math.ceil(shown.length / rows) - 1);
    const pencil = this.chart.pencil ??= document.createElement("canvas").getContext("2d");
    pencil.font = FONT;
    const longest = Math.max(0, ...shown.map(run => pencil.measureText(run.name).width));
    return Math.max(34, Math.min(84, Math.ceil(longest) + 9));
  }

  options(runs, bands, width, value) {
    const { panel } = this, faint = faintOf(), grid = gridOf();
    const line = { stroke: faint, font: FONT, ticks: { show: false },
      grid: { stroke: grid, width: 1 } };
    const edge = (data, least) => {
      let found = least ? Infinity : -Infinity;
      for (const row of data.slice(1)) for (const v of row)
        if (v != null && isFinite(v) && (!panel.log || v > 0))
          found = least ? Math.min(found, v) : Math.max(found, v);
      return found;
    };
    const range = u => {
      let low = edge(u.data, true), high = edge(u.data, false);
      for (const guide of panel.guides || []) {
        low = Math.min(low, guide.y); high = Math.max(high, guide.y);
      }
      if (!isFinite(low)) [low, high] = panel.log ? [1, 10] : [0, 1];
      if (panel.cap != null) high = Math.min(high, panel.cap);
      low = panel.low ?? low;
      high = panel.high ?? high;
      if (panel.log) return [low / 1.1, Math.max(high * 1.1, low * 1.5)];
      if (high <= low) high = low + (Math.abs(low) || 1);
      const room = 0.06 * (high - low);
      return [panel.low == null ? low - room : low, high + room];
    };
    const most = panel.alone ? null : value.x?.max;
    return {
      width, height: (value.height || 84) + (panel.axis === false ? 0 : 18), pxAlign: 1,
      padding: [6, this.right, panel.axis === false ? 4 : 0, 0],
      legend: { show: false }, cursor: { show: false },
      scales: {
        x: { time: false, range: (u, low, high) => [0, most || high || 1] },
        y: { distr: panel.log ? 3 : 1, range },
      },
      axes: [
        { ...line, show: panel.axis !== false, size: 18, gap: 2, grid: { show: false }, space: 60,
          incrs: [...panel.alone ? [0.1, 0.2, 0.5] : [], 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] },
        { ...line, size: 46, gap: 4, space: panel.log ? 24 : 20,
          splits: panel.log
            ? u => roundLogs(u.scales.y.min, u.scales.y.max, value.height > 60 ? 4 : 3) : undefined,
          filter: (u, splits) => splits,
          values: (u, splits) => splits.map(v => v == null ? null
            : panel.percent ? `${+(100 * v).toFixed(1)} %` : `${+v.toPrecision(3)}`.replace(/^-/, "−")) },
      ],
      series: [{},
        ...bands.flatMap(() => [0, 1].map(() => (
          { stroke: "transparent", points: { show: false }, spanGaps: true }))),
        ...runs.map(run => ({
          stroke: colourOf(run.colour), width: run.faded ? 1.25 : 2.2,
          alpha: run.faded ? 0.75 : 1, dash: dashOf(run),
          points: { show: false }, spanGaps: true,
        })),
      ],
      bands: bands.map((band, i) => ({
        series: [1 + 2 * i, 2 + 2 * i], fill: colourOf(band.colour) + "2e" })),
      hooks: { draw: [u => this.marks(u, faint)] },
    };
  }

  // Guide lines, numbers at the true ends of the curves, and what was cut off, with its value.
  marks(u, faint) {
    const { runs } = this, { ctx } = u, ratio = uPlot.pxRatio, { left, top, width, height } = u.bbox;
    ctx.save();
    ctx.font = `${12 * ratio}px system-ui, sans-serif`;
    ctx.textBaseline = "middle";
    for (const guide of this.panel.guides || []) {
      const y = u.valToPos(guide.y, "y", true);
      if (y < top || y > top + height) continue;
      ctx.setLineDash([2 * ratio, 3 * ratio]);
      ctx.strokeStyle = faint;
      ctx.lineWidth = ratio;
      ctx.beginPath(); ctx.moveTo(left, y); ctx.lineTo(left + width, y); ctx.stroke();
      ctx.setLineDash([]);
      if (guide.label) {
        ctx.fillStyle = faint;
        ctx.textAlign = "right";
        ctx.fillText(guide.label, left + width - 2 * ratio, y - 7 * ratio);
      }
    }
    const ends = [], placed = [], free = [left, left], top_value = u.scales.y.max;
    runs.forEach(run => {
      const [x, y] = run.series[this.panel.key];
      let last = y.length - 1, peak = -1;
      while (last >= 0 && (y[last] == null || (this.panel.log && y[last] <= 0))) last -= 1;
      if (last < 0) return;
      y.forEach((v, k) => { if (v != null && v > top_value && (peak < 0 || v > y[peak])) peak = k; });
      ctx.fillStyle = colourOf(run.colour);
      if (peak >= 0) {
        const at = u.valToPos(x[peak], "x", true);
        ctx.beginPath();
        ctx.moveTo(at - 4 * ratio, top + 7 * ratio);
        ctx.lineTo(at + 4 * ratio, top + 7 * ratio);
        ctx.lineTo(at, top + ratio);
        ctx.fill();
        ctx.textAlign = "left";
        // In the line where it stands nearer: of several that were cut off, one after the other.
        const said = words(y[peak], this.panel), starts = free.map(x => Math.max(x, at + 7 * ratio));
        const row = starts[0] <= starts[1] ? 0 : 1;
        ctx.fillText(said, starts[row], top + (7 + 13 * row) * ratio);
        free[row] = starts[row] + ctx.measureText(said).width + 8 * ratio;
      }
      const at = Math.min(Math.max(u.valToPos(y[last], "y", true), top), top + height);
      ends.push({ run, x: u.valToPos(x[last], "x", true), at });
    });
    // Of curves that end side by side: a stopped run has its name where it stopped.
    ends.sort((a, b) => a.x - b.x);
    while (ends.length) {
      const group = ends.filter(end => end.x - ends[0].x <= 20 * ratio);
      ends.splice(0, group.length);
      group.sort((a, b) => a.at - b.at);
      const put = apart(group.map(end => end.at), top, top + height, PITCH * ratio);
      const last = Math.max(...put.map(one => one.column));
      group.forEach((end, i) => placed.push({ ...end, ...put[i], last: put[i].column === last }));
    }
    ctx.textAlign = "left";
    for (const end of placed) {
      const across = COLUMN * end.column;
      ctx.fillStyle = ctx.strokeStyle = colourOf(end.run.colour);
      ctx.beginPath(); ctx.arc(end.x, end.at, 2.5 * ratio, 0, 7); ctx.fill();
      if (across || Math.abs(end.y - end.at) > 3 * ratio) {
        ctx.setLineDash([]);
        ctx.lineWidth = ratio / 2;
        ctx.beginPath();
        ctx.moveTo(end.x, end.at); ctx.lineTo(end.x + (6 + across) * ratio, end.y);
        ctx.stroke();
      }
      const from = end.x + (7 + across) * ratio;
      const room = end.last ? ctx.canvas.width - from : (COLUMN - 2) * ratio;
      const name = fitted(end.run.name, room, text => ctx.measureText(text).width);
      // Over the curve of a longer run it has the card behind it.
      ctx.save();
      ctx.strokeStyle = cardOf();
      ctx.globalAlpha = 0.75;
      ctx.lineWidth = 3 * ratio;
      ctx.lineJoin = "round";
      ctx.strokeText(name, from, end.y);
      ctx.restore();
      ctx.fillText(name, from, end.y);
    }
    ctx.restore();
  }

  say(runs) {
    const told = runs.map(run => {
      const [x, y] = run.series[this.panel.key], n = y.length - 1;
      let most = 0;
      y.forEach((v, k) => { if (v > y[most]) most = k; });
      return `run ${run.name}: ${words(y[0], this.panel)} at ${x[0]}, highest `
        + `${words(y[most], this.panel)} at ${x[most]}, ${words(y[n], this.panel)} at ${x[n]}`;
    });
    this.place.setAttribute("aria-label",
      `${this.panel.title}. ${told.join("; ") || "No run yet."}`);
  }

  hover(event) {
    if (this.panel.alone) return;
    const wanted = this.plot.posToVal(event.clientX - this.plot.over.getBoundingClientRect().left, "x");
    let best = null;
    for (const run of this.runs) for (const x of run.series[this.panel.key][0])
      if (best == null || Math.abs(x - wanted) < Math.abs(best - wanted)) best = x;
    if (best != null && best !== this.chart.step) goTo(this.box, best, this.chart);
  }

  showStep(step) {
    if (!this.plot || this.panel.alone) return;
    const shown = this.runs.filter(run => !run.faded || run.pinned).slice(-3).reverse();
    // Without a cursor: at the end of the newest run of the reader's, that all can be compared.
    const newest = shown.find(run => !run.fixed)?.series[this.panel.key][0];
    const now = newest ? newest[newest.length - 1] : Infinity;
    // A cursor reads all curves that are drawn, those of earlier runs where the line has room.
    const others = step == null ? []
      : this.runs.filter(run => !shown.includes(run)).sort((a, b) => a.fixed - b.fixed);
    const read = run => {
      const value = document.createElement("span");
      value.className = "ied-value";
      value.style.color = colourOf(run.colour);
      const at = step ?? now;
      const points = run.series[this.panel.key];
      const there = step == null || !this.chart.value.loose || points[0].at(-1) >= step;
      value.textContent = `${run.name}: ${words(there ? valueAt(points, at) : null, this.panel)}`;
      return value;
    };
    this.values.replaceChildren(...shown.map(read));
    this.others.replaceChildren(...others.map(read));
    if (this.chart.value.loose && step != null) {
      const at = document.createElement("span");
      at.className = "ied-value";
      at.textContent = `${this.chart.value.x.label} ${step}`;
      this.values.prepend(at);
    }
    this.cursor.style.display = step == null ? "none" : "";
    this.dots.forEach(dot => dot.remove());
    this.dots = [];
    if (step == null) return;
    this.cursor.style.left = `${this.plot.valToPos(step, "x")}px`;
    for (const run of [...others, ...shown]) {
      if (run.series[this.panel.key][0].at(-1) < step) continue; // it has not come so far
      const value = valueAt(run.series[this.panel.key], step);
      if (value == null) continue;
      const y = this.plot.valToPos(value, "y");
      if (!(y >= -2 && y <= this.plot.over.clientHeight + 2)) continue;
      const dot = this.plot.over.appendChild(document.createElement("div"));
      dot.className = "ied-dot";
      dot.style.cssText += `;left:${this.plot.valToPos(step, "x")}px;top:${y}px;`
        + `border-color:${colourOf(run.colour)}`;
      this.dots.push(dot);
    }
  }

  remove() { this.plot?.destroy(); this.box.remove(); }
}

function legendItem(chart, run) {
  const item = document.createElement("li");
  item.className = `ied-run ${chart.isHidden(run) ? "ied-off" : ""}`;
  const button = (text, name, pressed, act) => {
    const made = item.appendChild(document.createElement("button"));
    made.type = "button";
    made.textContent = text;
    made.setAttribute("aria-label", `${name} run ${run.name}`);
    made.title = `${name} run ${run.name}`;
    if (pressed !== null) made.setAttribute("aria-pressed", pressed);
    made.dataset.place = `${run.id} ${item.children.length}`; // the same after a redraw
    made.addEventListener("click", act);
    return made;
  };
  const key = button("", chart.isHidden(run) ? "show" : "hide", !chart.isHidden(run),
    () => chart.toggle(run));
  key.className = "ied-key";
  const ns = "http://www.w3.org/2000/svg";
  const swatch = key.appendChild(document.createElementNS(ns, "svg"));
  swatch.setAttribute("width", 22); swatch.setAttribute("height", 8);
  swatch.setAttribute("aria-hidden", "true");
  const line = swatch.appendChild(document.createElementNS(ns, "line"));
  for (const [name, value] of Object.entries({ x1: 0, x2: 22, y1: 4, y2: 4,
    stroke: colourOf(run.colour), "stroke-width": 3,
    "stroke-dasharray": dashOf(run).join(" ") })) line.setAttribute(name, value);
  const number = key.appendChild(document.createElement("b"));
  number.textContent = run.name;
  number.style.color = colourOf(run.colour);
  const said = item.appendChild(document.createElement("span"));
  said.className = "ied-words";
  said.textContent = said.title = run.words;
  if (run.fixed) return item;
  button(run.pinned ? "pinned" : "pin", run.pinned ? "unpin" : "pin", !!run.pinned,
    () => chart.tell({ pin: run.id }));
  const edit = button("✎", "rename", null, () => {
    const input = document.createElement("input");
    input.value = run.name;
    input.maxLength = 12;
    input.setAttribute("aria-label", `new name of run ${run.name}`);
    said.replaceChildren(input);
    input.focus(); input.select();
    let over = false;
    const done = keep => {
      if (over) return;
      over = true;
      if (keep && input.value.trim()) chart.tell({ rename: run.id, name: input.value.trim() });
      said.textContent = run.words;
    };
    input.addEventListener("keydown", event => {
      event.stopPropagation();
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();             // else Enter presses the button that has the focus now
      done(event.key === "Enter");
      edit.focus();
    });
    input.addEventListener("blur", () => done(true));
  });
  if (!run.running) button("×", "remove", null, () => chart.tell({ remove: run.id }));
  return item;
}

function mount(el, value, tell) {
  const chart = {
    value, tell, step: null, plots: [],
    own: new Map(),                       // hidden or shown here, before the lab has answered
    // As the lab says now: the legend's rows keep the run as it was when they were drawn.
    isHidden: ({ id }) => chart.own.get(id) ?? !!chart.value.runs.find(r => r.id === id)?.hidden,
    toggle: run => {
      chart.own.set(run.id, !chart.isHidden(run));
      tell({ hide: run.id, hidden: chart.own.get(run.id) });
      draw();
    },
  };
  const panels = el.appendChild(document.createElement("div"));
  const legend = el.appendChild(document.createElement("ol"));
  legend.className = "ied-legend";
  legend.setAttribute("aria-label", "runs");
  legend.tabIndex = -1;
  const same = el.appendChild(document.createElement("div"));
  same.className = "ied-same";
  let listed = "";

  function draw() {
    const alike = chart.value.same || "";
    if (same.textContent !== alike) same.textContent = same.title = alike;
    panels.className = `ied-panels ${chart.value.wide ? "wide" : ""}`;
    const keys = chart.value.panels.map(panel => panel.key);
    if (keys.join() !== chart.plots.map(plot => plot.panel.key).join()) {
      chart.plots.forEach(plot => plot.remove());
      chart.plots = chart.value.panels.map(panel => new PanelPlot(panels, panel, chart));
      chart.plots.forEach(plot => sizes.observe(plot.place));
    }
    chart.plots.forEach(plot => plot.update(chart.value));
    const list = JSON.stringify([isDark(), chart.value.runs.map(run => [run.id, run.name, run.words,
      run.colour, run.dash, run.pinned, chart.isHidden(run), run.fixed, run.running])]);
    if (list !== listed && !legend.querySelector("input")) {
      const place = legend.contains(document.activeElement) && document.activeElement.dataset.place;
      listed = list;
      // The newest first, so that it is in sight; what is only shown comes last.
      const own = chart.value.runs.filter(run => !run.fixed).reverse();
      const all = [...own, ...chart.value.runs.filter(run => run.fixed)];
      legend.replaceChildren(...all.map(run => legendItem(chart, run)));
      // A run that is gone leaves the focus in the legend, with the first run that is left.
      if (place) (legend.querySelector(`[data-place="${place}"]`)
        || legend.querySelector("button") || legend).focus();
    }
  }

  const sizes = new ResizeObserver(() => chart.plots.forEach(plot => plot.resize()));
  const hear = event => {
    chart.step = event.detail.step;
    chart.plots.forEach(plot => plot.showStep(chart.step));
  };
  let lab = null;
  const tick = requestAnimationFrame(() => {
    lab = labOf(el);
    lab.addEventListener("ied-step", hear);
    keepKeys(el);
    draw();
  });
  const offTheme = onTheme(draw);
  return {
    update: next => {
      chart.value = next;
      for (const run of next.runs)
        if (chart.own.get(run.id) === !!run.hidden) chart.own.delete(run.id);
      draw();
    },
    remove: () => {
      cancelAnimationFrame(tick); offTheme(); sizes.disconnect();
      lab?.removeEventListener("ied-step", hear);
      chart.plots.forEach(plot => plot.remove());
    },
  };
}
