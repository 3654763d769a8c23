/**
 * Cross-entropy.
 *
 * @module
 */
import { type Engine, type Handle, sizeOf } from "../engine.ts";
import { expectSize } from "../shapes.ts";
import type { LossKernels } from "../subjects.ts";
import type { Kernel } from "./kernel.ts";
import type { Core } from "./memory.ts";
import { elementwise, EXP, LOG, reduction, ROW, rowwise } from "./wgsl.ts";

/** Limits of {@linkcode lossKernels}. */
export interface LossOptions {
  /** Bytes of logits over a large vocabulary that are held at once; default 64 MiB. */
  readonly logitBytes?: number | undefined;
}

const EACH = `for (var c = t; c < p.width; c += ${ROW}u)`;

/** logΣexp of each row, and logΣexp − logits[target], 0 where there is none. */
const ROW_LOSSES = rowwise(
  "losses of rows",
  {
    reads: { logits: "f32", targets: "i32" },
    writes: { logSumExp: "f32", losses: "f32" },
    numbers: { firstRow: "u32" },
    head: `${EXP}\n${LOG}`,
  },
  `
var share = -3.4028234e38;
${EACH} { share = max(share, logits[start + c]); }
let largest = most(share, t);
share = 0.0;
${EACH} { share += exponential(logits[start + c] - largest); }
let lse = largest + logarithm(total(share, t));
if (t == 0u) {
  logSumExp[p.firstRow + row] = lse;
  let wanted = targets[p.firstRow + row];
  var loss = 0.0;
  if (wanted >= 0) { loss = lse - logits[start + u32(wanted)]; }
  losses[p.firstRow + row] = loss;
}`,
);

const SOFTMAX = elementwise("softmax", {
  reads: { logits: "f32", logSumExp: "f32" },
  writes: { y: "f32" },
  numbers: { width: "u32" },
  head: EXP,
}, "y[i] = exponential(logits[i] - logSumExp[i / p.width]);");

/** counted[0] = how many rows have a target; loss = Σ losses / that, 0 if there is none. */
const mean = (withLosses: boolean): Kernel => ({
  name: withLosses ? "mean of losses" : "count of targets",
  reads: { targets: "i32", ...(withLosses && { losses: "f32" }) },
  writes: { result: "f32" },
  numbers: { rows: "u32" },
  threads: 256,
  head: reduction(256),
  body: `
  var share = 0.0;
  var sum = 0.0;
  for (var r = t; r < p.rows; r += 256u) {
    share += select(0.0, 1.0, targets[r] >= 0);
    ${withLosses ? "sum += losses[r];" : ""}
  }
  let count = total(share, t);
  let whole = total(sum, t);
  if (t == 0u) { result[0] = ${withLosses ? "whole / max(count, 1.0)" : "max(count, 1.0)"}; }`,
});
const MEAN = mean(true);
const COUNT = mean(false);

/** dz = dLoss (p − onehot) / count; 0 for rows without a target. */
const SLOPES = elementwise(
  "slopes of probabilities",
  {
    reads: { probabilities: "f32", targets: "i32", dLoss: "f32", counted: "f32" },
    writes: { dz: "f32" },
    numbers: { width: "u32" },
  },
  `let wanted = targets[i / p.width];
let hot = select(0.0, 1.0, wanted == i32(i % p.width));
dz[i] = select(0.0, dLoss[0] * (probabilities[i] - hot) / counted[0], wanted >= 0);`,
);
/** The same from logits, in their place. */
const LOGIT_SLOPES = elementwise(
  "slopes of logits",
  {
    reads: { logSumExp: "f32", targets: "i32", dLoss: "f32", counted: "f32" },
    writes: { z: "f32" },
    numbers: { width: "u32", firstRow: "u32" },
    head: EXP,
  },
  `let row = p.firstRow + i / p.width;
let wanted = targets[row];
let hot = select(0.0, 1.0, wanted == i32(i % p.width));
z[i] = select(0.0, dLoss[0] * (exponential(z[i] - logSumExp[row]) - hot) / counted[0], wanted >= 0);`,
);

