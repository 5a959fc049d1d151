// needs: layers.js
// A network of a description (labs/page_run.py) and its optimizer, for a page that trains (run.js).
// What it computes is what torch computes with the same weights and images (tests/test_tower.py); its
// random numbers are its own.

// Numbers of 0 to 1 from a seed (mulberry32).
export function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

// A normal number of deviation 1, drawn again beyond two deviations.
function cutNormal(random) {
  for (;;) {
    const value = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    if (Math.abs(value) <= 2) return value;
  }
}

export class Network {
  // module: gemm.ts, compiled; job: as labs/page_run.py gives it; batch: the most images at once.
  constructor(module, job, batch) {
    Object.assign(this, { batch, training: true, all: [], rooms: { scratch: 0, turned: 0 } });
    this.memory = new Memory(module);
    this.input = new FeatureMap(this.memory, 3, [job.image, job.image], batch);
    this.blocks = [];
    for (const { name, node } of job.blocks) {
      const from = this.blocks.at(-1)?.part.to ?? this.input;
      this.blocks.push({ name, part: layer(this, node, from) });
    }
    this.last = this.blocks.at(-1).part.to;
    this.width = this.last.channels;
    this.classes = job.classes;
    this.kernel = this.weights(job.classes * this.width, "drawn", this.width);
    this.bias = this.weights(job.classes);
    this.features = this.memory.take(this.width * batch);
    this.slopes = this.memory.take(this.width * batch);
    this.logits = this.memory.take(job.classes * batch);
    this.scratch = this.memory.take(this.rooms.scratch);
    this.turned = this.memory.take(this.rooms.turned);
  }

  weights(count, how = "zero", fan = 0, gain = 1) {
    const made = new Weights(this.memory, count, how === "drawn" ? fan : 0, gain);
    if (how === "one") this.memory.f.fill(1, made.at, made.at + count);
    this.all.push(made);
    return made;
  }
  room(count, which = "scratch") { this.rooms[which] = Math.max(this.rooms[which], count); }

  // First weights as `nets.build` draws them: normal, cut at two deviations, variance 1 / fan-in.
  draw(seed) {
    const random = generator(seed), { f } = this.memory;
    for (const { at, count, fan, gain } of this.all)
      for (let i = at; fan && i < at + count; i++)
        f[i] = gain * cutNormal(random) / Math.sqrt(fan);
  }

  forward(n) {
    for (const { part } of this.blocks) part.forward(this, n);
    const { f } = this.memory, { area } = this.last, from = this.last.at(n);
    for (let c = 0; c < this.width; c++)
      for (let i = 0; i < n; i++) {
        let sum = 0;
        const at = from + (c * n + i) * area;
        for (let k = at; k < at + area; k++) sum += f[k];
        f[this.features + c * n + i] = sum / area;
      }
    for (let o = 0; o < this.classes; o++)
      for (let i = 0; i < n; i++) {
        let sum = f[this.bias.at + o];
        for (let c = 0; c < this.width; c++)
          sum += f[this.kernel.at + o * this.width + c] * f[this.features + c * n + i];
        f[this.logits + o * n + i] = sum;
      }
  }

  // Shares of the classes of image i; the logits are those of the last `forward(n)`.
  shares(n, i) {
    const { f } = this.memory, row = [];
    for (let o = 0; o < this.classes; o++) row.push(f[this.logits + o * n + i]);
    const most = Math.max(...row), powers = row.map(value => Math.exp(value - most));
    const sum = powers.reduce((a, b) => a + b);
    return { row, shares: powers.map(power => power / sum), log: most + Math.log(sum) };
  }

