// needs: keys.js theme.js
// A run as a film: the tower as a column of blocks whose channels go dark, step by step, and beside
// it a twin in step. It needs no kernel.
//
// value: {
//   towers: [{ id, title, colour, blocks: ["stem", "1", …], steps: […], dead: [[a share a step] a
//              block] }]
//   stops:  [{ step, name, words }]       of the first tower
//   total, said: what to say while there is no tower
// }

function mount(el, value, tell) {
  let now = value, step = null, timer = null, lab = null, built = "", at = 0;
  const make = (parent, tag, css = "", text = "") => {
    const made = parent.appendChild(document.createElement(tag));
    if (css) made.className = css;
    if (text) made.textContent = text;
    return made;
  };
  const towers = make(el, "div", "ied-towers");
  const bar = make(el, "div", "ied-play");
  const stops = make(el, "div", "ied-stops");
  const telling = make(el, "div", "ied-telling");
  const caption = make(telling, "div", "ied-caption");
  caption.setAttribute("role", "status");
  // The longest words so far, unseen: what stands below the caption stays where it is.
  const longest = make(telling, "div", "ied-longest");
  longest.setAttribute("aria-hidden", "true");
  const button = (text, name, act) => {
    const made = make(bar, "button", "", text);
    made.type = "button";
    made.setAttribute("aria-label", name);
    made.title = name;
    made.addEventListener("click", act);
    return made;
  };
  const play = button("▶ play", "play", () => timer ? pause() : start());
  play.className = "ied-go";
  const back = button("‹", "one record back", () => { pause(); move(-1); });
  const on = button("›", "one record on", () => { pause(); move(1); });
  const track = make(bar, "div", "ied-track");
  const scrub = make(track, "input");
  scrub.type = "range";
  scrub.min = 0;
  scrub.setAttribute("aria-label", "step of the run");
  scrub.addEventListener("input", () => { pause(); show(steps()[+scrub.value], true); });
  const marks = make(track, "div", "ied-marks");
  const count = make(bar, "output");

  const steps = () => now.towers[0]?.steps || [];
  function nearest(wanted) {
    let best = 0;
    steps().forEach((s, i) => {
      if (Math.abs(s - wanted) < Math.abs(steps()[best] - wanted)) best = i;
    });
    return best;
  }
  function start() {
    if (!steps().length) return;
    if (at >= steps().length - 1) show(steps()[0], true);
    play.textContent = "❚❚ pause";
    play.setAttribute("aria-label", "pause");
    // Slow where the caption has something to say, quick between.
    const tick = () => {
      if (at >= steps().length - 1) return pause();
      move(1);
      const told = now.stops.some(stop => stop.step === step);
      timer = setTimeout(tick, told ? 2600 : 220);
    };
    timer = setTimeout(tick, 220);
  }
  function pause() {
    clearTimeout(timer);
    timer = null;
    play.textContent = "▶ play";
    play.setAttribute("aria-label", "play");
  }
  function move(by) {
    const next = Math.min(Math.max(at + by, 0), steps().length - 1);
    show(steps()[next], true);
  }

  function build() {
    const shape = JSON.stringify([now.towers.map(t => [t.id, t.title, t.colour, t.blocks]), now.stops,
      isDark()]);
    if (shape === built) return;
    built = shape;
    towers.replaceChildren();
    now.towers.forEach(tower => {
      const box = make(towers, "div", "ied-tower");
      const head = make(box, "div", "ied-tower-head", tower.title);
      head.title = tower.title;
      head.style.color = colourOf(tower.colour);
      tower.bars = [...tower.blocks].reverse().map(name => {
        const row = make(box, "div", "ied-block");
        make(row, "span", "", name);
        const place = make(row, "div", "ied-bar");
        place.style.background = colourOf(tower.colour) + (isDark() ? "cc" : "a6");
        return { dead: make(place, "div", "ied-dead"), share: make(row, "span", "ied-share") };
      });
    });
    bars = now.towers.map(tower => tower.bars);
    stops.replaceChildren();
    // Where on the bar a stop lies; the bar's handle is 16 pixels wide.
    const last = Math.max(1, steps().length - 1);
    marks.replaceChildren(...now.stops.map(stop => {
      const mark = document.createElement("i"), share = nearest(stop.step) / last;
      mark.style.left = `calc(8px + ${share} * (100% - 16px))`;
      return mark;
    }));
    for (const stop of now.stops)
      if (stop.words.length > longest.textContent.length) longest.textContent = stop.words;
    now.stops.forEach((stop, i) => {
      // Five numbers more would not fit into one line.
      const made = make(stops, "button", "", now.stops.length > 4 ? stop.name : `${i + 1} ${stop.name}`);
      made.type = "button";
      made.title = `step ${stop.step}`;
      made.dataset.step = stop.step;
      made.addEventListener("click", () => { pause(); show(stop.step, true); });
    });
  }
  let bars = [];

  function paint() {
    const list = steps();
    scrub.max = Math.max(0, list.length - 1);
    scrub.disabled = play.disabled = !list.length;
    if (!list.length) {
      caption.textContent = now.said || "";
      count.textContent = "";
      return;
    }
    at = nearest(step ?? list[list.length - 1]);
    scrub.value = at;
    // Said, and not switched off: a key that was pressed to the end keeps its place.
    back.setAttribute("aria-disabled", at === 0);
    on.setAttribute("aria-disabled", at === list.length - 1);
    const here = list[at];
    scrub.setAttribute("aria-valuetext", `step ${here} of ${now.total}`);
    count.textContent = `step ${here} of ${now.total}`;
    now.towers.forEach((tower, t) => {
      let i = -1;
      tower.steps.forEach((s, k) => { if (s <= here) i = k; });
      [...tower.dead].reverse().forEach((shares, b) => {
        const share = i < 0 ? 0 : shares[i] ?? 0, { dead, share: text } = bars[t][b];
        dead.style.width = `${100 * share}%`;
        const said = share === 0 ? "0" : share < 0.01 ? "<1 %" : `${Math.round(100 * share)} %`;
        if (text.textContent !== said) text.textContent = said;
      });
    });
    let stop = null;
    now.stops.forEach(s => { if (s.step <= here) stop = s; });
    stops.querySelectorAll("button").forEach(made =>
      made.setAttribute("aria-pressed", stop && +made.dataset.step === stop.step));
    const said = stop ? stop.words : now.said || "";
    if (caption.textContent !== said) caption.textContent = said;
  }

  function show(wanted, send) {
    step = wanted;
    paint();
    if (send) goTo(el, wanted, api);
  }

  const hear = event => {
    if (event.detail.from === api) return;
    if (event.detail.from !== "run") pause();
    show(event.detail.step, false);
  };
  const draw = () => { build(); paint(); };
  const tick = requestAnimationFrame(() => {
    lab = labOf(el);
    lab.addEventListener("ied-step", hear);
    keepKeys(el);
    draw();
  });
  el.addEventListener("keydown", event => {
    if (event.key === " " && event.target === scrub) {
      event.preventDefault();
      timer ? pause() : start();
    }
  });
  const offTheme = onTheme(draw);
  const api = {
    update: next => {
      const other = JSON.stringify(next.towers.map(t => t.id))
        !== JSON.stringify(now.towers.map(t => t.id));
      now = next;
      if (other) { pause(); step = null; }
      draw();
      if (other) goTo(el, null, api);  // the curves show their ends again, as the towers do
    },
    remove: () => {
      pause(); cancelAnimationFrame(tick); offTheme();
      lab?.removeEventListener("ied-step", hear);
    },
  };
  return api;
}
