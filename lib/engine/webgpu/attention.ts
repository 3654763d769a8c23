/**
 * Attention over packed sequences, by tiles of keys: no matrix of scores is ever stored.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import { type Attention, type Engine, type Handle, sizeOf } from "../engine.ts";
import { expectShape } from "../shapes.ts";
import type { Place } from "./bindings.ts";
import type { Element, Kernel } from "./kernel.ts";
import type { Core } from "./memory.ts";
import { DROPOUT_NUMBERS, dropoutOf, EXP, LOG, PHILOX } from "./wgsl.ts";

/** Queries, or keys, of a workgroup: one for each thread. */
const THREADS = 64;
/** A window that nothing is outside of. */
const ALL = 2 ** 31 - 1;

interface Form {
  /** Features of a head. */
  readonly size: number;
  readonly bias: boolean;
  readonly dropout: boolean;
  /** Rows that lie in a workgroup's memory at once. */
  readonly tile: number;
}

const NUMBERS = {
  heads: "u32",
  kvHeads: "u32",
  columns: "u32",
  causal: "u32",
  window: "i32",
  span: "i32",
  scale: "f32",
} as const;
const SHARED = { qkv: "f32", offsets: "i32" } as const;

/** What all three kernels know of their sequence, their head and their place, and how a pair of tokens is weighed. */
const head = ({ size, bias, dropout }: Form) => `
const D = ${size}u;
${EXP}
${dropout ? PHILOX : ""}
fn sees(i: i32, j: i32) -> bool { return abs(i - j) <= p.window && !(p.causal == 1u && j > i); }
fn lean(i: i32, j: i32, head: u32) -> f32 {
  ${bias ? "return bias[u32(j - i + p.span - 1) * p.heads + head];" : "return 0.0;"}
}
fn factor(row: u32, head: u32, j: u32) -> f32 {
  ${dropout ? "return kept(u32(places[2u * row]), u32(places[2u * row + 1u]), head * 65536u, j);" : "return 1.0;"}
}`;
const inputs = ({ bias, dropout }: Form): Record<string, Element> => ({
  ...SHARED,
  ...(bias && { bias: "f32" }),
  ...(dropout && { places: "i32" }),
});
const numbers = ({ dropout }: Form) => ({ ...NUMBERS, ...(dropout && DROPOUT_NUMBERS) });
const nameOf = (what: string, { size, bias, dropout }: Form) =>
  [what, `of ${size}`, bias && "bias", dropout && "dropout"].filter(Boolean).join(" ");

/** wid: a tile of the sequence, a head, and the sequence. */
const PLACE = `
  let first = u32(offsets[wid.z]);
  let count = u32(offsets[wid.z + 1u]) - first;
  let tile = wid.x * ${THREADS}u;
  if (tile >= count) { return; }
  let mine = tile + t;
  let row = first + min(mine, count - 1u);`;
/** Keys and values of the tile base `base` on, for this head. */
const loadKeys = (tile: number) => `
    for (var e = t; e < ${tile}u * D; e += ${THREADS}u) {
      let j = base + e / D;
      let f = e % D;
      keys[e] = 0.0;
      values[e] = 0.0;
      if (j < count) {
        let at = (first + j) * p.columns + f;
        keys[e] = qkv[at + (p.heads + kvHead) * D];
        values[e] = qkv[at + (p.heads + p.kvHeads + kvHead) * D];
      }
    }
    workgroupBarrier();`;

