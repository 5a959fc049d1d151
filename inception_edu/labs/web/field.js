// How the field of one output value grows: a map at a time, from the output back to the input.
//
// value: { frames: [{ name, size: [H, W], box: [top, left, bottom, right], seen, paths, said, most,
//          cells: the box's shares of the most-walked pixel, row by row, as base64 of bytes 0…255,
//          numbers: the same as counts of paths, or null where they are too many,
//          profile: [of the rows, of the columns] of the box, 0…1 }], place: [row, column],
//          key: what was chosen }
// The first frame is the output, the last the input. A number that came with it stays in the page.
// tells: { place: [row, column] }

const SIDE = 300, BELL = 46; // of the map, of the curves beside it, in pixels

/** The bytes of a base64 text. */
function bytes(text) {
  return Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
}

/** The frame that is shown after `step` (1: further back); it stays inside. */
export function further(at, step, count) {
  return Math.min(Math.max(at + step, 0), count - 1);
}

/** Where the map stands in the square: its cell's side and its left upper corner. */
export function plan([height, width]) {
  const cell = SIDE / Math.max(height, width);
  return { cell, left: (SIDE - cell * width) / 2, top: (SIDE - cell * height) / 2 };
}

/** The points of a profile as an SVG path, from `from` on, `cell` pixels a step. */
function curve(profile, from, cell, upright) {
  const point = (along, across) => (upright ? `${across.toFixed(1)} ${along.toFixed(1)}`
    : `${along.toFixed(1)} ${across.toFixed(1)}`);
  const reach = share => (BELL - 6) * share;
  const points = profile.flatMap((share, i) => [
    point(from + i * cell, reach(share)), point(from + (i + 1) * cell, reach(share)),
  ]);
  return `M${point(from, 0)}L${points.join("L")}L${point(from + profile.length * cell, 0)}Z`;
}

function paint(canvas, frame, scale = 1) {
  const [height, width] = frame.size, [top, left, bottom, right] = frame.box;
  canvas.width = Math.max(Math.round(width * scale), 1);
  canvas.height = Math.max(Math.round(height * scale), 1);
  const context = canvas.getContext("2d"), small = document.createElement("canvas");
  small.width = right - left;
  small.height = bottom - top;
  const shares = bytes(frame.cells), pixels = new ImageData(small.width, small.height);
  shares.forEach((share, i) => {
    if (!share) return;
    const light = Math.sqrt(share / 255); // few paths are still to be seen
    pixels.data.set([0, 104, 171, 40 + 215 * light], 4 * i);
  });
  small.getContext("2d").putImageData(pixels, 0, 0);
  context.imageSmoothingEnabled = scale < 1;
  context.drawImage(small, left * scale, top * scale, small.width * scale, small.height * scale);
}

