/**
 * Cross-entropy.
 *
 * @module
 */
import type { Handle } from "../engine.ts";
import { expectSize } from "../shapes.ts";
import type { LossKernels } from "../subjects.ts";
import { at, atOr0, type Core, type CpuOptions, own } from "./core.ts";
import type { CpuHandle } from "./heap.ts";
import { columnsOf, type Dispatch, expectNumbers, grainOf, markAll, rowsOf } from "./dispatch.ts";
import { multiply } from "./products.ts";

/** See the Engine contract. */
export function lossKernels(core: Core, { rows, columnSum }: Dispatch, options: CpuOptions): LossKernels {
  const { enqueue, heap, threads } = core;
  const { temporary } = heap;
  const { logitBytes = 64 << 20 } = options;
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
  /** How many rows of logits over the vocabulary are held at once. */
  const rowsAtOnce = (x: Handle, weight: Handle) =>
    Math.max(1, Math.min(rowsOf(x), Math.floor(logitBytes / 4 / rowsOf(weight))));
  /** logits = x Wᵀ of rows start … start + count − 1 */
  const multiplyRows = (x: Handle, weight: Handle, start: number, count: number, logits: number) => {
    const width = columnsOf(x);
    multiply(core, {
      isRounded: core.precision === "bf16",
      a: at(x) + 4 * start * width,
      b: at(weight),
      c: logits,
      transposeA: false,
      transposeB: true,
      m: count,
      n: rowsOf(weight),
      k: width,
      scale: 1,
      accumulate: false,
    });
  };

  /** Does something in an arena of its own, unless it is to be kept. */
  const inArena = <A>(isKept: boolean, work: () => A): A => {
    if (isKept) return work();
    heap.enter();
    try {
      return work();
    } finally {
      heap.exit(() => {});
    }
  };

  return {
    crossEntropy(logits, targets) {
      const [count, columns] = logits.shape as [number, number];
      expectSize("crossEntropy", targets, [count]);
      expectNumbers(core, "crossEntropy", targets, -1, columns);
      const [loss, probabilities, lse] = [temporary([1]), temporary(logits.shape), temporary([count])];
      rows("logSumExpRows", count, columns, { logits: at(logits), bias: 0, out: at(lse), columns });
      rows("softmaxRows", count, columns, { x: at(logits), logSumExp: at(lse), y: at(probabilities), columns });
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
      expectSize("crossEntropyBackward", targets, [count]);
      expectNumbers(core, "crossEntropyBackward", targets, -1, columns);
      const dz = temporary(probabilities.shape);
      const counted = countTargets(targets);
      const args = { p: at(probabilities), targets: at(targets), dLoss: at(dLoss), dz: at(dz), columns };
      enqueue(() => threads.run("crossEntropyBackward", count, grainOf(columns), { ...args, count: counted() }));
      return dz;
    },
    linearCrossEntropy(x, weight, bias, targets) {
      const [size, vocabulary, step] = [rowsOf(x), rowsOf(weight), rowsAtOnce(x, weight)];
      expectNumbers(core, "linearCrossEntropy", targets, -1, vocabulary);
      const [loss, lse, chosen] = [temporary([1]), temporary([size]), temporary([size])];
      const [ids, chosenAt] = [at(targets), at(chosen)];
      const isKept = step === size;
      const held = inArena(isKept, () => {
        const held = temporary([step, vocabulary]);
        const logits = at(held);
        for (let start = 0; start < size; start += step) {
          const count = Math.min(step, size - start);
          multiplyRows(x, weight, start, count, logits);
          rows("logSumExpRows", count, vocabulary, {
            logits,
            bias: atOr0(bias),
            out: at(lse) + 4 * start,
            columns: vocabulary,
          });
          enqueue(() => {
            const [values, wanted] = [core.floats(logits, count * vocabulary), core.ints(ids + 4 * start, count)];
            const out = core.floats(chosenAt + 4 * start, count);
            for (let row = 0; row < count; row++) {
              out[row] = wanted[row]! < 0 ? 0 : values[row * vocabulary + wanted[row]!]!;
            }
          });
        }
        return held;
      });
      meanLoss(at(loss), at(lse), targets, (row) => core.floats(chosenAt, row + 1)[row]!);
      return { loss, logSumExp: lse, ...(isKept && { logits: held }) };
    },
    linearCrossEntropyBackward(dLoss, x, weight, bias, targets, { logSumExp, logits: kept }, dWeight, dBias) {
      const [size, width, vocabulary, step] = [rowsOf(x), columnsOf(x), rowsOf(weight), rowsAtOnce(x, weight)];
      expectNumbers(core, "linearCrossEntropyBackward", targets, -1, vocabulary);
      const dx = temporary(x.shape);
      const spare = temporary([rowsOf(x)]);
      const counted = countTargets(targets);
      const [lse, ids, scale] = [at(logSumExp), at(targets), at(dLoss)];
      if (dWeight !== undefined) markAll(core, own(dWeight));
      inArena(kept !== undefined, () => {
        const logits = at(kept ?? temporary([step, vocabulary]));
        for (let start = 0; start < size; start += step) {
          const count = Math.min(step, size - start);
          if (kept === undefined) multiplyRows(x, weight, start, count, logits);
          // The bias is added in place on the way; this sum is not needed again.
          if (kept === undefined && bias !== undefined) {
            rows("logSumExpRows", count, vocabulary, { logits, bias: at(bias), out: at(spare), columns: vocabulary });
          }
          enqueue(() =>
            threads.run("softmaxRowsBackward", count, grainOf(vocabulary), {
              x: logits,
              logSumExp: lse + 4 * start,
              targets: ids + 4 * start,
              dLoss: scale,
              count: Math.max(1, counted()),
              y: logits,
              columns: vocabulary,
            })
          );
          const product = { scale: 1, transposeB: false, isRounded: core.precision === "bf16" };
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
        }
      });
      return dx;
    },
  };
}
