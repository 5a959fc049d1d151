// needs: inside_common.js
// Drawing on the picture, in pixels of the network's input: by pointer, or by arrow keys and space.
//
// drawing(stage, now, tell): now() gives what inside_parts.picture_part gives. The ink lies on a
// canvas of its own; the kernel lays it on the picture below, so the picture loses nothing.

function drawing(stage, now, tell) {
  let below = null, drawn = false, blank = false, white = true, place = null, down = false;
  const ink = make("canvas", { class: "ied-ink", tabindex: "0", role: "application",
    "aria-label": "draw: the arrow keys move, space sets a spot" });
  const spot = make("div", { class: "ied-spot", "aria-hidden": "true" });
  const tools = make("div", { class: "ied-tools", role: "group", "aria-label": "drawing" });
  const button = make("button", { text: "draw", "aria-pressed": "false",
    onclick: () => (below === null ? start() : stop()) });
  const tool = (text, title, act) => tools.appendChild(
    make("button", { text, title, onclick: () => { act(); mark(); } }));
  const pens = [tool("white", "draw white", () => { white = true; }),
    tool("black", "draw black", () => { white = false; })];
  tool("wipe", "an empty ground to draw on", () => { clear(); blank = true; send(); });
  tool("take back", "the picture without what was drawn", () => { clear(); blank = false; send(); });

  const context = () => ink.getContext("2d");
  const clear = () => context().clearRect(0, 0, ink.width, ink.height);
  const mine = () => (blank ? "drawing" : drawn ? below : `drawing on ${below}`);
  const mark = () => pens.forEach((pen, i) => pen.setAttribute("aria-pressed", String(white === !i)));

  function start() {
    [below, drawn] = [now().name, now().drawing];
    [ink.width, ink.height] = [now().w, now().h];
    blank = false;
    place = [Math.floor(ink.height / 2), Math.floor(ink.width / 2)];
    stage.append(ink, spot);
    mark();
    show();
  }
  function stop() {
    below = null;
    ink.remove();
    spot.remove();
    show();
  }
  function show() {
    button.setAttribute("aria-pressed", String(below !== null));
    tools.hidden = below === null;
    const { height, width } = ink;
    if (place) Object.assign(spot.style, { top: `${100 * (place[0] + 0.5) / height}%`,
      left: `${100 * (place[1] + 0.5) / width}%` });
  }

  // A round spot: one and a half pixels wide in a picture of 32.
  function dot([y, x]) {
    const radius = Math.max(0.75, ink.width / 42), c = context(), far = Math.ceil(radius);
    c.fillStyle = white ? "#fff" : "#000";
    for (let dy = -far; dy <= far; dy++) for (let dx = -far; dx <= far; dx++)
      if (dy * dy + dx * dx <= radius * radius + 0.5) c.fillRect(x + dx, y + dy, 1, 1);
  }
  function line(from, to) {
    const steps = Math.max(1, ...to.map((v, i) => Math.abs(v - from[i])));
    for (let i = 0; i <= steps; i++)
      dot(to.map((v, k) => Math.round(from[k] + (v - from[k]) * i / steps)));
  }
  const send = () => tell({ draw: { on: below, blank, ink: ink.toDataURL("image/png").split(",")[1] } });
  const at = event => {
    const box = ink.getBoundingClientRect();
    return [Math.floor((event.clientY - box.top) / box.height * ink.height),
      Math.floor((event.clientX - box.left) / box.width * ink.width)];
  };
  ink.addEventListener("pointerdown", event => {
    down = true;
    ink.setPointerCapture(event.pointerId);
    dot(place = at(event));
    show();
    event.preventDefault();
    ink.focus({ preventScroll: true });
  });
  ink.addEventListener("pointermove", event => {
    if (!down) return;
    const next = at(event);
    line(place, next);
    place = next;
    show();
  });
  const up = () => { if (down) { down = false; send(); } };
  ink.addEventListener("pointerup", up);
  ink.addEventListener("pointercancel", up);
  ink.addEventListener("keydown", event => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (event.key === " ") { dot(place); send(); }
    else if (event.key === "Escape") { stop(); button.focus(); }
    else if (step[event.key]) {
      const most = [ink.height - 1, ink.width - 1];
      place = place.map((v, i) => Math.min(most[i], Math.max(0, v + step[event.key][i])));
    } else return;
    event.preventDefault();
    event.stopPropagation();
    show();
  });

  tools.hidden = true;
  return {
    button, tools,
    // Another picture was chosen, or another size: the ink belonged to the one before.
    changed() {
      if (below === null) return;
      const other = now().name !== below && now().name !== mine();
      if (other || now().w !== ink.width || now().h !== ink.height) start();
    },
  };
}
