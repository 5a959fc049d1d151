// needs: keys.js
// A piece of code that can be copied.
//
// value: { text, title }
function mount(el, value, tell) {
  const root = document.createElement("details");
  root.className = "ied-code-page";
  root.innerHTML = `<summary></summary><button type="button">Copy</button>
    <span role="status" class="done"></span><pre tabindex="0"></pre>`;
  el.append(root);
  const pre = root.querySelector("pre"), done = root.querySelector(".done");
  const show = next => {
    root.querySelector("summary").textContent = next.title;
    pre.textContent = next.text;
    pre.setAttribute("aria-label", next.title);
    done.textContent = "";
  };
  root.querySelector("button").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(pre.textContent);
      done.textContent = "Copied.";
    } catch { // a page without the right to write: mark it, so that Ctrl+C does it
      const range = document.createRange();
      range.selectNodeContents(pre);
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      done.textContent = "Marked: press Ctrl+C.";
    }
  });
  show(value);
  keepKeys(el);
  return { update: show, remove: () => {} };
}