/** See the Engine contract. */
export function lossKernels(
  { device, temporary, at, elements, part }: Core,
  engine: Pick<Engine, "matmul" | "columnSum" | "enter" | "exit">,
  { logitBytes = 64 << 20 }: LossOptions = {},
): LossKernels {
  const meanLoss = (losses: Handle, targets: Handle): Handle => {
    const loss = temporary([1]);
    const places = { targets: at(targets), losses: at(losses), result: at(loss) };
    device.run(MEAN, 1, places, { rows: targets.shape[0]! });
    return loss;
  };
  const countOf = (targets: Handle): Handle => {
    const counted = temporary([1]);
    device.run(COUNT, 1, { targets: at(targets), result: at(counted) }, { rows: targets.shape[0]! });
    return counted;
  };
  /** Logits x Wᵀ + b of as many rows at a time as `logitBytes` hold. */
  const chunks = (
    x: Handle,
    weight: Handle,
    bias: Handle | undefined,
    body: (from: number, logits: Handle, rows: Handle) => void,
  ) => {
    const [size, width] = x.shape as [number, number];
    const step = Math.max(1, Math.floor(Math.min(logitBytes, device.bindingBytes / 2) / 4 / weight.shape[0]!));
    for (let from = 0; from < size; from += step) {
      engine.enter();
      const rows = Math.min(step, size - from);
      const view = part(x, from * width, [rows, width]);
      body(from, engine.matmul(view, weight, { transposeB: true, bias, isLayer: true }), view);
      engine.exit();
    }
  };

  return {
    crossEntropy(logits, targets) {
      const [rows, width] = logits.shape as [number, number];
      expectSize("crossEntropy", targets, [rows]);
      const [lse, losses, probabilities] = [temporary([rows]), temporary([rows]), temporary(logits.shape)];
      const places = { logits: at(logits), logSumExp: at(lse) };
      device.run(ROW_LOSSES, rows, { ...places, targets: at(targets), losses: at(losses) }, {
        rows,
        width,
        firstRow: 0,
      });
      elements(SOFTMAX, rows * width, { logits, logSumExp: lse, y: probabilities }, { width });
      return { loss: meanLoss(losses, targets), probabilities };
    },
    crossEntropyBackward(dLoss, probabilities, targets) {
      expectSize("crossEntropyBackward", targets, [probabilities.shape[0]!]);
      const dz = temporary(probabilities.shape);
      const tensors = { probabilities, targets, dLoss, dz, counted: countOf(targets) };
      elements(SLOPES, sizeOf(dz.shape), tensors, { width: dz.shape[1]! });
      return dz;
    },
    linearCrossEntropy(x, weight, bias, targets) {
      const [logSumExp, losses] = [temporary([x.shape[0]!]), temporary([x.shape[0]!])];
      chunks(x, weight, bias, (from, logits) => {
        const [rows, width] = logits.shape as [number, number];
        const places = { logits: at(logits), targets: at(targets), logSumExp: at(logSumExp), losses: at(losses) };
        device.run(ROW_LOSSES, rows, places, { rows, width, firstRow: from });
      });
      return { loss: meanLoss(losses, targets), logSumExp };
    },
    linearCrossEntropyBackward(dLoss, x, weight, bias, targets, { logSumExp }, dWeight, dBias) {
      const dx = temporary(x.shape);
      const counted = countOf(targets);
      chunks(x, weight, bias, (from, logits, view) => {
        const tensors = { logSumExp, targets, dLoss, counted, z: logits };
        elements(LOGIT_SLOPES, sizeOf(logits.shape), tensors, { width: logits.shape[1]!, firstRow: from });
        engine.matmul(logits, weight, { out: part(dx, from * x.shape[1]!, view.shape), isLayer: true });
        if (dWeight !== undefined) {
          engine.matmul(logits, view, { transposeA: true, out: dWeight, accumulate: true, isLayer: true });
        }
        if (dBias !== undefined) engine.columnSum(logits, { out: dBias, accumulate: true });
      });
      return dx;
    },
  };
}
