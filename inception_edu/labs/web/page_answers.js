// needs: page_python.js page_controls.js
// What a reader answers in a web page: predictions, which the page keeps, and exercises, which
// Python in the page checks. Answers stay in this browser.

const PATIENCE = 20_000; // milliseconds that an answer may take to run

const memory = {
  get(name) {
    try { return localStorage.getItem(`inception-edu:${name}`); } catch { return null; }
  },
  set(name, text) {
    try { localStorage.setItem(`inception-edu:${name}`, text); } catch { /* private window */ }
    document.dispatchEvent(new Event("ied-kept"));
  },
};
const cardOf = (place, css) => place.closest(".cell_output")?.querySelector(css);

// The choices of a prediction become buttons; a number is typed.
function prediction(place) {
  const card = cardOf(place, ".ied-predict"), { name, unit } = place.dataset;
  if (!card) return;
  const row = make("div", "ied-answers"), said = make("div", "ied-said");
  said.setAttribute("role", "status");
  const choices = [...card.querySelectorAll(":scope > div > span")].map(node => node.textContent);
  const buttons = choices.map(words => {
    const button = make("button", "ied-button", words);
    button.type = "button";
    button.addEventListener("click", () => memory.set(name, words));
    return button;
  });
  row.append(...buttons);
  if (!choices.length) {
    const field = make("input"), keep = make("button", "ied-button", "Keep");
    field.inputMode = "decimal";
    field.setAttribute("aria-label", `your number${unit ? ` in ${unit}` : ""}`);
    keep.type = "button";
    keep.addEventListener("click", () => {
      const number = Number(field.value.replace(",", "."));
      if (field.value.trim() && isFinite(number)) memory.set(name, String(number));
      else said.textContent = `“${field.value}” is no number.`;
    });
    row.append(field, keep);
  }
  const show = () => {
    const kept = memory.get(name);
    buttons.forEach(node => node.setAttribute("aria-pressed", node.textContent === kept));
    said.textContent = kept === null ? "Your answer is kept, and stands beside the outcome later."
      : `Kept: ${kept}${unit ? ` ${unit}` : ""}`;
  };
  document.addEventListener("ied-kept", show);
  card.querySelector(":scope > div")?.remove();
  card.append(row, said);
  show();
}

// Beside an outcome stands what the reader predicted.
function outcome(place) {
  const card = cardOf(place, ".ied-outcome"), { name, unit } = place.dataset;
  if (!card) return;
  const said = make("div", "ied-predicted");
  card.prepend(said);
  const show = () => {
    const kept = memory.get(name);
    said.textContent = kept === null ? "" : `You predicted ${kept}${unit ? ` ${unit}` : ""}.`;
  };
  document.addEventListener("ied-kept", show);
  show();
}

// An exercise: the cell becomes a field to write in, and Check runs the package's own check.
function exercise(place) {
  const given = JSON.parse(place.querySelector("script").textContent), key = `exercise:${given.name}`;
  const field = make("textarea"), bar = make("div", "ied-answers");
  const check = make("button", "ied-button ied-primary", "Check");
  const again = make("button", "ied-button", "Start again");
  const said = make("span", "ied-said"), verdict = make("div", "ied-verdict-place");
  field.setAttribute("aria-label", `your answer to exercise ${given.name}`);
  field.spellcheck = false;
  field.autocapitalize = "off";
  field.value = memory.get(key) ?? given.code;
  field.rows = Math.max(3, field.value.split("\n").length + 1);
  said.setAttribute("role", "status");
  for (const button of [check, again]) button.type = "button";

  async function run() {
    check.disabled = true;
    said.textContent = python.worker ? "checking …"
      : COMING;
    let clock;
    try {
      await ask("");
      const late = new Promise((_, failed) => { clock = setTimeout(() => {
        stopPython(Error("it ran for more than 20 s, so it was stopped"));
        failed(Error("it ran for more than 20 s, so it was stopped"));
      }, PATIENCE); });
      const answer = ask("checked", given.prelude, field.value, given.check);
      const { html, printed } = JSON.parse(await Promise.race([answer, late]));
      verdict.innerHTML = html;
      if (printed) verdict.append(make("pre", "", printed));
      said.textContent = "";
    } catch (error) {
      said.textContent = `This did not work: ${error.message}.`;
    }
    clearTimeout(clock);
    check.disabled = false;
  }
  check.addEventListener("click", run);
  again.addEventListener("click", () => {
    field.value = given.code;
    memory.set(key, given.code);
    verdict.replaceChildren();
    said.textContent = "";
  });
  field.addEventListener("input", () => memory.set(key, field.value));
  field.addEventListener("keydown", event => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
  });
  bar.append(check, again, said);
  place.append(field, bar, verdict);
  const cell = place.closest(".cell");
  cell.querySelector(".cell_input")?.setAttribute("hidden", "");
  const next = cell.nextElementSibling; // the notebook's own check
  if (next?.classList.contains("cell")) next.hidden = true;
}
