// needs: keys.js inside_common.js inside_draw.js picture.js
// The picture, with the field of what is pointed at, the network's answers, and ways to bring a
// picture of one's own.
//
// value: what inside_parts.picture_part gives.

function mount(el, value, tell) {
  let now = value, frame = null;

  const image = make("img"), shade = make("canvas", { "aria-hidden": "true" });
  const box = make("div", { class: "ied-field", "aria-hidden": "true" });
  const stage = make("div", { class: "ied-stage" }, image, shade, box);
  const field = make("p", { class: "ied-faint ied-words", "aria-live": "polite" });
  const note = make("p", { class: "ied-faint ied-note-own" });
  const rest = make("div");
  const input = make("input", {
    type: "file", multiple: true, accept: "image/*,.heic,.heif,.avif,.tif,.tiff",
    "aria-label": "choose pictures of your own", class: "ied-file",
    onchange: () => { take([...input.files]); input.value = ""; },
  });
  const choose = make("button", { text: "choose…", onclick: () => input.click() });
  const paste = make("button", { text: "paste", title: "or press Ctrl+V here", onclick: fromClipboard });
  const pen = drawing(stage, () => now, tell);
  const own = make("div", { class: "ied-own" }, choose, paste, pen.button, input, pen.tools);
  el.append(stage, field, own, note, rest);

  async function take(files) {
    for (const file of files) {
      note.textContent = `reading ${file.name} …`;
      try { tell({ file: await shrinkPicture(file) }); }
      catch (error) { note.textContent = error.message; tell({ refused: error.message }); }
    }
  }
  async function fromClipboard() {
    try {
      for (const item of await navigator.clipboard.read()) {
        const kind = item.types.find(type => type.startsWith("image/"));
        if (kind) return take([new File([await item.getType(kind)], "pasted picture")]);
      }
      note.textContent = "There is no picture in the clipboard: copy one first.";
    } catch {
      note.textContent = "The browser does not hand out its clipboard here: click the picture and "
        + "press Ctrl+V (⌘V).";
      stage.focus();
    }
  }
  const pasted = event => {
    const files = [...event.clipboardData?.files || []].filter(f => f.type.startsWith("image/"));
    if (!files.length) return;
    event.preventDefault();
    event.stopPropagation();
    take(files.map(f => new File([f], "pasted picture", { type: f.type })));
  };
  const dragged = event => { event.preventDefault(); event.stopPropagation();
    stage.classList.add("ied-drop"); };
  const left = () => stage.classList.remove("ied-drop");
  const dropped = event => { dragged(event); left(); take([...event.dataTransfer.files]); };
  stage.tabIndex = 0;
  stage.setAttribute("role", "group");
  el.addEventListener("paste", pasted);
  el.addEventListener("dragover", dragged);
  el.addEventListener("dragleave", left);
  el.addEventListener("drop", dropped);

  function showFrame() {
    const at = frame;
    box.style.display = at ? "block" : "none";
    if (!at) return;
    const percent = (v, all) => `${100 * v / all}%`;
    Object.assign(box.style, { top: percent(at[0], now.h), left: percent(at[1], now.w),
      height: percent(at[2] - at[0], now.h), width: percent(at[3] - at[1], now.w) });
  }

  // The frame follows the pointer at once; the shade comes from the kernel a moment later.
  const stopHearing = hearLab(el, "ied-point", ({ point, windows }) => {
    shade.style.display = "none";
    if (!windows) return;
    const [y, x] = point.slice(2);
    const [rows, columns] = windows;
    const top = rows[0] + y * rows[1], side = columns[0] + x * columns[1];
    frame = [top, side, top + rows[2], side + columns[2]];
    showFrame();
  });

  const bar = (answer, best, right) => make("li", {},
    make("span", { class: "ied-bar", "aria-hidden": "true",
      style: `width:${Math.max(1, 72 * answer.share)}px;${best ? "" : "opacity:.45"}` }),
    make(best ? "b" : "span", { class: "ied-said",
      text: `${answer.name}${answer.name === right ? " ✓" : ""}` }),
    make("span", { class: "ied-share", text: percent(answer.share) }));

  function show() {
    if (image.getAttribute("src") !== now.src) image.src = now.src;
    image.alt = `what enters the network: ${now.name}, ${now.w}×${now.h} pixels`;
    image.style.imageRendering = now.w <= 128 ? "pixelated" : "auto";
    stage.setAttribute("aria-label", "the picture: drop or paste one of your own here");
    shade.style.display = now.shade ? "block" : "none";
    if (now.shade) paint(shade, now.shade, SHADE_OVER);
    frame = now.frame;
    showFrame();
    pen.changed();
    field.textContent = now.words;
    note.textContent = note.title = now.refused || now.note;
    note.classList.toggle("ied-wrong", Boolean(now.refused));
    const { other } = now, shares = list =>
      list.map(a => `${a.name} ${percent(a.share).replace(" ", "\u00a0")}`).join(", ");
    const parts = [make("h4", { text: "The answer" }), make("ul", { class: "ied-answers" },
      ...now.answers.map((answer, i) => bar(answer, i === 0, now.right))),
    make("div", { class: "ied-changes" },
      make("p", { class: "ied-changed", role: "status", text: now.off }),
      make("p", { class: "ied-other", role: "status",
        text: other ? `${other.words}: it says ${shares(other.answers)}` : "" }))];
    rest.replaceChildren(...parts);
    tellLab(el, "ied-answered");
  }

  show();
  keepKeys(el);
  return { update: next => { now = next; show(); }, remove: stopHearing };
}