/** Each thread holds one query and goes through all keys with a running maximum (Milakov and Gimelshein 2018). */
function forward(form: Form): Kernel {
  const { tile } = form;
  return {
    name: nameOf("attention", form),
    reads: inputs(form),
    writes: { out: "f32", logSumExp: "f32" },
    numbers: numbers(form),
    threads: THREADS,
    head: `${head(form)}
${LOG}
var<workgroup> keys: array<f32, ${tile}u * D>;
var<workgroup> values: array<f32, ${tile}u * D>;`,
    body: `${PLACE}
  let head = wid.y;
  let kvHead = head * p.kvHeads / p.heads;
  var query: array<f32, D>;
  var sum: array<f32, D>;
  for (var f = 0u; f < D; f++) { query[f] = qkv[row * p.columns + head * D + f]; sum[f] = 0.0; }
  var most = -3.4028234e38;
  var whole = 0.0;
  for (var base = 0u; base < count; base += ${tile}u) {
    ${loadKeys(tile)}
    for (var j = 0u; j < ${tile}u; j++) {
      if (base + j >= count || !sees(i32(mine), i32(base + j))) { continue; }
      var product = 0.0;
      for (var f = 0u; f < D; f++) { product = fma(query[f], keys[j * D + f], product); }
      let score = product * p.scale + lean(i32(mine), i32(base + j), head);
      if (score > most) {
        let shrink = exponential(most - score);
        whole *= shrink;
        for (var f = 0u; f < D; f++) { sum[f] *= shrink; }
        most = score;
      }
      let weight = exponential(score - most);
      whole += weight;
      let share = weight * factor(row, head, base + j);
      for (var f = 0u; f < D; f++) { sum[f] = fma(share, values[j * D + f], sum[f]); }
    }
    workgroupBarrier();
  }
  if (mine >= count) { return; }
  for (var f = 0u; f < D; f++) { out[(row * p.heads + head) * D + f] = sum[f] / whole; }
  logSumExp[row * p.heads + head] = most + logarithm(whole);`,
  };
}

/** along[i, h] = Σⱼ P dP / Σⱼ P, which is dO · O; and dQ = s dS K, dS = P ⊙ (dP − along): a thread for each query. */
function queriesBackward(form: Form): Kernel {
  const { tile } = form;
  return {
    name: nameOf("attention, slopes of queries", form),
    reads: { ...inputs(form), logSumExp: "f32", dOut: "f32" },
    writes: { dQkv: "f32", along: "f32" },
    numbers: numbers(form),
    threads: THREADS,
    head: `${head(form)}
var<workgroup> keys: array<f32, ${tile}u * D>;
var<workgroup> values: array<f32, ${tile}u * D>;`,
    body: `${PLACE}
  let head = wid.y;
  let kvHead = head * p.kvHeads / p.heads;
  var query: array<f32, D>;
  var slope: array<f32, D>;
  var sum: array<f32, D>;
  var mean: array<f32, D>;
  for (var f = 0u; f < D; f++) {
    query[f] = qkv[row * p.columns + head * D + f];
    slope[f] = dOut[(row * p.heads + head) * D + f];
    sum[f] = 0.0;
    mean[f] = 0.0;
  }
  let lse = logSumExp[row * p.heads + head];
  var change = 0.0;
  var whole = 0.0;
  for (var base = 0u; base < count; base += ${tile}u) {
    ${loadKeys(tile)}
    for (var j = 0u; j < ${tile}u; j++) {
      if (base + j >= count || !sees(i32(mine), i32(base + j))) { continue; }
      var product = 0.0;
      var dp = 0.0;
      for (var f = 0u; f < D; f++) {
        product = fma(query[f], keys[j * D + f], product);
        dp = fma(slope[f], values[j * D + f], dp);
      }
      let weight = exponential(product * p.scale + lean(i32(mine), i32(base + j), head) - lse);
      let share = weight * dp * factor(row, head, base + j);
      change += share;
      whole += weight;
      // dQ = s (Σ P dP K − along Σ P K): both sums, for along is known at the end only.
      for (var f = 0u; f < D; f++) {
        sum[f] = fma(share, keys[j * D + f], sum[f]);
        mean[f] = fma(weight, keys[j * D + f], mean[f]);
      }
    }
    workgroupBarrier();
  }
  if (mine >= count) { return; }
  // The weights have the rounding of lse in common, so that their sum is not quite 1; dS has the sum 0 by what it is.
  change /= whole;
  along[row * p.heads + head] = change;
  for (var f = 0u; f < D; f++) { dQkv[row * p.columns + head * D + f] = p.scale * (sum[f] - change * mean[f]); }`,
  };
}

