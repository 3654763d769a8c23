/** Clipping and AdamW, over several steps, against the formula. */
import {
  type Engine,
  type Handle,
  type OptimizerSlot,
  STEP,
  type VariableOptions,
} from "../../../../lib/engine/engine.ts";
import { type Case, testCase, upload } from "../case.ts";
import { adamw, clip, type Slot } from "../reference/losses.ts";
import { scatterAdd } from "../reference/rows.ts";
import { filled, floats, integers, map, normals, type Tensor } from "../tensor.ts";

const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
const RATE = 0.01;

/** What `clip` leaves in the scalars of a step. */
function written(
  { norm, factor, skipped }: ReturnType<typeof clip>,
  { step, lossScale, halts = false }: { readonly step: number; readonly lossScale: number; readonly halts?: boolean },
): Tensor {
  return { shape: [STEP.length], data: Float64Array.of(RATE, step, lossScale, norm, factor, skipped, +halts, 0) };
}

interface ClipCase {
  readonly what: string;
  readonly gradients: readonly Tensor[];
  readonly loss?: number;
  readonly maxNorm: number;
  readonly lossScale?: number;
  /** What the step before has left. */
  readonly skipped?: number;
  readonly halts?: boolean;
}

function clipCase(asked: ClipCase): Case {
  const { what, gradients, loss = 0.5, maxNorm, lossScale = 1, skipped = 0, halts = false } = asked;
  const inputs = {
    state: floats([RATE, 3, lossScale, 7, 7, skipped, +halts, 0]), // with leftovers of the step before
    loss: floats([loss]),
    a: gradients[0]!,
    b: gradients[1] ?? floats([0]),
  };
  return testCase(
    `clip: ${what}`,
    inputs,
    (engine, { state, loss, a, b }) => {
      engine.clip(gradients.length > 1 ? [a, b] : [a], loss, maxNorm, state);
      return { state, a, b };
    },
    ({ a, b }) => {
      const clipped = clip(gradients, loss, maxNorm, lossScale);
      const stays = halts && skipped === 1;
      return {
        state: written({ ...clipped, skipped: stays ? 1 : clipped.skipped }, { step: 3, lossScale, halts }),
        a,
        b,
      };
    },
  );
}

const small = normals([3, 5], 0.1);
const clips: Case[] = [
  clipCase({ what: "a norm above the greatest", gradients: [normals([11, 20]), normals([7], 1, 1)], maxNorm: 0.5 }),
  clipCase({ what: "a norm below it", gradients: [small], maxNorm: 4 }),
  clipCase({ what: "no greatest norm", gradients: [normals([11, 20])], maxNorm: 0 }),
  clipCase({ what: "a scaled loss", gradients: [normals([11, 20], 64)], maxNorm: 0.5, lossScale: 64 }),
  clipCase({ what: "a scaled loss and no greatest norm", gradients: [small], maxNorm: 0, lossScale: 8 }),
  clipCase({ what: "a large gradient", gradients: [normals([50_003]), small], maxNorm: 1 }),
  clipCase({ what: "no gradient at all", gradients: [filled([4], 0)], maxNorm: 1 }),
  clipCase({
    what: "NaN in a gradient",
    gradients: [small, map(small, (value, i) => i === 14 ? NaN : value)],
    maxNorm: 0,
  }),
  clipCase({
    what: "infinity in a gradient",
    gradients: [map(small, (value, i) => i === 0 ? -Infinity : value)],
    maxNorm: 0,
  }),
  clipCase({ what: "a loss that is not a number", gradients: [small], loss: NaN, maxNorm: 0.125 }),
  clipCase({ what: "the step after one that was skipped", gradients: [small], maxNorm: 1, skipped: 1 }),
  clipCase({ what: "the step after one that halts", gradients: [small], maxNorm: 1, skipped: 1, halts: true }),
  clipCase({ what: "a step that would halt", gradients: [small], loss: NaN, maxNorm: 1, halts: true }),
  clipCase({ what: "a step after a good one, with halting", gradients: [small], maxNorm: 1, halts: true }),
  clipCase({ what: "an infinite loss", gradients: [small], loss: Infinity, maxNorm: 0.125 }),
];

interface Training {
  readonly what: string;
  readonly shapes: readonly (readonly number[])[];
  readonly weightDecay: number;
  /** How moments lie. */
  readonly moments?: VariableOptions;
  /** Steps whose loss is not finite. */
  readonly bad?: readonly number[];
  /** Whether one of these ends it all. */
  readonly halts?: boolean;
  /** Whether all parameters lie in one block. */
  readonly block?: boolean;
}

const STEPS = 5;
const gradientOf = (shape: readonly number[], slot: number, step: number) => normals(shape, 0.3, 10 * slot + step);

