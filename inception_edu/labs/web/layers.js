// The layers of a small network, forward and backward, for a page that trains by itself. The matrix
// products run in WebAssembly (gemm.ts), all else here.
//
// A map of C channels lies channel by channel, and in a channel image by image: C × (n·H·W) numbers.
// So branches that are joined lie one behind the other, and a 1×1 convolution is one product.

export const EPS = 1e-3; // of batch norm, as in the paper's networks
const KEEP = 0.9; // share of the running statistics that a step keeps

// Memory shared with WebAssembly, handed out once; `f` are its numbers.
export class Memory {
  constructor(module) {
    this.memory = new WebAssembly.Memory({ initial: 1 });
    this.next = 1024;
    const env = { memory: this.memory, abort() { throw Error("abort"); } };
    this.code = new WebAssembly.Instance(module, { env }).exports;
    this.f = new Float32Array(this.memory.buffer);
  }

  // So many numbers, all 0; their first position in `f`.
  take(count) {
    const at = this.next >> 2;
    this.next = (this.next + 4 * count + 63) & ~63;
    const missing = this.next - this.memory.buffer.byteLength;
    if (missing > 0) this.memory.grow(Math.ceil(missing / 65536));
    this.f = new Float32Array(this.memory.buffer);
    return at;
  }

  nn(a, b, c, m, n, k, add = false) { this.code.nn(4 * a, 4 * b, 4 * c, m, n, k, add); }
  nt(a, b, c, m, n, k) { this.code.nt(4 * a, 4 * b, 4 * c, m, n, k); }
}

// A map: values and gradients, from channel `first` on of what `base` and `slope` hold.
export class FeatureMap {
  constructor(memory, channels, side, batch, whole = null, first = 0) {
    Object.assign(this, { channels, side, first, area: side[0] * side[1] });
    this.base = whole ? whole.base : memory.take(channels * this.area * batch);
    this.slope = whole ? whole.slope : memory.take(channels * this.area * batch);
  }
  at(n) { return this.base + this.first * this.area * n; }
  grad(n) { return this.slope + this.first * this.area * n; }
  size(n) { return this.channels * this.area * n; }
}

// Weights with their gradients and what the optimizer keeps of them.
export class Weights {
  constructor(memory, count, fan = 0, gain = 1) {
    Object.assign(this, { count, fan, gain });
    this.at = memory.take(count);
    this.slope = memory.take(count);
    this.moment = memory.take(count);
    this.square = memory.take(count);
  }
}

// Batch norm in place over `channels` rows of `p` numbers.
class Norm {
  constructor(net, map, norm) {
    this.map = map;
    this.gain = net.weights(map.channels, "one");
    this.shift = net.weights(map.channels);
    this.mean = net.memory.take(map.channels);
    this.inverse = net.memory.take(map.channels);
    this.runningMean = net.memory.take(map.channels);
    this.runningVar = net.memory.take(map.channels);
    net.memory.f.fill(1, this.runningVar, this.runningVar + map.channels);
  }

  // from: the values before; they stay, for the way back. to: those behind.
  forward(net, n, from, to, relu) {
    const f = net.memory.f, p = this.map.area * n;
    for (let c = 0; c < this.map.channels; c++) {
      const row = from + c * p, out = to + c * p;
      let mean = f[this.runningMean + c], variance = f[this.runningVar + c];
      if (net.training) {
        let sum = 0, squares = 0;
        for (let i = row; i < row + p; i++) sum += f[i];
        mean = sum / p;
        for (let i = row; i < row + p; i++) { const d = f[i] - mean; squares += d * d; }
        variance = squares / p;
        f[this.runningMean + c] = KEEP * f[this.runningMean + c] + (1 - KEEP) * mean;
        f[this.runningVar + c] = KEEP * f[this.runningVar + c] + (1 - KEEP) * squares / (p - 1);
      }
      const inverse = 1 / Math.sqrt(variance + EPS);
      f[this.mean + c] = mean;
      f[this.inverse + c] = inverse;
      const gain = f[this.gain.at + c] * inverse, shift = f[this.shift.at + c] - mean * gain;
      for (let i = 0; i < p; i++) {
        const y = f[row + i] * gain + shift;
        f[out + i] = relu && y < 0 ? 0 : y;
      }
    }
  }