/** dV = (P ⊙ M)ᵀ dO and dK = s dSᵀ Q: a thread for each key, which goes through the queries of all heads it serves. */
function keysBackward(form: Form): Kernel {
  const { tile } = form;
  return {
    name: nameOf("attention, slopes of keys", form),
    reads: { ...inputs(form), logSumExp: "f32", dOut: "f32", along: "f32" },
    writes: { dQkv: "f32" },
    numbers: numbers(form),
    threads: THREADS,
    head: `${head(form)}
var<workgroup> queries: array<f32, ${tile}u * D>;
var<workgroup> slopes: array<f32, ${tile}u * D>;`,
    body: `${PLACE}
  let kvHead = wid.y;
  let each = p.heads / p.kvHeads;
  let keyAt = row * p.columns + (p.heads + kvHead) * D;
  let valueAt = row * p.columns + (p.heads + p.kvHeads + kvHead) * D;
  var key: array<f32, D>;
  var value: array<f32, D>;
  var dKey: array<f32, D>;
  var dValue: array<f32, D>;
  for (var f = 0u; f < D; f++) { key[f] = qkv[keyAt + f]; value[f] = qkv[valueAt + f]; dKey[f] = 0.0; dValue[f] = 0.0; }
  for (var head = kvHead * each; head < (kvHead + 1u) * each; head++) {
    for (var base = 0u; base < count; base += ${tile}u) {
      for (var e = t; e < ${tile}u * D; e += ${THREADS}u) {
        let i = base + e / D;
        let f = e % D;
        queries[e] = 0.0;
        slopes[e] = 0.0;
        if (i < count) {
          queries[e] = qkv[(first + i) * p.columns + head * D + f];
          slopes[e] = dOut[((first + i) * p.heads + head) * D + f];
        }
      }
      workgroupBarrier();
      for (var i = 0u; i < ${tile}u; i++) {
        let query = base + i;
        if (query >= count || !sees(i32(query), i32(mine))) { continue; }
        var product = 0.0;
        var dp = 0.0;
        for (var f = 0u; f < D; f++) {
          product = fma(queries[i * D + f], key[f], product);
          dp = fma(slopes[i * D + f], value[f], dp);
        }
        let place = (first + query) * p.heads + head;
        let weight = exponential(product * p.scale + lean(i32(query), i32(mine), head) - logSumExp[place]);
        let keep = factor(first + query, head, mine);
        let ds = p.scale * weight * (dp * keep - along[place]);
        for (var f = 0u; f < D; f++) {
          dKey[f] = fma(ds, queries[i * D + f], dKey[f]);
          dValue[f] = fma(weight * keep, slopes[i * D + f], dValue[f]);
        }
      }
      workgroupBarrier();
    }
  }
  if (mine >= count) { return; }
  for (var f = 0u; f < D; f++) { dQkv[keyAt + f] = dKey[f]; dQkv[valueAt + f] = dValue[f]; }`,
  };
}

/** dBias[j − i + L − 1, h] += Σ dS over all pairs of this distance: a thread for each, so that nothing is added by two. */
function biasBackward(form: Form): Kernel {
  return {
    name: nameOf("attention, slopes of the bias", form),
    reads: { ...inputs(form), logSumExp: "f32", dOut: "f32", along: "f32" },
    writes: { dBias: "f32" },
    numbers: { ...numbers(form), sequences: "u32", items: "u32" },
    threads: THREADS,
    head: head(form),
    body: `
  let item = group * ${THREADS}u + t;
  if (item >= p.items) { return; }
  let head = item % p.heads;
  let distance = i32(item / p.heads) - p.span + 1;
  let kvHead = head * p.kvHeads / p.heads;
  var sum = 0.0;
  for (var s = 0u; s < p.sequences; s++) {
    let first = u32(offsets[s]);
    let count = i32(offsets[s + 1u]) - i32(first);
    for (var i = max(0, -distance); i < min(count, count - distance); i++) {
      let j = i + distance;
      if (!sees(i, j)) { continue; }
      let row = first + u32(i);
      let other = (first + u32(j)) * p.columns;
      var product = 0.0;
      var dp = 0.0;
      for (var f = 0u; f < D; f++) {
        product = fma(qkv[row * p.columns + head * D + f], qkv[other + (p.heads + kvHead) * D + f], product);
        dp = fma(
          dOut[(row * p.heads + head) * D + f], qkv[other + (p.heads + p.kvHeads + kvHead) * D + f], dp);
      }
      let weight = exponential(product * p.scale + lean(i, j, head) - logSumExp[row * p.heads + head]);
      sum += weight * (dp * factor(row, head, u32(j)) - along[row * p.heads + head]);
    }
  }
  dBias[item] += sum;`,
  };
}