  // Gradients of the mean cross-entropy; the loss, the right guesses, and the push on the features.
  backward(n, labels) {
    const { f } = this.memory;
    let loss = 0, right = 0, push = 0;
    for (const { slope, count } of this.all) f.fill(0, slope, slope + count);
    for (const map of this.maps()) f.fill(0, map.slope, map.slope + map.channels * map.area * n);
    f.fill(0, this.slopes, this.slopes + this.width * n);
    for (let i = 0; i < n; i++) {
      const { row, shares, log } = this.shares(n, i);
      loss += (log - row[labels[i]]) / n;
      right += row.indexOf(Math.max(...row)) === labels[i];
      for (let o = 0; o < this.classes; o++) {
        const slope = (shares[o] - (o === labels[i])) / n;
        f[this.bias.slope + o] += slope;
        const kernel = this.kernel.at + o * this.width, grad = this.kernel.slope + o * this.width;
        for (let c = 0; c < this.width; c++) {
          f[grad + c] += slope * f[this.features + c * n + i];
          f[this.slopes + c * n + i] += slope * f[kernel + c];
        }
      }
    }
    const { area } = this.last, to = this.last.grad(n);
    for (let k = 0; k < this.width * n; k++) {
      const slope = f[this.slopes + k];
      push += slope * f[this.features + k];
      f.fill(slope / area, to + k * area, to + (k + 1) * area);
    }
    for (const { part } of [...this.blocks].reverse()) part.backward(this, n);
    return { loss, right, push };
  }

  // Every map whose gradient is added up.
  maps() {
    if (this.known) return this.known;
    const found = new Set();
    const visit = part => {
      if (part.to) found.add(part.to);
      if (part.body) visit(part.body);
      for (const inner of part.parts || []) visit(inner);
    };
    this.blocks.forEach(({ part }) => visit(part));
    this.known = [...found].filter(map => !map.first);
    return this.known;
  }

  // The length of all gradients, before they are shortened to `clip`.
  clip(most) {
    const { f } = this.memory;
    let sum = 0;
    for (const { slope, count } of this.all)
      for (let i = slope; i < slope + count; i++) sum += f[i] * f[i];
    const length = Math.sqrt(sum), factor = most ? Math.min(1, most / (length + 1e-12)) : 1;
    if (factor < 1)
      for (const { slope, count } of this.all)
        for (let i = slope; i < slope + count; i++) f[i] *= factor;
    return length;
  }

  // One step of SGD, or of RMSProp as TensorFlow has it (learn/optimisers.py).
  step(rate, { optimizer, momentum, rms_decay: decay, eps }) {
    const { f } = this.memory;
    for (const { at, slope, moment, square, count } of this.all)
      for (let i = 0; i < count; i++) {
        const g = f[slope + i];
        if (optimizer === "sgd") {
          f[moment + i] = momentum * f[moment + i] + g;
          f[at + i] -= rate * f[moment + i];
          continue;
        }
        // What is kept is the square less the 1 it starts with.
        const s = decay * (1 + f[square + i]) + (1 - decay) * g * g;
        f[square + i] = s - 1;
        f[moment + i] = momentum * f[moment + i] + rate * g / Math.sqrt(s + eps);
        f[at + i] -= f[moment + i];
      }
  }

  // Of each block: the spread of its output, the share of its channels that are 0 everywhere.
  inside(n) {
    const { f } = this.memory, spread = {}, dead = {};
    for (const { name, part: { to } } of this.blocks) {
      const count = to.size(n), row = to.area * n, from = to.at(n);
      let sum = 0, squares = 0, silent = 0;
      for (let c = 0; c < to.channels; c++) {
        let most = 0;
        for (let i = from + c * row; i < from + (c + 1) * row; i++) {
          const value = f[i];
          sum += value;
          squares += value * value;
          if (value > most) most = value;
        }
        silent += most === 0;
      }
      spread[name] = Math.sqrt(Math.max(0, (squares - sum * sum / count) / (count - 1)));
      dead[name] = silent / to.channels;
    }
    return { spread, dead };
  }

  spreadOfLogits(n) {
    const rows = this.memory.f.subarray(this.logits, this.logits + this.classes * n);
    const mean = rows.reduce((a, b) => a + b) / rows.length;
    return Math.sqrt(rows.reduce((a, b) => a + (b - mean) ** 2, 0) / (rows.length - 1));
  }
}