  // slope: the gradient behind, which becomes the gradient before.
  backward(net, n, from, slope) {
    const f = net.memory.f, p = this.map.area * n;
    for (let c = 0; c < this.map.channels; c++) {
      const row = from + c * p, grad = slope + c * p;
      const mean = f[this.mean + c], inverse = f[this.inverse + c];
      let sum = 0, along = 0;
      for (let i = 0; i < p; i++) {
        sum += f[grad + i];
        along += f[grad + i] * (f[row + i] - mean);
      }
      along *= inverse;
      f[this.shift.slope + c] += sum;
      f[this.gain.slope + c] += along;
      const gain = f[this.gain.at + c] * inverse;
      for (let i = 0; i < p; i++)
        f[grad + i] = gain * (f[grad + i] - (sum + (f[row + i] - mean) * inverse * along) / p);
    }
  }
}

function maskRelu(f, out, slope, count) {
  for (let i = 0; i < count; i++) if (!(f[out + i] > 0)) f[slope + i] = 0;
}

// Convolution, then batch norm and ReLU where the description has them.
export class Conv {
  constructor(net, spec, from, to = null) {
    const [kh, kw] = spec.kernel, { stride } = spec;
    const pad = spec.same ? [(kh - 1) / 2, (kw - 1) / 2] : [0, 0];
    const side = [0, 1].map(
      i => Math.floor((from.side[i] + 2 * pad[i] - spec.kernel[i]) / stride) + 1);
    this.depth = from.channels * kh * kw;
    Object.assign(this, { spec, from, pad, side });
    this.to = to ? to(spec.out, side) : new FeatureMap(net.memory, spec.out, side, net.batch);
    this.plain = kh * kw === 1 && stride === 1;
    this.kernel = net.weights(spec.out * this.depth, "drawn", this.depth, spec.gain);
    this.bias = spec.bias ? net.weights(spec.out) : null;
    this.norm = spec.norm ? new Norm(net, this.to) : null;
    // What the convolution gives, which batch norm needs again on the way back.
    this.raw = this.norm ? new FeatureMap(net.memory, spec.out, side, net.batch) : this.to;
    if (!this.plain) net.room(this.depth * side[0] * side[1] * net.batch);
    net.room(this.depth * spec.out, "turned");
  }

  // All windows side by side: depth × (n·H·W).
  windows(net, n, back = false) {
    const f = net.memory.f, [kh, kw] = this.spec.kernel, [h, w] = this.side;
    const [height, width] = this.from.side, { stride } = this.spec;
    const source = back ? this.from.grad(n) : this.from.at(n);
    let at = net.scratch;
    for (let c = 0; c < this.from.channels; c++)
      for (let y = 0; y < kh; y++)
        for (let x = 0; x < kw; x++)
          for (let image = 0; image < n; image++) {
            const plane = source + (c * n + image) * height * width;
            for (let i = 0; i < h; i++) {
              const row = i * stride + y - this.pad[0];
              if (row < 0 || row >= height) {
                if (!back) f.fill(0, at, at + w);
                at += w;
                continue;
              }
              const line = plane + row * width;
              let column = x - this.pad[1];
              for (let j = 0; j < w; j++, column += stride, at++) {
                const inside = column >= 0 && column < width;
                if (back) { if (inside) f[line + column] += f[at]; }
                else f[at] = inside ? f[line + column] : 0;
              }
            }
          }
    return net.scratch;
  }

  forward(net, n) {
    const { memory } = net, p = this.to.area * n, out = this.norm ? this.raw.at(n) : this.to.at(n);
    const columns = this.plain ? this.from.at(n) : this.windows(net, n);
    memory.nn(this.kernel.at, columns, out, this.spec.out, p, this.depth);
    if (this.bias) {
      const f = memory.f;
      for (let c = 0; c < this.spec.out; c++) {
        const bias = f[this.bias.at + c];
        for (let i = out + c * p; i < out + (c + 1) * p; i++) f[i] += bias;
      }
    }
    if (this.norm) this.norm.forward(net, n, out, this.to.at(n), this.spec.relu);
    else if (this.spec.relu)
      for (let i = out; i < out + this.to.size(n); i++) if (memory.f[i] < 0) memory.f[i] = 0;
  }

