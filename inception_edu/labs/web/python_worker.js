// Python beside a page: Pyodide and the package, without torch, in a worker of their own, so that the
// page never waits. Told { number, name, given }, it calls a function of
// inception_edu.labs.in_page and answers { number, value } or { number, error }.

const here = new URL(".", import.meta.url);

async function load() {
  const files = fetch(new URL("inception_edu.zip", here));
  const { loadPyodide } = await import(new URL("pyodide/pyodide.mjs", here));
  const pyodide = await loadPyodide({ indexURL: new URL("pyodide/", here).href });
  const answer = await files;
  if (!answer.ok) throw Error(`inception_edu.zip: ${answer.status}`);
  pyodide.unpackArchive(await answer.arrayBuffer(), "zip", { extractDir: "/lab" });
  pyodide.runPython("import sys; sys.path.insert(0, '/lab')");
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
