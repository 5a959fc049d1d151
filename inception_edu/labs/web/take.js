// needs: keys.js theme.js
// What a reader takes away: the configuration as code, the curves as CSV, PNG, SVG.
//
// value: { code, number, name, mime, data (base64), ready };   tell: { take: "code" | "csv" | … }
function mount(el, value, tell) {
  let number = value.number, code = "";
  const row = el.appendChild(document.createElement("div"));
  row.className = "ied-take-row";
  const box = el.appendChild(document.createElement("pre"));
  box.tabIndex = 0;
  box.setAttribute("aria-label", "the configuration as code");
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  const buttons = ["copy as code", "CSV", "PNG", "SVG"].map(words => {
    const button = row.appendChild(document.createElement("button"));
    button.type = "button";
    button.textContent = words;
    const kind = words === "copy as code" ? "code" : words.toLowerCase();
    button.addEventListener("click", () => { code = ""; tell({ take: kind }); });
    return button;
  });
  row.append(said);
  const show = next => {
    buttons.slice(1).forEach(button => { button.disabled = !next.ready; });
    box.style.display = next.code ? "" : "none";
    if (next.code && next.code !== code) {
      box.textContent = code = next.code;
      navigator.clipboard?.writeText(code).then(
        () => { said.textContent = "copied"; }, () => { said.textContent = "select and copy it"; });
    }
    if (!next.code) said.textContent = "";
    if (next.number === number) return;
    number = next.number;
    const link = document.createElement("a");
    link.href = `data:${next.mime};base64,${next.data}`;
    link.download = next.name;
    link.click();
    said.textContent = `saved ${next.name}`;
  };
  show({ ...value, number });
  keepKeys(el);
  return { update: show, remove: () => {} };
}
