// Python beside a page: Pyodide and the package, without torch, in a worker of their own, so that the
// page never waits. Told { number, name, given }, it calls a function of
// inception_edu.labs.in_page and answers { number, value } or { number, error }.

const here = new URL(".", import.meta.url);

async function file(name) {
  const answer = await fetch(new URL(name, here));
  if (!answer.ok) throw Error(`${name}: ${answer.status}`);
  return answer;
}

// The memory of a Python that has opened every lab (tools/snapshot.mjs), where the site has one.
async function snapshot() {
  const { memory } = await (await file("start.json")).json();
  if (!memory) return undefined;
  const packed = (await file(memory)).body;
  return new Uint8Array(
    await new Response(packed.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer());
}

async function load() {
  const [memory, files, { loadPyodide }, { default: python }] = await Promise.all([
    snapshot(), file("inception_edu.zip").then(answer => answer.arrayBuffer()),
    import(new URL("pyodide/pyodide.mjs", here)),
    import(new URL("pyodide/pyodide.asm.mjs", here)),
  ]);
  // A fresh Python has 30 MB and does not grow by itself to what a kept memory needs.
  const roomy = async settings => {
    const module = await python(settings);
    if (memory.length > module.HEAP8.length) module.growMemory(memory.length);
    return module;
  };
  const pyodide = await loadPyodide({
    indexURL: new URL("pyodide/", here).href,
    ...memory ? { _loadSnapshot: memory, createPyodideModule: roomy } : {},
  });
  pyodide.unpackArchive(files, "zip", { extractDir: "/lab" });
  pyodide.runPython(`
import importlib, sys
if "/lab" not in sys.path:
    sys.path.insert(0, "/lab")
importlib.invalidate_caches()
`);
  return pyodide.pyimport("inception_edu.labs.in_page");
}

const page = load();
onmessage = async ({ data: { number, name, given } }) => {
  let found;
  try { found = await page; }
  catch (error) { return postMessage({ number, error: error.message, lost: true }); }
  try { postMessage({ number, value: name ? found[name](...given) : null }); }
  catch (error) {
    const lines = error.message.trim().split("\n");
    postMessage({ number, error: lines[lines.length - 1] });
  }
};
