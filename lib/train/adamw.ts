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

/** The optimizer's state on the device. */
export interface Optimizer {
  /** One slot for each trained parameter, by name. */
  readonly slots: ReadonlyMap<string, OptimizerSlot>;
  /** The scalars of the step, see `STEP`. */
  readonly scalars: Handle;
  /** The settings, complete. */
  readonly settings: { readonly [K in keyof AdamWSettings]-?: number };
}

/** Biases and normalisations are not decayed. */
export function decays(name: string): boolean {
  return !/bias|layernorm|rmsnorm|(^|\.)norm($|\.)|_norm($|\.)/.test(name.toLowerCase());
}

/** Moments of zero for every parameter that is trained. */
export function openOptimizer(engine: Engine, parameters: Parameters, settings: AdamWSettings = {}): Optimizer {
  const {
    weightDecay = ADAMW_DEFAULTS.weightDecay,
    beta1 = ADAMW_DEFAULTS.beta1,
    beta2 = ADAMW_DEFAULTS.beta2,
    epsilon = ADAMW_DEFAULTS.epsilon,
    clip = ADAMW_DEFAULTS.clip,
  } = settings;
  const slots = new Map<string, OptimizerSlot>();
  for (const [name, { value, gradient }] of Object.entries(parameters)) {
    if (gradient === undefined) continue;
    slots.set(name, {
      weight: value,
      gradient,
      m: engine.variable(value.shape, { storage: "cold" }),
      v: engine.variable(value.shape, { storage: "cold" }),
      weightDecay: decays(name) ? weightDecay : 0,
    });
  }
  return { slots, scalars: engine.variable([STEP.length]), settings: { weightDecay, beta1, beta2, epsilon, clip } };
}

/** One update from the gradients that were added up; then the gradients are 0 again. */
export function update(engine: Engine, optimizer: Optimizer, loss: Handle, rate: number, step: number): void {
  const slots = [...optimizer.slots.values()];
  const { clip, beta1, beta2, epsilon } = optimizer.settings;
  engine.write(optimizer.scalars, Float32Array.of(rate, step, 1));
  engine.clip(slots.map((slot) => slot.gradient), loss, clip, optimizer.scalars);
  engine.adamw(slots, { beta1, beta2, epsilon }, optimizer.scalars);
  for (const slot of slots) engine.fill(slot.gradient, 0);
}

/** Gives the optimizer's memory back. */
export function closeOptimizer(engine: Engine, optimizer: Optimizer): void {
  for (const { m, v } of optimizer.slots.values()) {
    engine.free(m);
    engine.free(v);
  }
  engine.free(optimizer.scalars);
}
