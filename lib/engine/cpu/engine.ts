/**
 * The cpu engine: WebAssembly kernels on all cores, matrix products by a native library where there is one.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import {
  type Attention,
  type DType,
  type Engine,
  type Handle,
  type OptimizerSlot,
  type PoolingMode,
  sizeOf,
  STEP,
} from "../engine.ts";
import { adamwFromOutside, createColdStore, valuesOf } from "./cold.ts";
import { at, atOr0, type Core, createCore, dropoutArguments, expectShape, own } from "./core.ts";
import type { CpuHandle } from "./heap.ts";
import type { NativeGemm } from "./native_gemm.ts";
import { ACTIVATIONS, matmul, multiply } from "./products.ts";
import { SCRATCH_BYTES } from "./threads.ts";

/** Options of {@linkcode createCpuEngine}. */
export interface CpuOptions {
  /** Threads of computation; default: one per core. */
  readonly threads?: number | undefined;
  /** See `openNativeGemm`. Default: the WebAssembly product. The engine closes it. */
  readonly gemm?: NativeGemm | undefined;
  /** Bytes that the activations of one micro-batch may take; default: what the memory leaves, at most 2 GiB. */
  readonly activationBudget?: number | undefined;
  /** Bytes of variables above which cold ones live outside of the kernels' memory; default: half of that. */
  readonly coldAbove?: number | undefined;
}

const UNARY = { abs: 0, sign: 1, exp: 2, log: 3, sqrt: 4, square: 5, reciprocal: 6 } as const;
const BINARY = { add: 0, subtract: 1, multiply: 2, divide: 3, maximum: 4 } as const;
const POOLING: Readonly<Record<PoolingMode, number>> = {
  mean: 0,
  cls: 1,
  max: 2,
  mean_sqrt_len: 3,
  weightedmean: 4,
  lasttoken: 5,
};
/** Elements of one portion of element-wise work; a multiple of 4. */
const GRAIN = 16384;
/** Bytes of one chunk of logits over a large vocabulary. */
const CHUNK_BYTES = 64 << 20;

/**
 * Starts a cpu engine. Needs no permission and nothing installed.
 *
 * @param options Threads, and who multiplies matrices.
 * @returns The engine; to be closed.
 * @throws {EngineError} The kernels cannot be started.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const x = engine.upload(Float32Array.of(1, 2, 3, 4), [2, 2]);
 * assert.deepEqual([...await engine.read(engine.matmul(x, x))], [7, 10, 15, 22]);
 * engine.close();
 * ```
 */
