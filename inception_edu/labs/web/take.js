// needs: keys.js theme.js
// What a reader takes away: the configuration as code, the curves as CSV, PNG, SVG.
//
// value: { code, of: what it is the code of, number, name, mime, data (base64), ready, tips: what a
// button takes, kinds: the files there are };
// link: whether the settings are a link;   tell: { take: "code" | "link" | "csv" | … }.   An SVG of which a PNG is wanted is painted here.
function mount(el, value, tell) {
  let number = value.number, code = "";
  const row = el.appendChild(document.createElement("div"));
  row.className = "ied-take-row";
  const box = el.appendChild(document.createElement("pre"));
  box.tabIndex = 0;
  box.setAttribute("aria-label", "the configuration as code");
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  const texts = ["copy as code", ...value.link ? ["link"] : []];
  const buttons = [...texts, ...value.kinds ?? ["CSV", "PNG", "SVG"]].map(words => {
    const button = row.appendChild(document.createElement("button"));
    button.type = "button";
    button.textContent = words;
    const kind = words === "copy as code" ? "code" : words.toLowerCase();
    button.title = value.tips?.[kind] ?? "";
    button.addEventListener("click", () => { code = ""; tell({ take: kind }); });
    return button;
  });
  row.append(said);
  const show = next => {
    buttons.slice(texts.length).forEach(button => { button.disabled = !next.ready; });
    box.style.display = next.code ? "" : "none";
    if (next.code && next.code !== code) {
      box.textContent = code = next.code;
      navigator.clipboard?.writeText(code).then(
        () => { said.textContent = next.of ? `copied: ${next.of}` : "copied"; },
        () => { said.textContent = "select and copy it"; });
    }
    if (!next.code) said.textContent = "";
    if (next.number === number) return;
    number = next.number;
    const address = `data:${next.mime};base64,${next.data}`;
    const paint = next.name.endsWith(".png") && next.mime === "image/svg+xml";
    (paint ? painted(address) : Promise.resolve(address)).then(href => {
      const link = document.createElement("a");
      Object.assign(link, { href, download: next.name });
      // VS Code saves what a link in the page holds, and hears of no other click.
      document.body.append(link);
      link.click();
      link.remove();
      said.textContent = `saved ${next.name}`;
    }, () => { said.textContent = "this browser cannot paint it: take the SVG"; });
  };
  show({ ...value, number });
  keepKeys(el);
  return { update: show, remove: () => {} };
}

// An SVG as a PNG of twice its size, both as data addresses.
async function painted(address) {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2 * image.naturalWidth, 2 * image.naturalHeight];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/png");
}
