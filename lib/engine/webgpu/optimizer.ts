/**
 * Clipping and AdamW.
 *
 * @module
 */
import { type Engine, STEP } from "../engine.ts";
import type { OptimizerKernels } from "../subjects.ts";
import type { Kernel } from "./kernel.ts";
import { partialSums, sumBlocks } from "./elementwise.ts";
import type { Core } from "./memory.ts";
import { elementwise, EXP, reduction } from "./wgsl.ts";

const SQUARES = partialSums("squares", "x[i] * x[i]");

/** The norm of all partial sums, and what follows from it. By bits, for a compiler may take every number for finite. */
const CLIP: Kernel = {
  name: "clip",
  reads: { partial: "f32", loss: "f32" },
  writes: { state: "f32" },
  numbers: { size: "u32", maxNorm: "f32" },
  threads: 256,
  head: `${reduction(256)}
fn isFinite(x: f32) -> bool { return (bitcast<u32>(x) & 0x7f800000u) != 0x7f800000u; }`,
  body: `
  var share = 0.0;
  for (var i = t; i < p.size; i += 256u) { share += partial[i]; }
  let squares = total(share, t);
  if (t != 0u) { return; }
  var scale = state[${STEP.lossScale}u];
  if (scale == 0.0) { scale = 1.0; }
  let norm = sqrt(squares) / scale;
  var factor = 1.0;
  if (p.maxNorm > 0.0 && isFinite(squares)) { factor = min(1.0, p.maxNorm / (norm + 1e-6)); }
  let isHalted = state[${STEP.halts}u] != 0.0 && state[${STEP.skipped}u] != 0.0;
  let isGood = isFinite(squares) && isFinite(loss[0]) && !isHalted;
  state[${STEP.gradientNorm}u] = select(squares, norm, isFinite(squares));
  state[${STEP.clipFactor}u] = factor / scale;
  state[${STEP.skipped}u] = select(1.0, 0.0, isGood);`,
};

/** 1 − βᵗ = −expm1(t ln β), by its series where the difference would lose its digits. */
const CORRECTION = `${EXP}
fn correction(logBeta: f32) -> f32 {
  let y = state[${STEP.step}u] * logBeta;
  var series = 0.0;
  for (var n = 12.0; n > 0.0; n -= 1.0) { series = (1.0 + series) * y / n; }
  return select(1.0 - exponential(y), -series, y > -0.5);
}`;
const ADAMW = elementwise(
  "adamw",
  {
    reads: { gradient: "f32", state: "f32" },
    writes: { weight: "f32", m: "f32", v: "f32" },
    numbers: {
      decay: "f32",
      b1: "f32",
      a1: "f32",
      b2: "f32",
      a2: "f32",
      logBeta1: "f32",
      logBeta2: "f32",
      epsilon: "f32",
    },
    head: CORRECTION,
  },
  `if (state[${STEP.skipped}u] != 0.0) { return; }
let rate = state[${STEP.learningRate}u];
let g = gradient[i] * state[${STEP.clipFactor}u];
let first = fma(m[i], p.b1, g * p.a1);
let second = fma(v[i], p.b2, g * g * p.a2);
m[i] = first;
v[i] = second;
let spread = sqrt(second) / sqrt(correction(p.logBeta2)) + p.epsilon;
weight[i] = weight[i] * (1.0 - rate * p.decay) - rate / correction(p.logBeta1) * first / spread;`,
);

/** See the Engine contract. */
export function optimizerKernels(core: Core, { fill }: Pick<Engine, "fill">): OptimizerKernels {
  const { device, at, each } = core;
  return {
    clip(gradients, loss, maxNorm, state) {
      const partial = sumBlocks(core, SQUARES, gradients);
      const size = partial.shape[0]!;
      device.run(CLIP, 1, { partial: at(partial), loss: at(loss), state: at(state) }, { size, maxNorm });
    },
    adamw(slots, { beta1, beta2, epsilon }, state) {
      for (const { weight, gradient, m, v, weightDecay } of slots) {
        each(ADAMW, { weight, gradient, m, v }, {
          decay: weightDecay,
          b1: beta1,
          a1: 1 - beta1,
          b2: beta2,
          a2: 1 - beta2,
          logBeta1: Math.log(beta1),
          logBeta2: Math.log(beta2),
          epsilon,
        }, { state });
        fill(gradient, 0);
      }
    },
  };
}