function mount(el, value, tell) {
  let now = value, at = 0, peek = null, timer = null;
  const root = document.createElement("div");
  root.className = "ied-field-page";
  root.dataset.lmSuppressShortcuts = "true";
  root.innerHTML = `
    <div class="row">
      <button type="button" class="back" title="One map back towards the output">◀<span class="word"> Output</span></button>
      <button type="button" class="play">▶ Play</button>
      <button type="button" class="step" title="One map further towards the input"><span class="word">Input </span>▶</button>
      <span class="where"></span>
    </div>
    <p class="said" role="status"></p>
    <div class="stage">
      <div class="map">
        <div class="square" tabindex="0" role="application"><canvas></canvas>
          <svg viewBox="0 0 ${SIDE} ${SIDE}" aria-hidden="true"></svg></div>
        <svg class="rows" viewBox="0 0 ${BELL} ${SIDE}" role="img" aria-label="paths by row"></svg>
        <svg class="columns" viewBox="0 0 ${SIDE} ${BELL}" role="img" aria-label="paths by column"></svg>
      </div>
      <div class="layers" role="listbox" tabindex="0" aria-label="The maps, from the output back to the input"></div>
    </div>
    <p class="help">Choose an output: click it in the first map, or press an arrow key there. Then play, or walk
      through the list. The darker a pixel, the more paths lead from it to that output; the curves add them up.</p>`;
  el.append(root);
  const find = selector => root.querySelector(selector);
  const square = find(".square"), list = find(".layers");

  function fill() {
    list.innerHTML = now.frames.map((frame, i) => `<div role="option" id="${now.id}-${i}" data-i="${i}">
      <canvas class="thumb" aria-hidden="true"></canvas>
      <span class="name">${i ? "before " : ""}${frame.name}</span>
      <span class="size">${frame.size.join("×")}</span><span class="sees">sees ${frame.seen}</span>
      <span class="paths">${frame.paths} ${frame.paths === "1" ? "path" : "paths"}</span></div>`).join("");
    [...list.children].forEach((row, i) => {
      const frame = now.frames[i];
      paint(row.querySelector("canvas"), frame, 24 / Math.max(...frame.size));
    });
    draw();
  }

  function draw() {
    const shown = peek ?? at, frame = now.frames[shown];
    const { cell, left, top } = plan(frame.size), [y0, x0, y1, x1] = frame.box;
    const canvas = square.querySelector("canvas");
    paint(canvas, frame);
    Object.assign(canvas.style, {
      left: `${100 * left / SIDE}%`, top: `${100 * top / SIDE}%`,
      width: `${100 * cell * frame.size[1] / SIDE}%`, height: `${100 * cell * frame.size[0] / SIDE}%`,
    });
    const [height, width] = frame.size, out = [];
    if (cell >= 5) {
      let lines = "";
      for (let i = 0; i <= height; i++) lines += `M${left} ${top + i * cell}h${width * cell}`;
      for (let j = 0; j <= width; j++) lines += `M${left + j * cell} ${top}v${height * cell}`;
      out.push(`<path class="grid" d="${lines}"/>`);
    } else out.push(`<rect class="grid" x="${left}" y="${top}" width="${width * cell}" height="${height * cell}"/>`);
    out.push(`<rect class="box" x="${left + x0 * cell}" y="${top + y0 * cell}"
      width="${(x1 - x0) * cell}" height="${(y1 - y0) * cell}"/>`);
    if (frame.numbers && cell >= 13) frame.numbers.forEach((count, n) => {
      if (!count) return;
      const i = y0 + Math.floor(n / (x1 - x0)), j = x0 + n % (x1 - x0), text = String(count);
      const size = Math.min(12, 1.6 * cell / Math.max(text.length, 2));
      const dark = count / frame.most > 0.75;
      if (size >= 5) out.push(`<text x="${left + (j + 0.5) * cell}" y="${top + (i + 0.5) * cell + size * 0.36}"
        font-size="${size}" class="${dark ? "light" : "ink"}">${text}</text>`);
    });
    square.querySelector("svg").innerHTML = out.join("");
    const thin = cell < 3 ? ' style="stroke:none"' : "";
    find(".rows").innerHTML = `<path d="${curve(frame.profile[0], top + y0 * cell, cell, true)}"${thin}/>`;
    find(".columns").innerHTML = `<path d="${curve(frame.profile[1], left + x0 * cell, cell, false)}"${thin}/>`;
    find(".said").textContent = frame.said;
    find(".where").textContent = `map ${shown + 1} of ${now.frames.length}, ${frame.size.join("×")}`;
    square.setAttribute("aria-label", `Map ${shown + 1}: ${frame.said}`
      + (shown ? "" : " Arrow keys choose another output."));
    square.classList.toggle("choose", shown === 0);
    [...list.children].forEach((row, i) => {
      row.setAttribute("aria-selected", i === at);
      row.classList.toggle("peek", i === peek);
    });
    list.setAttribute("aria-activedescendant", `${now.id}-${at}`);
    find(".back").disabled = at === 0;
    find(".step").disabled = at === now.frames.length - 1;
  }

  const stop = () => {
    clearInterval(timer);
    timer = null;
    find(".play").textContent = "▶ Play";
    find(".said").setAttribute("aria-live", "polite");
  };
  const goTo = i => {
    at = further(i, 0, now.frames.length);
    peek = null;
    draw();
    const row = list.children[at];
    list.scrollTop = Math.max(0, row.offsetTop - list.clientHeight / 2);
  };
  const play = () => {
    if (timer) return stop();
    if (at === now.frames.length - 1) goTo(0);
    find(".play").textContent = "❚❚ Pause";
    find(".said").setAttribute("aria-live", "off");
    timer = setInterval(() => {
      goTo(at + 1);
      if (at === now.frames.length - 1) stop();
    }, now.frames.length > 10 ? 500 : 900);
  };
  find(".play").addEventListener("click", play);
  find(".step").addEventListener("click", () => { stop(); goTo(at + 1); });
  find(".back").addEventListener("click", () => { stop(); goTo(at - 1); });

  const rowAt = event => event.target.closest("[data-i]");
  list.addEventListener("click", event => { if (rowAt(event)) { stop(); goTo(Number(rowAt(event).dataset.i)); } });
  list.addEventListener("pointermove", event => {
    const row = rowAt(event);
    if (timer || !row || Number(row.dataset.i) === peek) return;
    peek = Number(row.dataset.i);
    draw();
  });
  list.addEventListener("pointerleave", () => { if (peek !== null) { peek = null; draw(); } });
  list.addEventListener("keydown", event => {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
    if (step === undefined) return;
    stop();
    goTo(further(at, step, now.frames.length));
    event.preventDefault();
  });

  const choose = place => {
    const [height, width] = now.frames[0].size;
    const inside = [further(place[0], 0, height), further(place[1], 0, width)];
    if (String(inside) === String(now.place)) return;
    now = { ...now, place: inside }; // several key presses may come before the answer
    tell({ place: inside });
  };
  square.addEventListener("click", event => {
    if (at !== 0) return;
    const box = square.getBoundingClientRect(), { cell, left, top } = plan(now.frames[0].size);
    const x = (event.clientX - box.left) * SIDE / box.width, y = (event.clientY - box.top) * SIDE / box.height;
    const place = [Math.floor((y - top) / cell), Math.floor((x - left) / cell)];
    const [height, width] = now.frames[0].size;
    if (place[0] >= 0 && place[1] >= 0 && place[0] < height && place[1] < width) choose(place);
  });
  square.addEventListener("keydown", event => {
    const move = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!move) return;
    event.preventDefault();
    if (at !== 0) { stop(); goTo(0); return; }
    choose([now.place[0] + move[0], now.place[1] + move[1]]);
  });
  root.addEventListener("keydown", event => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey && event.key !== "Escape") event.stopPropagation();
  });

  now = { ...now, id: `ied-field-${Math.random().toString(36).slice(2)}` };
  fill();
  return {
    update: next => {
      const other = next.key !== now.key;
      now = { ...next, id: now.id };
      if (other) { stop(); at = 0; }
      peek = null;
      fill();
    },
    remove: stop,
  };
}
