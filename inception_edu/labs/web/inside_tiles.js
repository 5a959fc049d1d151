// needs: keys.js inside_common.js
// The maps of one block, a row a part. Point at a tile: its field is shown on the picture. Press it:
// its channel is shown large. Press a branch: it is switched off.
//
// value: what inside_parts.tiles_part gives.

function mount(el, value, tell) {
  let now = value;
  const points = pointing(el, tell);

  function tile(row, map, named) {
    const here = now.chosen[0] === row.part && now.chosen[1] === map.c;
    const canvas = make("canvas", { "aria-hidden": "true" });
    if (!map.silent) paint(canvas, map, shadeOf);
    const state = map.silent ? "silent on this picture" : `largest ${map.most}`;
    const button = make("button", {
      class: "ied-tile" + (map.silent ? " ied-silent" : ""), "aria-pressed": String(here),
      "aria-label": `channel ${map.c} of ${row.part}${named}, ${state}`, title:
      `channel ${map.c}: ${state}`, "data-key": `${row.part}|${map.c}${named}`,
      onclick: () => tell({ choose: [row.part, map.c] }),
    }, canvas);
    if (!named) {
      const dot = make("span", { class: "ied-dot", "aria-hidden": "true" });
      button.append(dot);
      readable(button, () => ({ h: row.h, w: row.w, q: map.q }), (y, x) => {
        el.querySelectorAll(".ied-dot").forEach(other => { other.style.display = "none"; });
        Object.assign(dot.style, { display: "block", top: `${100 * (y + 0.5) / row.h}%`,
          left: `${100 * (x + 0.5) / row.w}%` });
        points.at([row.part, map.c, y, x], row.windows);
      });
    }
    return button;
  }

  function heading(row) {
    const mark = make("span", { class: "ied-mark", style: `background:${row.colour}` });
    const switching = row.branch && make("button", {
      class: "ied-branch", "aria-pressed": String(row.off), "data-key": `off ${row.branch}`,
      title: row.off ? "switch it on again" : "switch it off and see the answer change",
      onclick: () => tell({ branch: row.branch }), text: row.words,
      "aria-label": `${row.words}: switched off`,
    });
    const few = row.tiles.length, all = row.count;
    const more = (few < all || row.open) && make("button", {
      class: "ied-more", "data-key": `more ${row.part}`,
      text: row.open ? "fewer" : `all ${all}`, "aria-label":
      row.open ? `fewer channels of ${row.part}` : `all ${all} channels of ${row.part}`,
      onclick: () => tell({ open: row.open ? "" : row.part }),
    });
    const [page, pages] = row.page, next = row.open && pages > 1 && make("button", {
      class: "ied-more", "data-key": `next ${row.part}`, title: "the next ones, weaker by degrees",
      text: `${row.first + 1}–${row.first + few} of ${all} ›`,
      "aria-label": `channels ${row.first + 1} to ${row.first + few} of ${all} of ${row.part}: next`,
      onclick: () => tell({ open: row.part, page: (page + 1) % pages }),
    });
    return make("div", { class: "ied-head" }, mark,
      switching || make("b", { text: row.words }),
      make("span", { class: "ied-faint", text: row.note,
        title: row.branch ? `a value here sees ${row.note}` : row.note }), next || null, more || null);
  }

  // Beside another network: four channels of this one, and four of that.
  function line(row) {
    const mine = row.tiles.map(map => tile(row, map, ""));
    const theirs = (row.other || []).map(map => tile(row, map, `, ${now.compared}`));
    const none = now.compared && !row.other
      ? make("span", { class: "ied-faint ied-none", text: "it has no such part" }) : null;
    return make("div", { class: "ied-row" + (row.off ? " ied-off" : "") }, heading(row),
      make("div", { class: "ied-tiles" + (now.compared ? " ied-pair" : "") },
        ...now.compared ? [make("div", { class: "ied-tiles" }, ...mine),
          none || make("div", { class: "ied-tiles" }, ...theirs)] : mine));
  }

  function show() {
    const blocks = make("div", { class: "ied-blocks", role: "group", "aria-label": "block" },
      ...now.blocks.map(block => make("button", {
        text: block.short, "aria-pressed": String(block.here), "aria-label": block.name,
        title: block.name, "data-key": block.name, onclick: () => tell({ block: block.name }),
      })));
    const key = make("div", { class: "ied-key ied-faint" },
      make("span", { text: "0" }), make("span", { class: "ied-scale", "aria-hidden": "true" }),
      make("span", { text: "most in the row; orange: below 0; crossed: silent" }));
    const sides = now.compared ? make("div", { class: "ied-pair ied-sides ied-faint" },
      make("span", { text: "this network" }),
      make("span", { text: now.compared + (now.theirs === now.block ? "" : `, ${now.theirs}`) })) : null;
    redraw(el, [make("h4", { text: now.title }), blocks, sides,
      make("div", { class: "ied-scroll" }, ...now.rows.map(line)), key]);
  }

  show();
  keepKeys(el);
  return { update: next => { now = next; show(); }, remove: points.remove };
}