/** Steps of AdamW with clipping over several parameters of one shape each. */
function training(asked: Training): Case {
  const { what, shapes, weightDecay, moments = { storage: "cold" }, bad = [], halts = false, block = false } = asked;
  const [maxNorm, lossScale] = [1.5, 2];
  const inputs = Object.fromEntries(shapes.map((shape, i) => [`w${i}`, normals(shape, 1, i)]));
  return testCase<Record<string, Tensor>, string>(
    `AdamW: ${what}`,
    inputs,
    (engine, weights) => {
      const made: Handle[] = [];
      const variable = (shape: readonly number[], options: VariableOptions = {}) => {
        const handle = engine.variable(shape, options);
        made.push(handle);
        return handle;
      };
      const state = variable([STEP.length]);
      /** Tensors of all shapes: one by one, or in a block that is changed as one. */
      const several = (options?: VariableOptions) => {
        if (!block) return { all: undefined, parts: shapes.map((shape) => variable(shape, options)) };
        const { all, parts } = engine.block(shapes);
        made.push(all);
        return { all, parts };
      };
      const [weight, gradient, m, v] = [several(), several(), several(moments), several(moments)];
      const slotOf = (of: (tensors: ReturnType<typeof several>) => Handle) => ({
        weight: of(weight),
        gradient: of(gradient),
        m: of(m),
        v: of(v),
        weightDecay,
      });
      const parts = shapes.map((_, i) => slotOf(({ parts }) => parts[i]!));
      const slots = block ? [slotOf(({ all }) => all!)] : parts;
      parts.forEach(({ weight }, i) => engine.copy(weight, weights[`w${i}`]!));
      engine.write(state, Float32Array.of(0, 0, 0, 0, 0, 0, +halts));
      for (let step = 1; step <= STEPS; step++) {
        engine.write(state, Float32Array.of(RATE, step, lossScale));
        parts.forEach(({ gradient }, i) => engine.copy(gradient, upload(engine, gradientOf(shapes[i]!, i, step))));
        const loss = engine.upload(Float32Array.of(bad.includes(step) ? NaN : 1), [1]);
        engine.clip(slots.map(({ gradient }) => gradient), loss, maxNorm, state);
        engine.adamw(slots, options, state);
      }
      return result(engine, parts, state, made);
    },
    (weights) => {
      let slots: Slot[] = shapes.map((shape, i) => ({
        weight: weights[`w${i}`]!,
        m: filled(shape, 0),
        v: filled(shape, 0),
        weightDecay,
      }));
      let last = clip([], 1, maxNorm, lossScale);
      for (let step = 1; step <= STEPS; step++) {
        const gradients = shapes.map((shape, i) => gradientOf(shape, i, step));
        const before = last.skipped;
        last = clip(gradients, bad.includes(step) ? NaN : 1, maxNorm, lossScale);
        if (halts && before === 1) last = { ...last, skipped: 1 };
        if (last.skipped === 1) continue;
        slots = slots.map((slot, i) =>
          adamw(slot, gradients[i]!, { ...options, learningRate: RATE, step, factor: last.factor })
        );
      }
      return expected(slots, last, { step: STEPS, lossScale, halts });
    },
  );
}

/** Copies of all that a step has changed, as temporaries; the variables are given back. */
function result(
  engine: Engine,
  slots: readonly OptimizerSlot[],
  state: Handle,
  made: readonly Handle[],
): Record<string, Handle> {
  const results: Record<string, Handle> = {};
  const copied = (name: string, handle: Handle) => {
    results[name] = engine.zeros(handle.shape);
    engine.copy(results[name]!, handle);
  };
  slots.forEach(({ weight, m, v, gradient }, i) => {
    copied(`weight${i}`, weight);
    copied(`m${i}`, m);
    copied(`v${i}`, v);
    copied(`gradient${i}`, gradient);
  });
  copied("state", state);
  for (const handle of made) engine.free(handle);
  return results;
}

function expected(
  slots: readonly Slot[],
  last: ReturnType<typeof clip>,
  scalars: Parameters<typeof written>[1],
): Record<string, Tensor> {
  const results: Record<string, Tensor> = { state: written(last, scalars) };
  slots.forEach(({ weight, m, v }, i) => {
    results[`weight${i}`] = weight;
    results[`m${i}`] = m;
    results[`v${i}`] = v;
    results[`gradient${i}`] = filled(weight.shape, 0);
  });
  return results;
}

interface TableCase {
  readonly what: string;
  readonly rows: number;
  readonly width: number;
  readonly weightDecay: number;
  /** A step whose loss is not finite. */
  readonly bad?: number;
  /** A kernel that writes to the gradient in step 3, beside the scatter-add of every step but that. */
  readonly other?: (engine: Engine, gradient: Handle, values: Handle) => void;
}

/** Ids of a step: a few rows, other ones each time. */
const idsOf = (rows: number, step: number) =>
  integers(Int32Array.from({ length: 6 }, (_, i) => (i === 0 ? 256 : i * i * 211 + 97 * step) % rows));

/**
 * A table of which a step touches few rows, cleared by every step, also by one that is left out: what an engine leaves out must not show. Another
 * kernel than scatter-add may write to the gradient as well.
 */
