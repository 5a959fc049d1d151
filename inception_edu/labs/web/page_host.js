// needs: page_python.js page_controls.js page_answers.js
// Labs in a web page without Jupyter: draws what a lab renders (JSON from labs/in_page.py) and sends
// what the reader does. A place for a lab is
//
//   <div class="ied-page-lab" data-lab="shape_explorer" data-settings="{…}" data-arguments="[…]">
//     <script type="application/json">{ name, title, view, keys, index, alive, usual, about, closed }
//     </script>
//
// The view is drawn at once; what its components do by themselves (films, charts, the convolution)
// needs nothing else. `alive`: what else the reader does starts Python, once a page. `keys`: the
// controls of a lab whose views are recorded; `index`: the file that says which view belongs to which
// choice, and its link. What such a lab has beside that is disabled, and `closed` says so.
// `usual`: the link to the lab as it stands there.

async function partBox(first, tell) {
  const node = make("div", `ied-part ${classOf(first.key)}`);
  const { mount } = await import(new URL(`labs/${first.kind}.mjs`, here));
  const look = new URL(`labs/${first.kind}.css`, here).href;
  if (!document.querySelector(`link[href="${look}"]`)) {
    const link = make("link");
    link.rel = "stylesheet";
    link.href = look;
    document.head.append(link);
  }
  let component = null, value = null;
  const show = part => {
    node.hidden = part.hidden;
    const next = JSON.stringify(part.value);
    if (next === value) return;
    value = next;
    if (component) component.update(part.value);
    else component = mount(node, part.value, tell);
  };
  return { node, show };
}

function arrange(item, nodes) {
  if (typeof item === "string") return nodes.get(item);
  const group = make("div", item.row ? "ied-row" : "ied-column");
  if (item.width) group.style.setProperty("--ied-width", item.width);
  group.append(...item.items.map(child => arrange(child, nodes)));
  return group;
}

class PageLab {
  constructor(place) {
    this.place = place;
    Object.assign(this, JSON.parse(place.querySelector("script").textContent));
    this.boxes = new Map();
    this.queue = [];
    this.busy = false;
    this.number = null; // of the lab in Python, once it is there
    this.address = "";
    this.settings = null; // of a lab that does everything in the page
  }

  async open() {
    const { view } = this, nodes = new Map();
    this.status = make("div", "ied-status");
    this.status.setAttribute("aria-live", "polite");
    this.note = make("div", "ied-said");
    this.note.setAttribute("role", "status");
    for (const control of view.controls)
      this.boxes.set(control.key, controlBox(control, (kind, key, v) => this.send(kind, key, v)));
    const parts = await Promise.all(
      view.parts.map(part => partBox(part, said => this.send("tell", part.key, said))));
    view.parts.forEach((part, i) => this.boxes.set(part.key, parts[i]));
    for (const [key, box] of this.boxes) nodes.set(key, box.node);
    nodes.set("status", this.status);
    this.body = make("div", `ied-lab ied-${this.name}`);
    this.body.setAttribute("role", "group");
    this.body.setAttribute("aria-label", this.title);
    this.body.append(arrange(view.layout, nodes), this.note);
    if (this.about) this.body.append(make("div", "ied-about", this.about));
    if (this.settings || this.usual) this.body.append(linkButton(this));
    const theme = () =>
      this.body.classList.toggle("ied-dark", document.documentElement.dataset.theme === "dark");
    new MutationObserver(theme).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    theme();
    this.place.append(this.body);
    this.show(view);
    if (this.body.querySelector("h4")) // its own headings need one above them, for whoever goes by these
      this.body.prepend(make("h3", "ied-heading", this.title));
    const cell = this.place.closest(".cell_output");
    cell?.querySelectorAll(".ied-stored").forEach(node => { node.hidden = true; });
    if (this.address) {
      this.place.scrollIntoView();
      if (this.alive) this.send("look", "");
      if (this.index) {
        const same = decodeURIComponent(this.address);
        this.openRecorded(entry => decodeURIComponent(entry.link) === same);
      }
    }
    // Whoever puts a hand on a control will want Python in a moment.
    for (const sign of ["pointerdown", "focusin"])
      if (this.alive) this.body.addEventListener(sign, () => this.send("look", ""), { once: true });
  }

  show(view) {
    this.shown = view;
    // A control that has been moved again meanwhile stays where the reader's hand has it.
    const moved = new Set(this.queue.filter(({ kind }) => kind === "set").map(({ key }) => key));
    for (const item of [...view.controls, ...view.parts])
      if (!moved.has(item.key)) this.boxes.get(item.key).show(item);
    const [lead, ...more] = view.status.split("\n"); // what counts first, the rest in its own line
    if (more.length) this.status.replaceChildren(make("b", "", lead), make("div", "", more.join(" ")));
    else this.status.textContent = view.status;
    this.status.hidden = !view.status;
    this.status.setAttribute("role", view.alert ? "alert" : "status");
    if (view.note !== undefined) this.say(view.note);
    for (const effect of view.effects || []) this.carryOut(effect);
  }