export function createCpuEngine(options: CpuOptions = {}): Engine {
  const threadCount = options.threads ?? navigator.hardwareConcurrency;
  const core = createCore(threadCount, options.gemm);
  const { heap, threads, enqueue } = core;
  const cold = createColdStore();
  const temporary = heap.temporary;
  const rowsOf = (handle: Handle) => handle.shape[0]!;
  const columnsOf = (handle: Handle) => handle.shape[1]!;
  const grainOf = (columns: number) => Math.max(1, Math.ceil(8192 / Math.max(1, columns)));

  const run = (kernel: string, items: number, grain: number, ...args: number[]) => {
    if (items > 0) enqueue(() => threads.run(kernel, items, grain, ...args));
  };
  /** Whole vectors: buffers are padded, so the last one may run over. */
  const elements = (kernel: string, size: number, ...args: number[]) => run(kernel, size, GRAIN, ...args);
  const rows = (kernel: string, count: number, columns: number, ...args: number[]) =>
    run(kernel, count, grainOf(columns), ...args);

  const fill = (target: CpuHandle, value: number) => {
    if (target.touched !== undefined && value === 0) {
      const { dirty } = target.touched;
      run("clearRows", rowsOf(target), 1024, at(target), at(dirty), columnsOf(target));
    } else if (target.dtype === "i32" || target.outside !== undefined) {
      const values = valuesOf(core, target);
      enqueue(() => values().fill(value));
    } else elements("fill", target.block.size, at(target), value);
  };
  const write = (target: CpuHandle, data: Float32Array | Int32Array, offset: number) => {
    const { size } = target.block;
    if (offset + data.length > size) {
      throw new EngineError("more values than the tensor has room for", {
        expected: `at most ${size - offset} from element ${offset} of [${target.shape}]`,
        found: `${data.length}`,
      });
    }
    const copy = data.slice();
    const values = valuesOf(core, target);
    enqueue(() => values().set(copy, offset), copy.byteLength);
  };

  const columnSum = (x: Handle, out: number, accumulate: boolean) => {
    const blocks = Math.ceil(rowsOf(x) / 64);
    const columns = columnsOf(x);
    const partial = core.workspace(4 * Math.max(1, blocks) * columns);
    run("columnSumBlocks", blocks, 1, at(x), rowsOf(x), columns, partial);
    run("columnSumFinish", columns, 512, partial, blocks, columns, out, +accumulate);
  };

  const attentionArguments = (input: Attention) => {
    const { q, k, v, offsets, heads, maxLength, bias, causal = false } = input;
    const [tokens, width] = q.shape as [number, number];
    expectShape("attention", k, [tokens, width]);
    expectShape("attention", v, [tokens, width]);
    if (bias !== undefined) expectShape("attention", bias, [undefined, heads]);
    const padded = Math.ceil(maxLength / 8) * 8 + 32;
    if (width % heads !== 0 || (2 * width / heads + 4) * padded * 4 > SCRATCH_BYTES) {
      throw new EngineError("attention: sequences too long, or heads that do not divide the width", {
        found: `width ${width}, ${heads} heads, ${maxLength} tokens`,
      });
    }
    const span = bias === undefined ? 0 : (rowsOf(bias) + 1) / 2;
    if (bias !== undefined && span < maxLength) {
      throw new EngineError("attention: the bias covers too few positions", {
        expected: `at least [${2 * maxLength - 1}, ${heads}]`,
        found: `[${bias.shape}]`,
      });
    }
    return {
      sequences: rowsOf(offsets) - 1,
      tokens,
      width,
      inputs: [at(q), at(k), at(v), at(offsets)],
      shape: [width, heads, +causal, atOr0(bias), span],
    };
  };

  const countTargets = (targets: Handle): () => number => {
    const [address, size] = [at(targets), rowsOf(targets)];
    return () => core.ints(address, size).reduce((count, target) => count + (target >= 0 ? 1 : 0), 0);
  };
  /** loss = Σ (lse − logit of the target) / count; the logits of the targets are read by `logitOf`. */
  const meanLoss = (loss: number, lse: number, targets: Handle, logitOf: (row: number, target: number) => number) => {
    const [address, size] = [at(targets), rowsOf(targets)];
    enqueue(() => {
      const [ids, sums] = [core.ints(address, size), core.floats(lse, size)];
      let total = 0;
      let count = 0;
      for (let row = 0; row < size; row++) {
        if (ids[row]! < 0) continue;
        total += sums[row]! - logitOf(row, ids[row]!);
        count++;
      }
      core.floats(loss, 1)[0] = count === 0 ? 0 : total / count;
    });
  };
  /** Rows of logits x Wᵀ (+ b) that fit into a chunk. */
  const vocabularyChunk = (x: Handle, weight: Handle, body: (start: number, count: number, logits: number) => void) => {
    const [size, width] = x.shape as [number, number];
    const vocabulary = rowsOf(weight);
    const step = Math.max(1, Math.min(size, Math.floor(CHUNK_BYTES / 4 / vocabulary)));
    heap.enter();
    const logits = at(temporary([step, vocabulary]));
    for (let start = 0; start < size; start += step) {
      const count = Math.min(step, size - start);
      multiply(core, {
        a: at(x) + 4 * start * width,
        b: at(weight),
        c: logits,
        transposeA: false,
        transposeB: true,
        m: count,
        n: vocabulary,
        k: width,
        scale: 1,
        accumulate: false,
      });
      body(start, count, logits);
    }
    heap.exit(() => {});
  };

  const squares = (gradient: CpuHandle): () => number => {
    const { touched, block: { size } } = gradient;
    const [address, dirty] = [at(gradient), atOr0(touched?.dirty)];
    const blocks = touched === undefined ? Math.ceil(size / 16384) : Math.ceil(rowsOf(gradient) / 256);
    const partial = core.workspace(8 * blocks);
    return () => {
      if (touched === undefined) threads.run("sumBlocks", blocks, 4, address, size, 1, partial);
      else {
        const [count, width] = gradient.shape as [number, number];
        threads.run("squaresOfRows", blocks, 1, address, dirty, count, width, partial);
      }
      return core.doubles(partial, blocks).reduce((sum, value) => sum + value, 0);
    };
  };

  return {
    info: {
      name: "cpu",
      backend: "wasm",
      device: `${Deno.build.arch}, ${threadCount} threads`,
      gemm: options.gemm?.name ?? "wasm",
      library: options.gemm?.version ?? "",
      threads: threadCount,
      precision: "fp32",
    },
    rank: 0,
    worldSize: 1,

    variable(shape, { dtype = "f32", touched, storage } = {}) {
      const limit = options.coldAbove ?? threads.memory.buffer.byteLength / 2;
      if (storage === "cold" && dtype === "f32" && heap.use().variables + 4 * sizeOf(shape) > limit) {
        return cold.variable(shape);
      }
      // Rows must be whole vectors for the kernels that go by touched rows.
      const byRows = touched === "rows" && shape.length === 2 && shape[1]! % 4 === 0;
      const flags = () => heap.variable([Math.ceil(shape[0]! / 4)], "i32");
      const marks = byRows ? { ever: flags(), dirty: flags() } : undefined;
      const handle = heap.variable(shape, dtype, marks);
      for (const part of [handle, ...Object.values(marks ?? {})]) {
        const { address, size } = part.block;
        enqueue(() => core.ints(address, size).fill(0));
      }
      return handle;
    },
    free(variable) {
      const { touched, outside } = own(variable);
      if (outside !== undefined) return cold.free(own(variable));
      heap.free(own(variable));
      for (const part of Object.values(touched ?? {})) heap.free(part);
    },
    zeros(shape, dtype = "f32" as DType) {
      const handle = temporary(shape, dtype);
      const { address, size } = handle.block;
      enqueue(() => core.ints(address, size).fill(0));
      return handle;
    },
    upload(data, shape) {
      if (sizeOf(shape) !== data.length) {
        throw new EngineError("upload: wrong number of values", { expected: `[${shape}]`, found: `${data.length}` });
      }
      const handle = temporary(shape, data instanceof Float32Array ? "f32" : "i32");
      write(handle, data, 0);
      return handle;
    },
    write: (target, data, offset = 0) => write(own(target), data, offset),
    async read(source) {
      const values = valuesOf(core, own(source));
      // In its turn: what is enqueued while this waits may write over it, once the arena is closed.
      let read: Float32Array | Int32Array | undefined;
      enqueue(() => read = values().slice());
      await core.drain();
      return read!;
    },
    enter: heap.enter,
    exit: () =>
      heap.exit((to, from, bytes) =>
        enqueue(() => new Uint8Array(threads.memory.buffer).copyWithin(to, from, from + bytes))
      ),
    keep(kept) {
      heap.keep(own(kept));
      return kept;
    },
    memory() {
      const { live, peak, variables } = heap.use();
      const [outside, room] = [cold.use(), threads.memory.buffer.byteLength - variables];
      const budget = options.activationBudget ?? Math.min(2 ** 31, Math.floor(room * 0.7));
      return { live: live + outside.live, peak: peak + outside.peak, activationBudget: budget };
    },
    close() {
      core.close();
      core.gemm?.close();
      heap.clear();
      cold.clear();
    },

    fill: (target, value) => fill(own(target), value),
    copy(target, source) {
      if (own(target).block.size !== own(source).block.size) throw new EngineError("copy: sizes differ");
      const [to, from] = [valuesOf(core, own(target)), valuesOf(core, own(source))];
      enqueue(() => to().set(from()));
    },
    reshape(x, shape) {
      if (sizeOf(shape) !== own(x).block.size) {
        throw new EngineError("reshape: sizes differ", { expected: `[${x.shape}]`, found: `[${shape}]` });
      }
      return { ...own(x), shape } as Handle;
    },
    transpose(x) {
      const [r, c] = x.shape as [number, number];
      const y = temporary([c, r]);
      rows("transpose", r, c, at(x), at(y), r, c);
      return y;
    },
    sliceRows(x, start, end) {
      const columns = own(x).block.size / rowsOf(x);
      const y = temporary([end - start, ...x.shape.slice(1)], x.dtype);
      rows(
        "copyColumns",
        end - start,
        columns,
        at(x) + 4 * start * columns,
        columns,
        0,
        columns,
        at(y),
        columns,
        0,
      );
      return y;
    },
    sliceColumns(x, start, end) {
      const y = temporary([rowsOf(x), end - start], x.dtype);
      rows("copyColumns", rowsOf(x), end - start, at(x), columnsOf(x), start, end - start, at(y), end - start, 0);
      return y;
    },
    concatRows(parts) {
      const columns = columnsOf(parts[0]!);
      const y = temporary([parts.reduce((sum, part) => sum + rowsOf(part), 0), columns], parts[0]!.dtype);
      let row = 0;
      for (const part of parts) {
        expectShape("concatRows", part, [undefined, columns]);
        const to = at(y) + 4 * row * columns;
        rows("copyColumns", rowsOf(part), columns, at(part), columns, 0, columns, to, columns, 0);
        row += rowsOf(part);
      }
      return y;
    },
    concatColumns(parts) {
      const count = rowsOf(parts[0]!);
      const columns = parts.reduce((sum, part) => sum + columnsOf(part), 0);
      const y = temporary([count, columns], parts[0]!.dtype);
      let column = 0;
      for (const part of parts) {
        const width = columnsOf(part);
        expectShape("concatColumns", part, [count, undefined]);
        rows("copyColumns", count, width, at(part), width, 0, width, at(y), columns, column);
        column += width;
      }
      return y;
    },

    matmul: (a, b, matmulOptions) => matmul(core, a, b, matmulOptions),
    activationBackward(activation, z, dy) {
      expectShape("activationBackward", dy, z.shape);
      const dz = temporary(z.shape);
      elements("activateBackward", dz.block.size, ACTIVATIONS[activation], at(z), at(dy), at(dz));
      return dz;
    },
    activate(activation, x) {
      const y = temporary(x.shape);
      elements("activate", y.block.size, ACTIVATIONS[activation], at(x), at(y));
      return y;
    },

    gather(table, ids) {
      const y = temporary([rowsOf(ids), columnsOf(table)]);
      rows("gather", rowsOf(ids), columnsOf(table), at(table), at(ids), at(y), columnsOf(table));
      return y;
    },
    scatterAdd(dTable, ids, dy) {
      const [count, width] = dy.shape as [number, number];
      const { touched } = own(dTable);
      // Threads share the columns, in whole vectors; the flags are written by all of them, with the same value.
      const grain = Math.max(16, Math.ceil(width / threads.count / 4) * 4);
      const marks = [atOr0(touched?.ever), atOr0(touched?.dirty)];
      run("scatterAdd", width, grain, at(dTable), at(ids), at(dy), count, width, ...marks);
    },

    layerNorm(x, gamma, beta, epsilon, { residual, dropout } = {}) {
      const [count, width] = x.shape as [number, number];
      expectShape("layerNorm", gamma, [width]);
      expectShape("layerNorm", beta, [width]);
      if (residual !== undefined) expectShape("layerNorm", residual, x.shape);
      const [y, sum, statistics] = [temporary(x.shape), temporary(x.shape), temporary([count, 2])];
      const outputs = [at(x), atOr0(residual), at(sum), at(y), at(statistics)];
      const rest = [at(gamma), at(beta), epsilon, width, ...dropoutArguments(dropout)];
      rows("layerNorm", count, width, ...outputs, ...rest);
      return { y, sum, statistics };
    },
    layerNormBackward(dy, { sum, statistics }, gamma, dGamma, dBeta) {
      const [count, width] = dy.shape as [number, number];
      const ds = temporary(dy.shape);
      const blocks = Math.ceil(count / 64);
      const partial = core.workspace(8 * Math.max(1, blocks) * width);
      const inputs = [at(dy), at(sum), at(statistics), at(gamma)];
      run("layerNormBackward", blocks, 1, ...inputs, at(ds), partial, count, width);
      if (dGamma !== undefined) run("columnSumFinish", width, 512, partial, blocks, 2 * width, at(dGamma), 1);
      if (dBeta !== undefined) run("columnSumFinish", width, 512, partial + 4 * width, blocks, 2 * width, at(dBeta), 1);
      return ds;
    },
    dropout(x, dropout) {
      const y = temporary(x.shape);
      const [threshold, scale, ...rest] = dropoutArguments(dropout);
      if (threshold === 0) return x;
      rows("dropout", rowsOf(x), columnsOf(x), at(x), at(y), columnsOf(x), threshold, scale, ...rest);
      return y;
    },

    attention(input) {
      const { sequences, tokens, inputs, shape } = attentionArguments(input);
      const out = temporary(input.q.shape);
      const logSumExp = temporary([tokens, input.heads]);
      const rest = [at(out), at(logSumExp), ...dropoutArguments(input.dropout)];
      run("attention", sequences * input.heads, 4, ...inputs, ...shape, ...rest);
      return { out, logSumExp };
    },
    attentionBackward(input, { logSumExp }, dOut, dBias) {
      const { sequences, inputs, shape } = attentionArguments(input);
      const [dq, dk, dv] = [temporary(input.q.shape), temporary(input.q.shape), temporary(input.q.shape)];
      const outputs = [at(logSumExp), at(dOut), at(dq), at(dk), at(dv), atOr0(dBias)];
      const items = dBias === undefined ? sequences * input.heads : input.heads;
      const grain = dBias === undefined ? 4 : 1;
      const rest = [...shape, ...outputs, ...dropoutArguments(input.dropout)];
      run("attentionBackward", items, grain, ...inputs, sequences, ...rest);
      return { dq, dk, dv };
    },

    pool(x, offsets, mode, skip = 0) {
      const width = columnsOf(x);
      const y = temporary([rowsOf(offsets) - 1, width]);
      run("pool", rowsOf(y), 4, at(x), at(offsets), at(y), width, POOLING[mode], skip);
      return y;
    },
    poolBackward(dy, x, pooled, offsets, mode, skip = 0) {
      const width = columnsOf(x);
      const dx = temporary(x.shape);
      const inputs = [at(dy), at(x), at(pooled), at(offsets)];
      run("poolBackward", rowsOf(offsets) - 1, 4, ...inputs, at(dx), width, POOLING[mode], skip);
      return dx;
    },
    normalizeRows(x, epsilon) {
      const [y, norms] = [temporary(x.shape), temporary([rowsOf(x)])];
      rows("normalizeRows", rowsOf(x), columnsOf(x), at(x), at(y), at(norms), columnsOf(x), epsilon);
      return { y, norms };
    },
    normalizeRowsBackward(dy, y, norms, epsilon) {
      const dx = temporary(dy.shape);
      const inputs = [at(dy), at(y), at(norms), at(dx)];
      rows("normalizeRowsBackward", rowsOf(dy), columnsOf(dy), ...inputs, columnsOf(dy), epsilon);
      return dx;
    },

    unary(kind, x) {
      const y = temporary(x.shape);
      elements("unary", y.block.size, UNARY[kind], at(x), at(y));
      return y;
    },
    binary(kind, a, b) {
      const single = own(b).block.size === 1 && own(a).block.size !== 1;
      if (!single && own(a).block.size !== own(b).block.size) {
        throw new EngineError(`${kind}: shapes differ`, { expected: `[${a.shape}]`, found: `[${b.shape}]` });
      }
      const y = temporary(a.shape);
      elements("binary", y.block.size, BINARY[kind], at(a), at(b), +single, at(y));
      return y;
    },
    affine(x, a, b = 0) {
      const y = temporary(x.shape);
      elements("affine", y.block.size, at(x), a, b, at(y));
      return y;
    },
    addTo(target, x, scale = 1) {
      if (own(target).block.size !== own(x).block.size) throw new EngineError("addTo: sizes differ");
      if (own(target).touched !== undefined) markAll(core, own(target));
      elements("addTo", own(x).block.size, at(target), at(x), scale);
    },
    scaleRows(x, r) {
      const y = temporary(x.shape);
      rows("scaleRows", rowsOf(x), columnsOf(x), at(x), at(r), at(y), columnsOf(x));
      return y;
    },
    rowReduce(kind, x) {
      const y = temporary([rowsOf(x)]);
      rows("rowReduce", rowsOf(x), columnsOf(x), kind === "sum" ? 0 : 1, at(x), at(y), columnsOf(x));
      return y;
    },
    columnSum(x, { out, accumulate = false } = {}) {
      const y = out ?? temporary([columnsOf(x)]);
      columnSum(x, at(y), accumulate && out !== undefined);
      return y;
    },
    sum(x) {
      const y = temporary([1]);
      const [address, out, { size }] = [at(x), at(y), own(x).block];
      const blocks = Math.ceil(size / 16384);
      const partial = core.workspace(8 * Math.max(1, blocks));
      run("sumBlocks", blocks, 4, address, size, 0, partial);
      enqueue(() => {
        core.floats(out, 1)[0] = core.doubles(partial, blocks).reduce((sum, value) => sum + value, 0);
      });
      return y;
    },

    crossEntropy(logits, targets) {
      const [count, columns] = logits.shape as [number, number];
      const [loss, probabilities, lse] = [temporary([1]), temporary(logits.shape), temporary([count])];
      rows("logSumExpRows", count, columns, at(logits), 0, at(lse), columns);
      rows("softmaxRows", count, columns, at(logits), at(lse), at(probabilities), columns, 0, 0, 0, 0);
      const source = at(logits);
      meanLoss(
        at(loss),
        at(lse),
        targets,
        (row, target) => core.floats(source, count * columns)[row * columns + target]!,
      );
      return { loss, probabilities };
    },
    crossEntropyBackward(dLoss, probabilities, targets) {
      const [count, columns] = probabilities.shape as [number, number];
      const dz = temporary(probabilities.shape);
      const counted = countTargets(targets);
      const [p, t, scale, out] = [at(probabilities), at(targets), at(dLoss), at(dz)];
      enqueue(() => threads.run("crossEntropyBackward", count, grainOf(columns), p, t, scale, counted(), out, columns));
      return dz;
    },
    linearCrossEntropy(x, weight, bias, targets) {
      const vocabulary = rowsOf(weight);
      const [loss, lse, chosen] = [temporary([1]), temporary([rowsOf(x)]), temporary([rowsOf(x)])];
      const [ids, chosenAt] = [at(targets), at(chosen)];
      vocabularyChunk(x, weight, (start, count, logits) => {
        rows("logSumExpRows", count, vocabulary, logits, atOr0(bias), at(lse) + 4 * start, vocabulary);
        enqueue(() => {
          const [values, wanted] = [core.floats(logits, count * vocabulary), core.ints(ids + 4 * start, count)];
          const out = core.floats(chosenAt + 4 * start, count);
          for (let row = 0; row < count; row++) {
            out[row] = wanted[row]! < 0 ? 0 : values[row * vocabulary + wanted[row]!]!;
          }
        });
      });
      meanLoss(at(loss), at(lse), targets, (row) => core.floats(chosenAt, row + 1)[row]!);
      return { loss, logSumExp: lse };
    },
    linearCrossEntropyBackward(dLoss, x, weight, bias, targets, logSumExp, dWeight, dBias) {
      const [width, vocabulary] = [columnsOf(x), rowsOf(weight)];
      const dx = temporary(x.shape);
      const spare = temporary([rowsOf(x)]);
      const counted = countTargets(targets);
      const [lse, ids, scale] = [at(logSumExp), at(targets), at(dLoss)];
      if (dWeight !== undefined) markAll(core, own(dWeight));
      vocabularyChunk(x, weight, (start, count, logits) => {
        // The bias is added in place on the way; this sum is not needed again.
        if (bias !== undefined) rows("logSumExpRows", count, vocabulary, logits, at(bias), at(spare), vocabulary);
        enqueue(() => {
          const rest = [vocabulary, 1, ids + 4 * start, scale, Math.max(1, counted())];
          threads.run("softmaxRows", count, grainOf(vocabulary), logits, lse + 4 * start, logits, ...rest);
        });
        const product = { scale: 1, transposeB: false };
        const rowsAt = at(x) + 4 * start * width;
        multiply(core, {
          ...product,
          a: logits,
          b: at(weight),
          c: at(dx) + 4 * start * width,
          transposeA: false,
          m: count,
          n: width,
          k: vocabulary,
          accumulate: false,
        });
        if (dWeight !== undefined) {
          multiply(core, {
            ...product,
            a: logits,
            b: rowsAt,
            c: at(dWeight),
            transposeA: true,
            m: vocabulary,
            n: width,
            k: count,
            accumulate: true,
          });
        }
        if (dBias !== undefined) {
          const all = {
            shape: [count, vocabulary],
            dtype: "f32",
            block: { address: logits, size: count * vocabulary },
          } as CpuHandle;
          columnSum(all, at(dBias), true);
        }
      });
      return dx;
    },

    clip(gradients, loss, maxNorm, state) {
      const sums = gradients.map((gradient) => squares(own(gradient)));
      const [lossAt, stateAt] = [at(loss), at(state)];
      enqueue(() => {
        const scalars = core.floats(stateAt, STEP.length);
        const scale = scalars[STEP.lossScale]! || 1;
        const norm = Math.sqrt(sums.reduce((sum, squared) => sum + squared(), 0)) / scale;
        const finite = Number.isFinite(norm) && Number.isFinite(core.floats(lossAt, 1)[0]!);
        scalars[STEP.gradientNorm] = norm;
        scalars[STEP.clipFactor] = (maxNorm > 0 ? Math.min(1, maxNorm / (norm + 1e-6)) : 1) / scale;
        scalars[STEP.skipped] = finite ? 0 : 1;
      });
    },
    adamw(slots: readonly OptimizerSlot[], { beta1, beta2, epsilon }, state) {
      for (const slot of slots) {
        const { weight, gradient, m, v, weightDecay } = slot;
        if (own(m).outside !== undefined) {
          adamwFromOutside(core, slot, { beta1, beta2, epsilon }, state);
          continue;
        }
        const { touched, block: { size } } = own(gradient);
        const tensors = [at(weight), at(gradient), at(m), at(v)];
        if (touched !== undefined && weightDecay === 0) {
          const width = columnsOf(weight);
          const rest = [at(touched.ever), width, at(state), beta1, beta2, epsilon];
          run("adamwRows", rowsOf(weight), Math.ceil(GRAIN / width), ...tensors, ...rest);
        } else elements("adamw", size, ...tensors, at(state), weightDecay, beta1, beta2, epsilon);
      }
    },

    allReduce() {},
    allGather: (x) => x,
  };
}

/** Every row of this gradient gets something. */
function markAll(core: Core, gradient: CpuHandle): void {
  const { touched, shape } = gradient;
  if (touched === undefined) return;
  const flags = Object.values(touched).map(at);
  core.enqueue(() => {
    for (const address of flags) new Uint8Array(core.threads.memory.buffer, address, shape[0]!).fill(1);
  });
}
