import assert from "node:assert/strict";
import { KERNELS_REVISION } from "../../../lib/engine/cpu/kernels/table.ts";
import type { CpuOptions } from "../../../lib/engine/cpu/core.ts";
import { createCpuEngine } from "../../../lib/engine/cpu/engine.ts";
import { LEVELS, openNativeKernels } from "../../../lib/engine/cpu/native.ts";
import { fuses } from "../../../lib/engine/cpu/threads.ts";
import type { Engine, Handle } from "../../../lib/engine/engine.ts";

const script = new URL("two_threads.ts", import.meta.url);
const EXPECTED = { right: true, helped: true, product: [7, 10, 15, 22] };

async function deno(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

Deno.test("two threads compute without any permission", async () => {
  assert.deepEqual(JSON.parse(await deno("run", "--no-prompt", script.pathname)), EXPECTED);
});

Deno.test("engines can be closed at any moment, and the process ends", async () => {
  assert.equal(await deno("run", "--no-prompt", new URL("close_at_once.ts", import.meta.url).pathname), "all closed\n");
});

Deno.test("an engine that is closed while it computes fails whoever waits, and computes no more", async () => {
  const engine = createCpuEngine({ threads: 2 });
  await new Promise((resolve) => setTimeout(resolve, 300)); // until the worker has started
  const x = engine.variable([512, 512]);
  const product = () => engine.matmul(x, x);
  let last = product();
  for (let i = 0; i < 200; i++) last = product(); // far longer than one turn
  const waiting = engine.read(last);
  const closing = new Promise((resolve) => setTimeout(resolve, 10)).then(() => engine.close());
  await assert.rejects(waiting, /the engine is closed/);
  await closing;
  assert.throws(product, /the engine is closed/);
  await assert.rejects(engine.read(last), /the engine is closed/);
});

Deno.test("two threads compute in a bundle", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const bundle = `${folder}/bundle.js`;
    await deno("bundle", "--quiet", "--output", bundle, script.pathname);
    assert.deepEqual(JSON.parse(await deno("run", "--no-prompt", "--no-config", bundle)), EXPECTED);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Uneven sequences, long enough that every kernel splits its work. */
const LENGTHS = [0, 1, 60, 13, 200, 512, 7, 33, 120, 300, 54];
const TOKENS = LENGTHS.reduce((sum, length) => sum + length, 0);
const [WIDTH, HEADS, VOCABULARY] = [96, 3, 701];

/** Forward, backward and update by every kernel that splits or reduces; all that came out. */
async function everything(engine: Engine): Promise<(Float32Array | Int32Array)[]> {
  engine.enter();
  const numbers = (...shape: number[]) => {
    const size = shape.reduce((product, n) => product * n, 1);
    return engine.upload(Float32Array.from({ length: size }, (_, i) => (i * 7919 + size) % 1009 / 500 - 1), shape);
  };
  const integers = (shape: number[], f: (i: number) => number) =>
    engine.upload(Int32Array.from({ length: shape.reduce((product, n) => product * n, 1) }, (_, i) => f(i)), shape);
  const variable = (...shape: number[]) => engine.variable(shape);
  const ends = LENGTHS.map((_, i) => LENGTHS.slice(0, i + 1).reduce((sum, length) => sum + length, 0));
  const offsets = engine.upload(Int32Array.from([0, ...ends]), [LENGTHS.length + 1]);
  const places = integers([TOKENS, 2], (i) => i % 2 === 0 ? ends.findIndex((end) => i / 2 < end) : i >> 1);
  const dropout = { rate: 0.1, key: { seed: 3, purpose: 5, step: 2 }, places };
  const ids = integers([TOKENS], (i) => (i * i) % VOCABULARY);
  const dy = numbers(TOKENS, WIDTH);
  const out: Handle[] = [];

  const table = numbers(VOCABULARY, WIDTH);
  const x = engine.gather(table, ids);
  const dTable = engine.variable([VOCABULARY, WIDTH], { touched: "rows" });
  engine.scatterAdd(dTable, ids, dy);

  const qkv = engine.matmul(x, numbers(3 * WIDTH, WIDTH), { transposeB: true });
  const bias = numbers(1023, HEADS);
  const dBias = variable(1023, HEADS);
  const input = { qkv, offsets, heads: HEADS, maxLength: 512, bias, dropout };
  const attention = engine.attention(input);
  out.push(attention.out, attention.logSumExp, engine.attentionBackward(input, attention, dy, dBias), dBias);

  // Four heads of queries on two of keys and values, of 20 features, rotated, normalised by head, in a window.
  const [heads, kvHeads, size] = [4, 2, 20];
  const columns = (heads + 2 * kvHeads) * size;
  const modern = engine.matmul(x, numbers(columns, WIDTH), { transposeB: true });
  const positions = integers([TOKENS], (i) => i % 512);
  engine.rotate(modern, { table: numbers(512, 16), positions, heads: heads + kvHeads, headSize: size });
  const [normed, headWeight, dHeadWeight] = [engine.affine(modern, 1), numbers(size), variable(size)];
  const range = { first: 0, count: heads + kvHeads };
  const statistics = engine.headNorm(modern, normed, headWeight, 1e-6, range);
  const windowed = { qkv: normed, offsets, heads, kvHeads, maxLength: 512, causal: true, window: 37, scale: 0.3 };
  const seen = engine.attention(windowed);
  const dNormed = engine.attentionBackward(windowed, seen, numbers(TOKENS, heads * size));
  engine.headNormBackward(dNormed, modern, statistics, headWeight, range, dHeadWeight);
  out.push(modern, normed, seen.out, seen.logSumExp, dNormed, dHeadWeight);

  const rmsWeight = numbers(WIDTH);
  const dRmsWeight = variable(WIDTH);
  const rms = engine.rmsNorm(attention.out, rmsWeight, 1e-6, { residual: x, dropout, onePlus: true });
  out.push(rms.y, engine.rmsNormBackward(dy, rms, rmsWeight, dRmsWeight, { onePlus: true }).sum, dRmsWeight);
  const both = engine.matmul(rms.y, numbers(WIDTH, 2 * WIDTH));
  out.push(engine.gated("silu", both), engine.gatedBackward("geluTanh", both, dy, "second"));
  const top = engine.topK(both, 5);
  out.push(top.values, top.indices);

  const [gamma, beta] = [numbers(WIDTH), numbers(WIDTH)];
  const [dGamma, dBeta] = [variable(WIDTH), variable(WIDTH)];
  const norm = engine.layerNorm(attention.out, gamma, beta, 1e-5, { residual: x, dropout });
  out.push(norm.y, norm.sum, engine.layerNormBackward(dy, norm, gamma, dGamma, dBeta).sum, dGamma, dBeta);

  const preactivation = engine.zeros([TOKENS, 4 * WIDTH]);
  const wide = engine.matmul(norm.y, numbers(WIDTH, 4 * WIDTH), {
    bias: numbers(4 * WIDTH),
    activation: "gelu",
    preactivation,
  });
  out.push(wide, engine.activationBackward("gelu", preactivation, wide));
  out.push(engine.matmul(dy, wide, { transposeA: true }), engine.columnSum(wide), engine.sum(wide));
  for (const mode of ["mean", "max"] as const) {
    const pooled = engine.pool(x, offsets, mode);
    out.push(pooled, engine.poolBackward(pooled, x, pooled, offsets, mode));
  }
  const { y, norms } = engine.normalizeRows(x, 1e-12);
  out.push(y, norms, engine.normalizeRowsBackward(dy, y, norms, 1e-12));

  const [dWeight, dLogitBias] = [variable(VOCABULARY, WIDTH), variable(VOCABULARY)];
  const logitBias = numbers(VOCABULARY);
  const one = engine.upload(Float32Array.of(1), [1]);
  const entropy = engine.linearCrossEntropy(x, table, logitBias, ids);
  const dx = engine.linearCrossEntropyBackward(one, x, table, logitBias, ids, entropy, dWeight, dLogitBias);
  out.push(entropy.loss, entropy.logSumExp, dx, dWeight, dLogitBias);

  const state = engine.upload(Float32Array.of(1e-3, 1, 1, 0, 0, 0, 0, 0), [8]);
  const weight = variable(VOCABULARY, WIDTH);
  engine.copy(weight, table);
  const [m, moment] = [variable(VOCABULARY, WIDTH), variable(VOCABULARY, WIDTH)];
  engine.clip([dTable, dWeight, dBias], entropy.loss, 1, state);
  const slot = { weight, gradient: dTable, m, v: moment, weightDecay: 0.01 };
  out.push(engine.affine(dTable, 1)); // before it is cleared
  engine.adamw([slot], { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }, state);
  out.push(state, weight, m, moment);

  // What is done on the way: the rest of a gradient added, dropout, and the slope of a bias.
  const passed = { added: x, dropout };
  const [layered, rooted] = [
    engine.layerNormBackward(dy, norm, gamma, undefined, undefined, passed),
    engine.rmsNormBackward(dy, rms, rmsWeight, undefined, passed),
  ];
  const dWideBias = variable(4 * WIDTH);
  const dWide = engine.activationBackward("silu", preactivation, wide, dWideBias);
  const long = engine.matmul(dWide, numbers(2 * WIDTH, 4 * WIDTH), {
    transposeB: true,
    bias: numbers(2 * WIDTH),
    activation: "geluTanh",
  });
  const dPooled = engine.variable([VOCABULARY, WIDTH], { touched: "rows" });
  const pooled = engine.gatherPool(table, ids, offsets, "mean", 1);
  engine.scatterPool(dPooled, ids, offsets, pooled, "weightedmean");
  out.push(pooled, dPooled);
  out.push(layered.sum, layered.x, rooted.sum, rooted.x, dWideBias, long);

  const values = [];
  for (const handle of out) values.push(await engine.read(handle));
  engine.exit();
  return values;
}

Deno.test("threads are a whole number from 1 on, of which the memory has room for 256", () => {
  for (const threads of [0, -1, 1.5, NaN, 257]) {
    assert.throws(
      () => createCpuEngine({ threads }),
      /^UsageError: .*(threads must be|so many threads)/s,
      `${threads}`,
    );
  }
});

/** What all results together come to, on every machine that rounds a product and its sum once. */
const BITS = "59bfce513b6c0d82";

Deno.test("machine code and WebAssembly give the same bits with one thread and two, those of this revision", async () => {
  const results = [];
  const kinds: CpuOptions[] = [{ threads: 1 }, { threads: 2 }];
  for (const level of LEVELS.filter((name) => name !== "sse42")) { // which does not fuse products
    const { native } = await openNativeKernels(level);
    if (native !== undefined) kinds.push({ threads: 1, native }, { threads: 2, native });
  }
  for (const kind of kinds) {
    const engine = createCpuEngine(kind);
    await new Promise((resolve) => setTimeout(resolve, 500)); // until the worker has started
    results.push(await everything(engine));
    engine.close();
    assert.equal(engine.memory().live, 0);
  }
  const [one, ...others] = results as [Float32Array[], ...Float32Array[][]];
  for (const [i, values] of one.entries()) {
    assert.ok(values.every(Number.isFinite), `result ${i} is finite`);
    assert.ok(values.some((value) => value !== 0), `result ${i} is not 0`);
    for (const [kind, other] of others.entries()) assert.deepEqual(other[i], values, `result ${i} of kind ${kind}`);
  }
  if (!fuses()) return;
  const bytes = new Uint8Array(await new Blob(one as Float32Array<ArrayBuffer>[]).arrayBuffer());
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(0, 16);
  assert.equal(hash, BITS, `kernels give other bits: count KERNELS_REVISION up, which is ${KERNELS_REVISION}`);
});