  // What the reader does, or what a run reports. Of a slider that is dragged only the last counts.
  send(kind, key, value = null) {
    if (this.keys) return this.choose(kind === "set" ? { [key]: value } : value);
    if (this.settings && kind === "tell") { this.settings = value.settings; return; }
    if (!this.alive) return;
    const last = this.queue.at(-1);
    if (last && kind === "set" && last.kind === "set" && last.key === key) last.value = value;
    else this.queue.push({ kind, key, value });
    if (!this.busy) this.work();
  }

  // Of a lab with recorded views: the one in which the controls have these values.
  choose(said) {
    if (said?.point !== undefined) return; // what is pointed at, for a kernel that draws more
    const key = this.keys.find(name => said?.[name] !== undefined);
    if (!key) { this.say(this.closed); return; }
    const { controls } = this.shown;
    const wanted = this.keys.map(name =>
      name === key ? said[name] : controls.find(control => control.key === name).text);
    this.openRecorded(entry => entry.chosen.every((words, i) => words === wanted[i]));
  }

  async openRecorded(fits) {
    const turn = this.turn = (this.turn ?? 0) + 1; // a later choice counts, whichever comes first
    const read = name => fetch(new URL(name, here)).then(answer => answer.json());
    try {
      this.entries ??= read(this.index);
      const entry = (await this.entries).find(fits);
      if (!entry) { this.say(this.closed); return; }
      const view = await read(entry.file);
      if (turn !== this.turn) return;
      this.show(view);
      this.usual = entry.link;
      this.say("");
    } catch (error) {
      this.entries = undefined;
      this.say(`This did not work (${error.message}). Try again, or reload the page.`);
    }
  }

  say(words) { this.note.textContent = words; }

  async work() {
    this.busy = true;
    try {
      if (this.number === null || this.worker !== python.worker) {
        this.say(COMING);
        const { lab, settings, arguments: given } = this.place.dataset;
        this.number = await ask("opened", lab, settings, given, this.address);
        this.worker = python.worker;
        this.show(JSON.parse(await ask("view", this.number)));
        this.place.dataset.ready = "yes";
      }
      while (this.queue.length) {
        let { kind, key, value } = this.queue.shift();
        if (kind === "look") continue;
        if (kind === "report") // those that came meanwhile are dealt with, and drawn, together
          for (value = [value]; this.queue[0]?.kind === "report";)
            value.push(this.queue.shift().value);
        this.show(JSON.parse(await ask("send", this.number, kind, key, JSON.stringify(value))));
      }
    } catch (error) {
      this.queue = [];
      this.say(`This did not work (${error.message}). Try again, or reload the page.`);
    }
    this.busy = false;
  }

  // Begin or end a run: the page trains by itself (training_worker.js).
  carryOut({ start, stop, job }) {
    if (stop) { this.trainer?.postMessage("stop"); return; }
    this.trainer?.terminate();
    this.trainer = new Worker(new URL("training_worker.js", here), { type: "module" });
    this.trainer.onmessage = ({ data: { kind, value } }) => this.send(kind, start, value);
    this.trainer.onerror = event => this.send("end", start,
      { status: "failed", sentence: `The page could not train: ${event.message}.` });
    this.trainer.postMessage(job);
  }

  async link() {
    if (this.number !== null) return ask("address", this.number);
    if (!this.settings) return this.usual;
    const said = Object.entries(this.settings).filter(([, value]) => value !== null).map(
      ([key, value]) => `${key}=${encodeURIComponent(
        typeof value === "string" ? value : JSON.stringify(value))}`);
    return `${this.place.dataset.lab}?${said.join("&")}`;
  }

  // The link to this lab that the page was opened with.
  take(address) {
    this.address = address;
    if (!this.settings) return;
    for (const [key, text] of new URLSearchParams(address.split("?")[1])) {
      let value = text;
      try { value = JSON.parse(text); } catch { /* a word */ }
      if (key in this.settings) this.settings[key] = value;
    }
  }
}

// The page's address with the lab's settings behind it, to keep or to send.
function linkButton(lab) {
  const box = make("div", "ied-link"), button = make("button", "ied-button", "copy link");
  const said = make("span", "ied-said");
  said.setAttribute("role", "status");
  button.type = "button";
  button.addEventListener("click", async () => {
    location.hash = await lab.link();
    navigator.clipboard?.writeText(location.href).then(
      () => { said.textContent = " copied"; },
      () => { said.textContent = " it is this page's address now"; });
  });
  box.append(button, said);
  return box;
}

let asked = location.hash.slice(1);
for (const place of document.querySelectorAll(".ied-page-lab")) {
  const lab = new PageLab(place);
  if (!lab.alive && !lab.keys && lab.view.parts[0]?.kind === "convolution")
    lab.settings = lab.view.parts[0].value.settings;
  if (asked.startsWith(`${place.dataset.lab}?`)) {
    lab.take(asked);
    asked = "";
  }
  lab.open().catch(error => console.error(`${place.dataset.lab}: ${error.stack}`));
}
document.querySelectorAll(".ied-page-predict").forEach(prediction);
document.querySelectorAll(".ied-page-outcome").forEach(outcome);
document.querySelectorAll(".ied-page-exercise").forEach(exercise);
