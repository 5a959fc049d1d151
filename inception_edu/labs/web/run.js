// needs: tower.js
// A page that trains: its images, a run, a race of two. The network is in tower.js.

// Images as bytes (labels, pixels; for training, then for the test) and what normalises them.
export class Images {
  constructor(bytes, { mean, std, side }, { train, test }) {
    const size = side * side;
    const cut = (from, length) => bytes.subarray(from, from + length);
    Object.assign(this, { size, shift: 255 * mean, factor: 1 / (255 * std) });
    this.train = { labels: cut(0, train), pixels: cut(train, train * size) };
    const rest = train * (1 + size);
    this.test = { labels: cut(rest, test), pixels: cut(rest + test, test * size) };
  }

  // Put images into a network, the grey ones into three channels; their labels.
  put(net, split, chosen) {
    const { f } = net.memory, { size } = this, n = chosen.length;
    chosen.forEach((image, i) => {
      for (let k = 0; k < size; k++) {
        const value = (split.pixels[image * size + k] - this.shift) * this.factor;
        for (let c = 0; c < 3; c++) f[net.input.at(n) + (c * n + i) * size + k] = value;
      }
    });
    return chosen.map(image => split.labels[image]);
  }
}

function shuffled(count, random) {
  const order = [...Array(count).keys()];
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);

// One run, a step at a time; both sides of a race see the same images, whose order is the seed's.
class Run {
  constructor(module, job, images, now) {
    const batch = job.recipe.batch_size;
    Object.assign(this, { job, images, now, batch, steps: job.rates.length, at: 0, order: [] });
    Object.assign(this, { status: "running", seconds: 0, loss: 0, right: 0, counted: 0 });
    this.curves = { step: [], loss: [], accuracy: [], push: [], logits: [] };
    this.maps = { dead: {} };
    this.net = new Network(module, job, batch);
    this.random = generator(job.seed + 0x9e3779b9);
    this.net.draw(job.seed);
  }

  // Train once; the record, where this step has one.
  step() {
    const { net, images, batch, steps, job: { recipe, rates, train } } = this, start = this.now();
    const step = ++this.at;
    if (this.order.length < batch) this.order = shuffled(train, this.random);
    const labels = images.put(net, images.train, this.order.splice(0, batch));
    net.forward(batch);
    const found = net.backward(batch, labels);
    net.clip(recipe.clip);
    net.step(rates[step - 1], recipe);
    this.loss += found.loss;
    this.right += found.right;
    this.counted += 1;
    this.seconds += (this.now() - start) / 1000;
    if (step === steps) this.status = "finished";
    if (step > 1 && step < steps && step % recipe.record_every) return null;
    if (!isFinite(this.loss)) { this.status = "diverged"; return null; }
    const record = {
      step, seconds: this.seconds, loss: this.loss / this.counted,
      accuracy: this.right / this.counted / batch, ...net.inside(batch),
      inside: { push: found.push, logits: net.spreadOfLogits(batch) },
    };
    this.loss = this.right = this.counted = 0;
    const { curves, maps } = this;
    curves.step.push(step);
    for (const key of ["loss", "accuracy"]) curves[key].push(record[key]);
    for (const key of ["push", "logits"]) curves[key].push(record.inside[key]);
    for (const [name, share] of Object.entries(record.dead)) (maps.dead[name] ??= []).push(share);
    return record;
  }

  // What the network says of some test images, at most a batch: a class each.
  says(chosen) {
    const { net, images } = this;
    net.training = false;
    images.put(net, images.test, chosen);
    net.forward(chosen.length);
    net.training = true;
    return chosen.map((_, i) => {
      const { row } = net.shares(chosen.length, i);
      return Math.max(0, row.indexOf(Math.max(...row))); // a loss that is no number has none
    });
  }

  // The end as labs/page_run.py takes it; that of a run which is not over is a stop.
  end() {
    const { steps, seconds, curves, maps, at, job: { test } } = this;
    if (this.status === "running") this.status = "stopped";
    const told = (sentence, more = {}) => ({
      status: this.status, sentence, test_accuracy: null, dead: {}, curves, maps, seconds, ...more,
    });
    if (this.status === "stopped") return told(`Stopped after ${at} of ${steps} steps.`);
    if (this.status === "diverged")
      return told(`Diverged: by step ${at} the loss was no longer a finite number.`);
    const accuracy = this.accuracy();
    return told(`Finished ${steps} steps in ${seconds.toPrecision(3)} s, in this page: ` +
      `${(100 * accuracy).toFixed(1)} % of ${test} test images right.`,
    { test_accuracy: accuracy, dead: this.dead() });
  }

  // Share of the test images that are right.
  accuracy() {
    const { batch, images: { test: { labels } }, job: { test } } = this;
    let hits = 0;
    for (let from = 0; from < test; from += batch) {
      const chosen = range(from, Math.min(from + batch, test));
      this.says(chosen).forEach((answer, i) => { hits += answer === labels[chosen[i]]; });
    }
    return hits / test;
  }

  // By block the share of channels that are silent in two batches of training images.
  dead() {
    const { net, images, batch } = this, alive = {};
    for (const from of [0, batch]) {
      images.put(net, images.train, range(from, from + batch));
      net.forward(batch);
      const { f } = net.memory;
      for (const { name, part: { to } } of net.blocks) {
        const row = to.area * batch, seen = alive[name] ??= new Uint8Array(to.channels);
        for (let c = 0; c < to.channels; c++)
          for (let i = to.at(batch) + c * row; i < to.at(batch) + (c + 1) * row && !seen[c]; i++)
            if (f[i] > 0) seen[c] = 1;
      }
    }
    return Object.fromEntries(Object.entries(alive).map(
      ([name, seen]) => [name, 1 - seen.reduce((a, b) => a + b, 0) / seen.length]));
  }
}

const clock = () => performance.now();
const breath = () => new Promise(done => setTimeout(done)); // the word to stop may come in

// Train once. `say(record)` after each recorded step; `stopped()` is asked before each step; the end
// is as labs/page_run.py takes it.
export async function train(module, job, images, say, stopped, now = clock) {
  const run = new Run(module, job, images, now);
  while (run.status === "running") {
    await breath();
    if (stopped()) break;
    const record = run.step();
    if (record) say(record);
  }
  return run.end();
}

// Train both sides, a step of each in turn; `say({ sides, says })` with each record: what each side
// says of the test images at `places`. A side that diverges leaves the race, the other goes on.
export async function race(module, { sides, places }, images, say, stopped, now = clock) {
  const runs = sides.map(job => new Run(module, job, images, now));
  while (runs.some(run => run.status === "running")) {
    await breath();
    if (stopped()) break;
    const records = runs.map(run => run.status === "running" ? run.step() : null);
    if (records.some(Boolean)) say({ sides: records, says: runs.map(run => run.says(places)) });
  }
  const results = runs.map(run => run.end()), ends = results.map(({ status }) => status);
  const status = ends.includes("stopped") ? "stopped"
    : ends.every(word => word === "diverged") ? "diverged" : "finished";
  return { status, sentence: "", results };
}
