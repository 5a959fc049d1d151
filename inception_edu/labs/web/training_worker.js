// needs: run.js
// A run or a race in a worker of its own: told a job, it answers { kind: "report" | "end", value }; "stop" ends
// it after the step that it is in.

const here = new URL(".", import.meta.url);
let halt = false;

async function file(name, read) {
  const answer = await fetch(new URL(name, here));
  if (!answer.ok) throw Error(`${name}: ${answer.status}`);
  return answer[read]();
}

onmessage = async ({ data }) => {
  if (data === "stop") { halt = true; return; }
  const tell = (kind, value) => postMessage({ kind, value });
  try {
    const [code, bytes, facts] = await Promise.all([
      file("gemm.wasm", "arrayBuffer"), file("images.bin", "arrayBuffer"), file("images.json", "json"),
    ]);
    const module = await WebAssembly.compile(code);
    const images = new Images(new Uint8Array(bytes), facts, data.sides?.[0] ?? data);
    const work = data.sides ? race : train;
    tell("end", await work(module, data, images, record => tell("report", record), () => halt));
  } catch (error) {
    tell("end", { status: "failed", sentence: `The page could not train: ${error.message}.` });
  }
};