/** See the Engine contract. */
export function attentionKernels({ device, temporary, at }: Core): Pick<Engine, "attention" | "attentionBackward"> {
  const shared = (input: Attention) => {
    const { qkv, offsets, heads, kvHeads = heads, maxLength, bias, causal = false, window = ALL } = input;
    const columns = qkv.shape[1]!;
    const size = columns / (heads + 2 * kvHeads);
    if (!Number.isInteger(size) || heads % kvHeads !== 0) {
      throw new EngineError("attention: heads that do not fit", {
        found: `${columns} columns for ${heads} heads of queries and ${kvHeads} of keys and values`,
      });
    }
    if (bias !== undefined) expectShape("attention", bias, [undefined, heads]);
    const span = bias === undefined ? 0 : (bias.shape[0]! + 1) / 2;
    if (bias !== undefined && span < maxLength) {
      throw new EngineError("attention: the bias covers too few positions", {
        expected: `at least [${2 * maxLength - 1}, ${heads}]`,
        found: `[${bias.shape}]`,
      });
    }
    const dropped = dropoutOf(input.dropout, at);
    // The tile decides what is loaded together, not in which order it is added.
    let tile = 32;
    while (tile > 1 && 8 * tile * size > device.limits.maxComputeWorkgroupStorageSize) tile /= 2;
    const form = { size, bias: bias !== undefined, dropout: dropped !== undefined, tile };
    const places: Record<string, Place> = {
      qkv: at(qkv),
      offsets: at(offsets),
      ...(bias !== undefined && { bias: at(bias) }),
      ...dropped?.places,
    };
    const numbers = {
      heads,
      kvHeads,
      columns,
      causal: +causal,
      window: Math.min(window, ALL),
      span,
      scale: input.scale ?? 1 / Math.sqrt(size),
      ...dropped?.numbers,
    };
    const sequences = offsets.shape[0]! - 1;
    return { form, places, numbers, sequences, tiles: Math.ceil(maxLength / THREADS), tokens: qkv.shape[0]! };
  };
  /** Rows of no sequence are 0. */
  const cleared = (shape: readonly number[]): Handle => {
    const made = temporary(shape);
    device.clear(at(made));
    return made;
  };

  return {
    attention(input) {
      const { form, places, numbers, sequences, tiles, tokens } = shared(input);
      const [out, logSumExp] = [cleared([tokens, input.heads * form.size]), cleared([tokens, input.heads])];
      const all = { ...places, out: at(out), logSumExp: at(logSumExp) };
      device.run(forward(form), [tiles, input.heads, sequences], all, numbers);
      return { out, logSumExp };
    },
    attentionBackward(input, { logSumExp }, dOut, dBias) {
      const { form, places, numbers, sequences, tiles, tokens } = shared(input);
      const [dQkv, along] = [cleared(input.qkv.shape), cleared([tokens, input.heads])];
      const all = { ...places, logSumExp: at(logSumExp), dOut: at(dOut), along: at(along), dQkv: at(dQkv) };
      device.run(queriesBackward(form), [tiles, numbers.heads, sequences], all, numbers);
      device.run(keysBackward(form), [tiles, numbers.kvHeads, sequences], all, numbers);
      if (dBias !== undefined) {
        const items = sizeOf(dBias.shape);
        device.run(biasBackward(form), Math.ceil(items / THREADS), { ...all, dBias: at(dBias) }, {
          ...numbers,
          sequences,
          items: items,
        });
      }
      return dQkv;
    },
  };
}
