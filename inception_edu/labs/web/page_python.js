// Python of a page: one worker (python_worker.js), started when somebody first needs it.

const here = new URL(".", import.meta.url);
const COMING = "Python is coming into this page, once: up to 23 MB, some seconds …";
const python = { worker: null, waiting: new Map(), count: 0 };

function stopPython(error) {
  for (const { failed } of python.waiting.values()) failed(error);
  python.waiting.clear();
  python.worker?.terminate();
  python.worker = null;
}

// Ask for a function of inception_edu.labs.in_page; what it is given are words and numbers.
function ask(name, ...given) {
  if (!python.worker) {
    python.worker = new Worker(new URL("python_worker.js", here), { type: "module" });
    python.worker.onmessage = ({ data }) => {
      const { done, failed } = python.waiting.get(data.number);
      python.waiting.delete(data.number);
      if (data.lost) stopPython(Error(data.error));
      if (data.error) failed(Error(data.error));
      else done(data.value);
    };
    python.worker.onerror = event => stopPython(Error(event.message || "the worker ended"));
  }
  python.count += 1;
  const number = python.count;
  return new Promise((done, failed) => {
    python.waiting.set(number, { done, failed });
    python.worker.postMessage({ number, name, given });
  });
}
