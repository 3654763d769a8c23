/**
 * The optimizer: AdamW with PyTorch's semantics (Loshchilov & Hutter 2019, arXiv 1711.05101) and the decay groups of
 * Hugging Face's trainer.
 *
 * @module
 */
import { type Engine, type Handle, type OptimizerSlot, STEP } from "../engine/engine.ts";
import type { Parameters } from "../tensor/tensor.ts";

/** Settings of {@linkcode openOptimizer}. */
export interface AdamWSettings {
  /** Decoupled decay of everything but biases and normalisations. Default 0. */
  readonly weightDecay?: number | undefined;
  /** Default .9 */
  readonly beta1?: number | undefined;
  /** Default .999 */
  readonly beta2?: number | undefined;
  /** Default 1e-8 */
  readonly epsilon?: number | undefined;
  /** Highest global norm of the gradient; 0 does not clip. Default 1. */
  readonly clip?: number | undefined;
}

/** What the optimizer takes where nothing is said: the defaults of sentence-transformers' trainer. */
export const ADAMW_DEFAULTS: { readonly [K in keyof AdamWSettings]-?: number } = {
  weightDecay: 0,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  clip: 1,
};

/** Where a parameter's moments are: within those of its slot. */
export interface Moments {
  /** First moments of the slot. */
  readonly m: Handle;
  /** Second moments. */
  readonly v: Handle;
  /** Place of the parameter's first element in them. */
  readonly offset: number;
}

/** The optimizer's state on the device. */
export interface Optimizer {
  /** What is updated as one: blocks of parameters, and embedding tables. */
  readonly slots: readonly OptimizerSlot[];
  /** Slots that rest now and then, and count their updates for themselves: list by list. */
  readonly own: readonly (readonly OptimizerSlot[])[];
  /** The gradients of all slots. */
  readonly gradients: readonly Handle[];
  /** The moments of each trained parameter, by name. */
  readonly moments: ReadonlyMap<string, Moments>;
  /** The scalars of the step, see `STEP`. */
  readonly scalars: Handle;
  /** The settings, complete. */
  readonly settings: { readonly [K in keyof AdamWSettings]-?: number };
}

/**
 * Moments of zero for every parameter that is trained.
 *
 * @param engine Holds them until {@linkcode closeOptimizer}.
 * @param parameters Those of the model and the loss.
 * @param settings Decay, rates of the moments, clipping.
 * @param halts Whether a step that is not finite is the last one, until the host has looked. Default true.
 * @param own Names of parameters that rest now and then, list by list, as PyTorch's AdamW leaves parameters without a gradient
 * alone. Default: none do.
 * @returns The optimizer, for {@linkcode update}.
 */
export function openOptimizer(
  engine: Engine,
  parameters: Parameters,
  settings: AdamWSettings = {},
  halts = true,
  own: readonly (readonly string[])[] = [],
): Optimizer {
  const complete = {
    ...ADAMW_DEFAULTS,
    ...Object.fromEntries(Object.entries(settings).filter(([, v]) => v !== undefined)),
  };
  const { weightDecay, beta1, beta2, epsilon, clip } = complete;
  const slots = new Map<Handle, OptimizerSlot>();
  const moments = new Map<string, Moments>();
  for (const [name, { value, gradient, block }] of Object.entries(parameters)) {
    if (gradient === undefined) continue;
    const [weights, gradients] = [block?.weights ?? value, block?.gradients ?? gradient];
    let slot = slots.get(weights);
    if (slot === undefined) {
      // What stands alone is an embedding table or belongs to a loss: matrices are decayed, vectors are not.
      const decayed = block?.decays ?? value.shape.length > 1;
      slot = {
        weight: weights,
        gradient: gradients,
        m: engine.variable(weights.shape, { storage: "cold" }),
        v: engine.variable(weights.shape, { storage: "cold" }),
        weightDecay: decayed ? weightDecay : 0,
      };
      slots.set(weights, slot);
      // Of a block all is read and written at each update. A page of memory that is read before it is written to costs two
      // faults, and the second one stops every thread; a table's pages stay away until their rows are met.
      if (block !== undefined) { for (const each of [slot.gradient, slot.m, slot.v]) engine.fill(each, 0); }
    }
    moments.set(name, { m: slot.m, v: slot.v, offset: block?.offset ?? 0 });
  }
  const scalars = engine.variable([STEP.length]);
  engine.write(scalars, Float32Array.of(halts ? 1 : 0), STEP.halts);
  const all = [...slots.values()];
  const apart = own.map((names) => {
    const theirs = new Set(names.map((name) => moments.get(name)?.m));
    return all.filter(({ m }) => theirs.has(m));
  });
  return {
    slots: all.filter((slot) => !apart.some((slots) => slots.includes(slot))),
    own: apart,
    gradients: all.map(({ gradient }) => gradient),
    moments,
    scalars,
    settings: { weightDecay, beta1, beta2, epsilon, clip },
  };
}

/** One update from the gradients that were added up, which are 0 again afterwards. */
export function update(
  engine: Engine,
  { slots, own, gradients, scalars, settings }: Optimizer,
  loss: Handle,
  { rate, step, lossScale = 1, ownSteps = [] }: {
    readonly rate: number;
    readonly step: number;
    readonly lossScale?: number;
    /** Of each list of `own`: its number of this update; undefined: it rests. */
    readonly ownSteps?: readonly (number | undefined)[];
  },
): void {
  engine.write(scalars, Float32Array.of(rate, step, lossScale));
  engine.clip(gradients, loss, settings.clip, scalars);
  engine.adamw(slots, settings, scalars);
  own.forEach((slots, i) => {
    const step = ownSteps[i];
    if (step === undefined || slots.length === 0) return; // what rests has no gradient to be cleared
    engine.write(scalars, Float32Array.of(step), STEP.step);
    engine.adamw(slots, settings, scalars);
  });
}

/** Gives the optimizer's memory back. */
export function closeOptimizer(engine: Engine, optimizer: Optimizer): void {
  for (const { m, v } of [...optimizer.slots, ...optimizer.own.flat()]) {
    engine.free(m);
    engine.free(v);
  }
  engine.free(optimizer.scalars);
}