function table({ what, rows, width, weightDecay, bad, other }: TableCase): Case {
  const shape = [rows, width];
  const valuesOf = (step: number) => normals([6, width], 1, step);
  const wholeOf = normals(shape, 0.5, 77);
  const [maxNorm, lossScale] = [0.5, 1];
  return testCase<{ weight: Tensor; whole: Tensor }, string>(
    `AdamW of a table: ${what}`,
    { weight: normals(shape), whole: wholeOf },
    (engine, { weight: start, whole }) => {
      const gradient = engine.variable(shape, { touched: "rows" });
      const [weight, m, v, state] = [
        engine.variable(shape),
        engine.variable(shape, { storage: "cold" }),
        engine.variable(shape, { storage: "cold" }),
        engine.variable([STEP.length]),
      ];
      engine.copy(weight, start);
      const losses = [1, NaN].map((value) => engine.upload(Float32Array.of(value), [1])) as [Handle, Handle];
      const gradients: Record<string, Handle> = {};
      const slot = { weight, gradient, m, v, weightDecay };
      for (let step = 1; step <= STEPS; step++) {
        engine.write(state, Float32Array.of(RATE, step, lossScale));
        if (step === 3 && other !== undefined) other(engine, gradient, whole);
        else engine.scatterAdd(gradient, upload(engine, idsOf(rows, step)), upload(engine, valuesOf(step)));
        engine.clip([gradient], losses[step === bad ? 1 : 0], maxNorm, state);
        gradients[`gradient${step}`] = engine.affine(gradient, 1);
        engine.adamw([slot], options, state);
        gradients[`cleared${step}`] = engine.affine(gradient, 1);
      }
      return { ...gradients, ...result(engine, [slot], state, [gradient, weight, m, v, state]) };
    },
    ({ weight }) => {
      let slot: Slot = { weight, m: filled(shape, 0), v: filled(shape, 0), weightDecay };
      let last = clip([], 1, maxNorm, lossScale);
      const gradients: Record<string, Tensor> = {};
      for (let step = 1; step <= STEPS; step++) {
        const gradient = step === 3 && other !== undefined
          ? wholeOf
          : scatterAdd(filled(shape, 0), idsOf(rows, step), valuesOf(step));
        last = clip([gradient], step === bad ? NaN : 1, maxNorm, lossScale);
        if (last.skipped === 0) {
          slot = adamw(slot, gradient, { ...options, learningRate: RATE, step, factor: last.factor });
        }
        gradients[`gradient${step}`] = gradient;
        gradients[`cleared${step}`] = filled(shape, 0);
      }
      return { ...gradients, ...expected([slot], last, { step: STEPS, lossScale }) };
    },
  );
}

const tables: Case[] = [
  ...([[30, 4], [30, 5], [1, 8], [600, 20]] as const).flatMap(([rows, width]) =>
    [0, 0.1].map((weightDecay) =>
      table({ what: `[${rows}, ${width}], decay ${weightDecay}`, rows, width, weightDecay })
    )
  ),
  table({ what: "a step that is left out", rows: 300, width: 8, weightDecay: 0.1, bad: 2 }),
  ...([
    ["added to as a whole", (engine, gradient, values) => engine.addTo(gradient, values)],
    ["copied to", (engine, gradient, values) => engine.copy(gradient, values)],
    ["written to by a product", (engine, gradient, values) => {
      const one = engine.upload(Float32Array.from({ length: 144 }, (_, i) => i % 13 === 0 ? 1 : 0), [12, 12]);
      engine.matmul(values, one, { out: gradient, accumulate: true });
    }],
    ["added to through a view", (engine, gradient, values) => {
      engine.addTo(engine.reshape(gradient, [30 * 12]), values);
    }],
  ] as [string, NonNullable<TableCase["other"]>][]).map(([how, other]) =>
    table({ what: `a gradient that is ${how}`, rows: 30, width: 12, weightDecay: 0, other })
  ),
];

/** The kernels of this file. */
export const optimizer: readonly Case[] = [
  ...clips,
  training({ what: "odd sizes", shapes: [[1], [5], [7, 3], [33]], weightDecay: 0 }),
  training({ what: "odd sizes, with decay", shapes: [[1], [5], [7, 3], [33]], weightDecay: 0.1 }),
  training({ what: "many elements", shapes: [[40_001], [2]], weightDecay: 0.01 }),
  training({ what: "moments like any variable", shapes: [[5], [7, 3]], weightDecay: 0.1, moments: {} }),
  training({
    what: "a step whose loss is not finite changes nothing",
    shapes: [[9], [130]],
    weightDecay: 0.1,
    bad: [3],
  }),
  training({ what: "a block", shapes: [[5], [7, 3], [1], [300, 60]], weightDecay: 0.1, block: true }),
  training({
    what: "a block, with a step that is left out",
    shapes: [[5], [16]],
    weightDecay: 0,
    block: true,
    bad: [2],
  }),
  training({ what: "a step that is not finite ends it", shapes: [[9], [20]], weightDecay: 0.1, bad: [3], halts: true }),
  training({ what: "the last step is left out", shapes: [[9]], weightDecay: 0.1, bad: [5] }),
  ...tables,
];
