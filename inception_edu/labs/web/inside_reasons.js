// needs: keys.js inside_common.js
// One channel, large over the picture; what excites it, who listens to it, what it adds to the
// answer; and why the network says what it says.
//
// value: what inside_parts.reasons_part gives.

function mount(el, value, tell) {
  let now = value;
  const points = pointing(el, tell);

  function over(map, colour, label, attributes = {}) {
    const canvas = make("canvas", { "aria-hidden": "true" });
    paint(canvas, map, colour);
    const image = make("img", { src: now.src, alt: "", "aria-hidden": "true" });
    image.style.imageRendering = now.image[1] <= 128 ? "pixelated" : "auto";
    return make("div", { class: "ied-over", role: "img", "aria-label": label, ...attributes },
      image, canvas);
  }

  function large(read) {
    const box = over(now.map, MAP_OVER, `${now.title} on the picture, largest ${words(now.map.top)}; `
      + "arrow keys read values", { tabindex: "0", "data-key": "large" });
    const values = unpack(now.map.q);
    readable(box, () => now.map, (y, x) => {
      const here = values[y * now.map.w + x] / 127 * now.map.top;
      read.textContent = `${words(here)} at row ${y}, column ${x}; ${words(now.map.top)} at most`;
      points.at([now.part, now.channel, y, x], now.windows);
    });
    return make("div", { class: "ied-large" }, box);
  }

  function patches() {
    const { shown, can, words: said } = now.patches;
    const look = can && make("button", { text: "look for them", "data-key": "search",
      onclick: () => tell({ search: true }) });
    return make("div", { class: "ied-excites" }, make("h4", { text: "What excites it most" }),
      make("div", { class: "ied-patches" }, ...shown.map(patch =>
        make("img", { src: patch.src, alt: patch.words, title: patch.words }))),
      make("p", { class: "ied-faint", text: said }), look || null);
  }

  const tenths = part => `${(100 * part).toFixed(1)} %`;
  const signed = value => `${value > 0 ? "+" : ""}${words(value)}`;

  function bars(items, widest) {
    return make("ul", { class: "ied-answers" }, ...items.map(item => make("li", {},
      make("span", { class: "ied-name", text: item.name }),
      make("span", { class: "ied-bar", "aria-hidden": "true", style:
        `width:${Math.max(2, 26 * item.size / widest)}px;background:${item.colour}` }),
      make("span", { class: "ied-share", text: item.words }))));
  }

  function branches() {
    const { rows, words: said } = now.branches;
    const cell = (tag, text, scope) => make(tag, { text, scope });
    const line = row => make("tr", {}, make("th", { scope: "row" },
      make("span", { class: "ied-mark", style: `background:${row.colour}`, "aria-hidden": "true" }),
      row.name), ...now.branches.rows.some(r => r.weights != null)
      ? [cell("td", percent(row.weights))] : [], ...row.channel != null
      ? [cell("td", percent(row.channel))] : [],
    cell("td", row.off ? "off now" : row.share == null ? "switch it off" : tenths(row.share)),
    cell("td", row.change == null ? "" : signed(row.change)));
    if (!rows.length) return null;
    return make("div", { class: "ied-decide" }, make("h4", { text: "What each branch decides" }),
      make("table", { class: "ied-decides" }, make("tr", {}, make("td"),
        ...rows.some(r => r.weights != null) ? [cell("th", "weights", "col")] : [],
        ...rows[0].channel != null ? [cell("th", `of ch. ${now.channel}`, "col")] : [],
        cell("th", "without it", "col"), cell("th", "logit", "col")), ...rows.map(line)),
      make("p", { class: "ied-faint", text: said }));
  }

  function effect() {
    const widest = Math.max(...now.effect.map(e => Math.abs(e.value)), 1e-9);
    const items = now.effect.map(e => ({ name: e.name, size: Math.abs(e.value),
      colour: e.value < 0 ? "#d55e00" : "#0072b2",
      words: signed(e.value)
        + (e.weight == null ? "" : ` · ${words(e.weight)}`) }));
    return make("div", { class: "ied-adds" }, make("h4", { text: "What it adds" }),
      bars(items, widest),
      make("p", { class: "ied-faint", text: now.effect.some(e => e.weight != null)
      ? "logit with it − without it · its weight" : "logit with it − logit without it" }));
  }

  function why() {
    const { maps, classes, against, kind } = now.why;
    const pick = (key, text) => make("button", { text, "aria-pressed": String(kind === key),
      "data-key": key, onclick: () => tell({ why: key }) });
    const other = make("select", { "aria-label": "second class", "data-key": "against",
      onchange: () => tell({ against: Number(other.value) }) },
    ...classes.map(([k, name]) => make("option", { value: k, selected: k === against, text: name })));
    const figures = maps.map((map, i) => make("figure", {},
      over(map, WHY_OVER, `${now.why.words}: for ${map.name}`),
      make("figcaption", {}, make("span", { text: "for " }),
        i ? other : make("b", { text: map.name }))));
    return make("div", { class: "ied-why" }, make("div", { class: "ied-head" },
      make("h4", { text: "Why this answer" }), pick("places", "class activation"),
      pick("occlusion", "occlusion")),
    make("div", { class: "ied-figures" }, ...figures),
    make("p", { class: "ied-faint", text: now.why.words }));
  }

  function show() {
    const read = make("p", { class: "ied-read ied-faint", "aria-live": "polite",
      text: now.map.top ? `${words(now.map.top)} at most on this picture` : "silent on this picture" });
    redraw(el, [make("div", { class: "ied-top" }, make("h4", { text: now.title }), read),
      make("div", { class: "ied-channel" }, large(read), patches()),
      make("div", { class: "ied-two" }, branches(), effect()), why()]);
  }

  show();
  keepKeys(el);
  return { update: next => { now = next; show(); }, remove: points.remove };
}
