// needs: keys.js
// A drawing whose boxes can be chosen, by mouse or keyboard, and say something about themselves.
//
// value: { svg, kinds: ["conv", …] classes of the boxes that can be chosen, selected: its data-path,
//          upwards: data flows up, grid: branches stand beside each other, so that Up and Down follow
//          one of them and Left and Right change to another, plane: the boxes are points of a plane, so that Left and Right
//          go along it, facts: { data-path: a sentence }, height: at most so many pixels,
//          said: the name of the list, hint: what stands there while no box is pointed at,
//          pictures: { data-path: SVG } what is drawn beside, of the box that is pointed at }
// tells: { choose: data-path }

/** The place that an arrow key leads to from the one at `from`, or -1. `places`: [x, y] of centres
 *  and the width. Up and Down stay in a branch, or go where it splits; Left and Right take the nearest beside. */
export function towards(places, from, key) {
  const [x, y, wide] = places[from], upright = key === "ArrowUp" || key === "ArrowDown";
  const sign = key === "ArrowUp" || key === "ArrowLeft" ? -1 : 1;
  let best = -1, least = Infinity;
  places.forEach(([u, v], i) => {
    const along = sign * (upright ? v - y : u - x), beside = Math.abs(upright ? u - x : v - y);
    if (along < 2 || (upright && beside > 0.9 * wide)) return;
    const far = along + 3 * beside;
    if (far < least) [best, least] = [i, far];
  });
  return best;
}

function mount(el, value, tell) {
  let now = value, boxes = [], drawn = null;
  const root = document.createElement("div"), picture = document.createElement("div");
  const beside = document.createElement("div");
  const facts = document.createElement("p");
  root.className = "ied-diagram-page";
  facts.className = "fact";
  facts.setAttribute("role", "status");
  beside.className = "beside";
  beside.setAttribute("aria-hidden", "true"); // the fact says it
  root.append(picture, beside, facts);
  el.append(root);

  const pathOf = box => box.dataset.path;
  const say = box => {
    if (!now.facts) return;
    const path = box ? pathOf(box) : now.selected;
    facts.textContent = now.facts[path] ?? now.hint ?? "";
    if (now.pictures && beside.dataset.of !== path) {
      beside.dataset.of = path;
      beside.innerHTML = now.pictures[path] ?? "";
      beside.querySelector("svg")?.classList.add("ied-paper");
    }
  };
  const mark = () => {
    boxes.forEach(box => {
      box.setAttribute("aria-selected", pathOf(box) === now.selected);
      box.setAttribute("tabindex", "-1");
    });
    const stop = boxes.find(box => pathOf(box) === now.selected) ?? boxes[0]; // one stop of the Tab key
    stop?.setAttribute("tabindex", "0");
    facts.hidden = !now.facts;
    beside.hidden = !now.pictures;
    root.classList.toggle("two", Boolean(now.pictures));
    say(boxes.find(box => box === document.activeElement));
  };
  const choose = box => {
    if (pathOf(box) === now.selected) return;
    now = { ...now, selected: pathOf(box) }; // at once; the kernel's answer changes nothing then
    mark();
    tell({ choose: pathOf(box) });
  };
  // Where the boxes stand is known only once the drawing is in the page: it is asked at each key.
  function inOrder(across) {
    const place = new Map(boxes.map(box => [box, (box.querySelector(".box") ?? box).getBBox()]));
    const up = (a, b) => place.get(b).y - place.get(a).y, right = (a, b) => place.get(a).x - place.get(b).x;
    const sorted = [...boxes];
    if (across) sorted.sort((a, b) => right(a, b) || up(a, b));
    else if (now.upwards !== false) sorted.sort((a, b) => up(a, b) || right(a, b));
    return sorted;
  }
  const centres = () => boxes.map(box => {
    const place = (box.querySelector(".box") ?? box).getBBox();
    return [place.x + place.width / 2, place.y + place.height / 2, place.width];
  });
  function key(event, box) {
    const step = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 }[event.key];
    const along = now.upwards === false ? -step : step;
    const order = inOrder(now.plane && /Left|Right/.test(event.key)), i = order.indexOf(box);
    let next = null;
    if (step && now.grid) next = boxes[towards(centres(), boxes.indexOf(box), event.key)] ?? box;
    else if (step) next = order[Math.min(Math.max(i + along, 0), order.length - 1)];
    if (event.key === "Home") next = order[0];
    if (event.key === "End") next = order[order.length - 1];
    if (event.key === "Enter" || event.key === " ") choose(box);
    else if (next) next.focus();
    else return;
    event.preventDefault();
    event.stopPropagation(); // the notebook has keys of its own
  }
  function draw() {
    const focused = picture.contains(document.activeElement) ? pathOf(document.activeElement) : null;
    picture.innerHTML = now.svg;
    drawn = now.svg;
    const svg = picture.querySelector("svg");
    if (!svg) return;
    svg.classList.add("ied-paper");
    if (now.height) svg.style.maxHeight = `${now.height}px`;
    svg.setAttribute("role", "listbox");
    if (now.said) svg.setAttribute("aria-label", now.said);
    boxes = [...svg.querySelectorAll("g[data-path]")].filter(g => now.kinds.includes(g.getAttribute("class")));
    boxes.forEach(box => {
      box.setAttribute("role", "option");
      const words = [...box.querySelectorAll("text")].map(t => t.textContent).join(" ");
      box.setAttribute("aria-label", words);
      if (now.facts) box.querySelector("title")?.remove(); // the fact is said below
      box.addEventListener("click", () => { choose(box); box.focus(); });
      box.addEventListener("keydown", event => key(event, box));
      box.addEventListener("focus", () => say(box));
      box.addEventListener("blur", () => say(null));
      box.addEventListener("pointerenter", () => say(box));
      box.addEventListener("pointerleave", () => say(boxes.find(b => b === document.activeElement)));
    });
    mark();
    boxes.find(box => pathOf(box) === focused)?.focus();
  }
  draw();
  keepKeys(el);
  return {
    update: next => {
      now = next;
      if (now.svg !== drawn) draw();
      else mark();
    },
    remove: () => {},
  };
}