  backward(net, n) {
    const { memory } = net, f = memory.f, p = this.to.area * n, { out } = this.spec;
    const slope = this.to.grad(n);
    if (this.spec.relu) maskRelu(f, this.to.at(n), slope, this.to.size(n));
    if (this.norm) this.norm.backward(net, n, this.raw.at(n), slope);
    if (this.bias)
      for (let c = 0; c < out; c++) {
        let sum = 0;
        for (let i = slope + c * p; i < slope + (c + 1) * p; i++) sum += f[i];
        f[this.bias.slope + c] += sum;
      }
    const columns = this.plain ? this.from.at(n) : this.windows(net, n);
    memory.nt(slope, columns, this.kernel.slope, out, this.depth, p);
    if (this.from === net.input) return;
    for (let c = 0; c < out; c++)
      for (let k = 0; k < this.depth; k++)
        f[net.turned + k * out + c] = f[this.kernel.at + c * this.depth + k];
    if (this.plain) memory.nn(net.turned, slope, this.from.grad(n), this.depth, p, out, true);
    else {
      memory.nn(net.turned, slope, net.scratch, this.depth, p, out);
      this.windows(net, n, true);
    }
  }
}

export class Chain {
  constructor(net, spec, from, to = null) {
    this.parts = [];
    spec.parts.forEach((part, i) => {
      const last = i === spec.parts.length - 1;
      this.parts.push(layer(net, part, this.parts.at(-1)?.to ?? from, last ? to : null));
    });
    this.to = this.parts.at(-1)?.to ?? from;
  }
  forward(net, n) { for (const part of this.parts) part.forward(net, n); }
  backward(net, n) { for (const part of [...this.parts].reverse()) part.backward(net, n); }
}

// Branches on one input, which write one behind the other into one map.
export class Concat {
  constructor(net, spec, from) {
    const channels = spec.parts.reduce((sum, part) => sum + widthOf(part), 0);
    let first = 0;
    this.parts = spec.parts.map(part => layer(net, part, from, (out, side) => {
      this.to ??= new FeatureMap(net.memory, channels, side, net.batch);
      const piece = new FeatureMap(net.memory, out, side, net.batch, this.to, first);
      first += out;
      return piece;
    }));
  }
  forward(net, n) { for (const part of this.parts) part.forward(net, n); }
  backward(net, n) { for (const part of this.parts) part.backward(net, n); }
}

const widthOf = spec => spec.kind === "conv" ? spec.out : widthOf(spec.parts.at(-1));

// relu(norm(identity · x + scale · body(x))), Fig. 20; the norm is an experiment's.
export class Residual {
  constructor(net, spec, from) {
    Object.assign(this, { spec, from });
    this.body = layer(net, spec.body, from);
    this.to = new FeatureMap(net.memory, from.channels, from.side, net.batch);
    this.norm = spec.norm ? new Norm(net, this.to) : null;
    this.raw = this.norm ? new FeatureMap(net.memory, from.channels, from.side, net.batch) : this.to;
  }
  forward(net, n) {
    this.body.forward(net, n);
    const f = net.memory.f, { scale, identity } = this.spec, count = this.to.size(n);
    const x = this.from.at(n), body = this.body.to.at(n), out = this.raw.at(n);
    for (let i = 0; i < count; i++) {
      const y = identity * f[x + i] + scale * f[body + i];
      f[out + i] = !this.norm && y < 0 ? 0 : y;
    }
    if (this.norm) this.norm.forward(net, n, out, this.to.at(n), true);
  }
  backward(net, n) {
    const f = net.memory.f, { scale, identity } = this.spec, count = this.to.size(n);
    const slope = this.to.grad(n), x = this.from.grad(n), body = this.body.to.grad(n);
    maskRelu(f, this.to.at(n), slope, count);
    if (this.norm) this.norm.backward(net, n, this.raw.at(n), slope);
    for (let i = 0; i < count; i++) {
      f[x + i] += identity * f[slope + i];
      f[body + i] += scale * f[slope + i];
    }
    this.body.backward(net, n);
  }
}

const KINDS = { conv: Conv, chain: Chain, concat: Concat, residual: Residual };
export const layer = (net, spec, from, to = null) => new KINDS[spec.kind](net, spec, from, to);
