// The two matrix products of a convolution, four numbers at a time: AssemblyScript, compiled to
// WebAssembly when the site is built. Matrices lie row by row; a, b, c are addresses in bytes.

// C (M×N) = A (M×K) · B (K×N), or C += it where `add`. N is a multiple of 8.
export function nn(a: usize, b: usize, c: usize, M: i32, N: i32, K: i32, add: bool): void {
  const rowA = (<usize>K) << 2, rowN = (<usize>N) << 2;
  let i = 0;
  for (; i + 4 <= M; i += 4) {
    const a0 = a + <usize>i * rowA, c0 = c + <usize>i * rowN;
    const a1 = a0 + rowA, a2 = a1 + rowA, a3 = a2 + rowA;
    for (let j: usize = 0; j < rowN; j += 32) {
      let s00 = f32x4.splat(0), s01 = f32x4.splat(0), s10 = f32x4.splat(0), s11 = f32x4.splat(0);
      let s20 = f32x4.splat(0), s21 = f32x4.splat(0), s30 = f32x4.splat(0), s31 = f32x4.splat(0);
      let at = b + j;
      for (let k: usize = 0; k < rowA; k += 4) {
        const b0 = v128.load(at), b1 = v128.load(at, 16);
        at += rowN;
        let x = f32x4.splat(load<f32>(a0 + k));
        s00 = f32x4.add(s00, f32x4.mul(x, b0));
        s01 = f32x4.add(s01, f32x4.mul(x, b1));
        x = f32x4.splat(load<f32>(a1 + k));
        s10 = f32x4.add(s10, f32x4.mul(x, b0));
        s11 = f32x4.add(s11, f32x4.mul(x, b1));
        x = f32x4.splat(load<f32>(a2 + k));
        s20 = f32x4.add(s20, f32x4.mul(x, b0));
        s21 = f32x4.add(s21, f32x4.mul(x, b1));
        x = f32x4.splat(load<f32>(a3 + k));
        s30 = f32x4.add(s30, f32x4.mul(x, b0));
        s31 = f32x4.add(s31, f32x4.mul(x, b1));
      }
      put(c0 + j, s00, s01, add);
      put(c0 + rowN + j, s10, s11, add);
      put(c0 + 2 * rowN + j, s20, s21, add);
      put(c0 + 3 * rowN + j, s30, s31, add);
    }
  }
  for (; i < M; i++) {
    const a0 = a + <usize>i * rowA, c0 = c + <usize>i * rowN;
    for (let j: usize = 0; j < rowN; j += 32) {
      let s0 = f32x4.splat(0), s1 = f32x4.splat(0);
      let at = b + j;
      for (let k: usize = 0; k < rowA; k += 4) {
        const x = f32x4.splat(load<f32>(a0 + k));
        s0 = f32x4.add(s0, f32x4.mul(x, v128.load(at)));
        s1 = f32x4.add(s1, f32x4.mul(x, v128.load(at, 16)));
        at += rowN;
      }
      put(c0 + j, s0, s1, add);
    }
  }
}

// @ts-ignore: AssemblyScript's decorator
@inline
function put(at: usize, s0: v128, s1: v128, add: bool): void {
  if (add) {
    s0 = f32x4.add(s0, v128.load(at));
    s1 = f32x4.add(s1, v128.load(at, 16));
  }
  v128.store(at, s0);
  v128.store(at, s1, 16);
}

// @ts-ignore: AssemblyScript's decorator
@inline
function sum(s: v128): f32 {
  return (f32x4.extract_lane(s, 0) + f32x4.extract_lane(s, 1))
    + (f32x4.extract_lane(s, 2) + f32x4.extract_lane(s, 3));
}

// C (M×N) = A (M×K) · Bᵀ, B being N×K. K is a multiple of 4.
export function nt(a: usize, b: usize, c: usize, M: i32, N: i32, K: i32): void {
  const row = (<usize>K) << 2;
  let i = 0;
  for (; i + 2 <= M; i += 2) {
    const a0 = a + <usize>i * row, a1 = a0 + row;
    const c0 = c + ((<usize>i * N) << 2), c1 = c0 + ((<usize>N) << 2);
    let j = 0;
    for (; j + 4 <= N; j += 4) {
      const b0 = b + <usize>j * row, b1 = b0 + row, b2 = b1 + row, b3 = b2 + row;
      let s00 = f32x4.splat(0), s01 = f32x4.splat(0), s02 = f32x4.splat(0), s03 = f32x4.splat(0);
      let s10 = f32x4.splat(0), s11 = f32x4.splat(0), s12 = f32x4.splat(0), s13 = f32x4.splat(0);
      for (let k: usize = 0; k < row; k += 16) {
        const x = v128.load(a0 + k), y = v128.load(a1 + k);
        let z = v128.load(b0 + k);
        s00 = f32x4.add(s00, f32x4.mul(x, z));
        s10 = f32x4.add(s10, f32x4.mul(y, z));
        z = v128.load(b1 + k);
        s01 = f32x4.add(s01, f32x4.mul(x, z));
        s11 = f32x4.add(s11, f32x4.mul(y, z));
        z = v128.load(b2 + k);
        s02 = f32x4.add(s02, f32x4.mul(x, z));
        s12 = f32x4.add(s12, f32x4.mul(y, z));
        z = v128.load(b3 + k);
        s03 = f32x4.add(s03, f32x4.mul(x, z));
        s13 = f32x4.add(s13, f32x4.mul(y, z));
      }
      const at = (<usize>j) << 2;
      store<f32>(c0 + at, sum(s00));
      store<f32>(c0 + at, sum(s01), 4);
      store<f32>(c0 + at, sum(s02), 8);
      store<f32>(c0 + at, sum(s03), 12);
      store<f32>(c1 + at, sum(s10));
      store<f32>(c1 + at, sum(s11), 4);
      store<f32>(c1 + at, sum(s12), 8);
      store<f32>(c1 + at, sum(s13), 12);
    }
    for (; j < N; j++) {
      store<f32>(c0 + ((<usize>j) << 2), dot(a0, b + <usize>j * row, row));
      store<f32>(c1 + ((<usize>j) << 2), dot(a1, b + <usize>j * row, row));
    }
  }
  for (; i < M; i++)
    for (let j = 0; j < N; j++)
      store<f32>(c + ((<usize>i * N + j) << 2), dot(a + <usize>i * row, b + <usize>j * row, row));
}

function dot(a: usize, b: usize, row: usize): f32 {
  let s = f32x4.splat(0);
  for (let k: usize = 0; k < row; k += 16)
    s = f32x4.add(s, f32x4.mul(v128.load(a + k), v128.load(b + k)));
  return sum(s);
}
