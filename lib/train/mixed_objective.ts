/**
 * Several data sets in one run, each under a loss of its own.
 *
 * @module
 */
import { knownError } from "../error.ts";
import type { Parameters, Tensor } from "../tensor/tensor.ts";
import { inSet } from "./in_set.ts";
import { checkMixing, mixedBatches, type MixedRows, type MixingSettings } from "./mixed_batches.ts";
import type { Objective } from "./objective.ts";

export type { MixedRows };

/** A data set of a run. */
export interface MixedSet extends MixedRows {
  /** Its rows under its loss; the model in it is the same for all sets. */
  readonly objective: Objective;
}

/**
 * Data sets that take turns, as {@linkcode train} minimises them: each batch is of one set, and goes by its loss. One set
 * alone is trained on as without this.
 *
 * A tensor that not all sets have, such as a classifier of pairs, is named `set/tensor` and rests while others have their
 * turn, as PyTorch's AdamW leaves parameters without a gradient alone.
 *
 * @param sets The data sets, by names that differ.
 * @param settings How they take turns. Default: proportional.
 * @returns The objective; its rows are those of the sets, one set after the other.
 * @throws {UsageError} Names that are equal, or a weight or a temperature that cannot be.
 *
 * @example
 * ```ts
 * import { mixedObjective, type Objective } from "@kindred/kindred/train";
 * import assert from "node:assert/strict";
 * const set = (rows: number): Objective => ({
 *   parameters: {},
 *   rows,
 *   tokens: (rows) => rows.length,
 *   differentiate: (engine) => engine.zeros([1]),
 * });
 * const sets = [{ name: "large", objective: set(60) }, { name: "small", objective: set(20) }];
 * const ofEpoch = mixedObjective(sets, { mixing: "round-robin" }).batches!({ batchSize: 10, seed: 1 });
 * assert.deepEqual(ofEpoch(0).map(({ rows }) => rows[0]! < 60), [true, false, true, false]);
 * ```
 */
export function mixedObjective(sets: readonly MixedSet[], settings: MixingSettings = {}): Objective {
  checkMixing(sets, settings);
  const first: number[] = [];
  let rows = 0;
  for (const { objective } of sets) {
    first.push(rows);
    rows += objective.rows;
  }
  /** The set of a batch, and its rows by their numbers there. */
  const within = (rows: Int32Array) => {
    const place = first.findLastIndex((start) => start <= rows[0]!);
    return { place, objective: sets[place]!.objective, rows: rows.map((row) => row - first[place]!) };
  };
  const { parameters, own } = unite(sets);
  return {
    parameters,
    rows,
    sets: sets.map(({ name, objective, batchSize }, i) => ({ name, objective, batchSize, own: own[i]! })),
    setOf: (rows) => within(rows).place,
    batches(draw) {
      const ofEpoch = mixedBatches(sets, settings, draw);
      return (epoch) =>
        ofEpoch(epoch).map(({ set, ...batch }) => ({ ...batch, rows: batch.rows.map((row) => row + first[set]!) }));
    },
    tokens(all) {
      const { objective, rows } = within(all);
      return objective.tokens(rows);
    },
    differentiate(engine, batch, scale) {
      const { place, objective, rows } = within(batch.rows);
      try {
        return objective.differentiate(engine, { ...batch, rows, seed: seedOf(batch.seed, place) }, scale);
      } catch (error) {
        const known = knownError(error);
        throw known === undefined ? error : inSet(sets[place]!.name, known);
      }
    },
  };
}

/** Batches of two sets may make one update, and must not share random masks: each set draws for itself. */
const seedOf = (seed: number, set: number) => (seed ^ Math.imul(set, 0x9E3779B9)) >>> 0;

/** All tensors, and the names of those that each set has for itself. */
function unite(sets: readonly MixedSet[]): { readonly parameters: Parameters; readonly own: readonly string[][] } {
  const isShared = (name: string, tensor: Tensor) =>
    sets.every(({ objective }) => objective.parameters[name] === tensor);
  const parameters: Record<string, Tensor> = {};
  const own = sets.map((set) =>
    Object.entries(set.objective.parameters).flatMap(([name, tensor]) => {
      const shared = isShared(name, tensor);
      const full = shared ? name : `${set.name}/${name}`;
      parameters[full] = tensor;
      return shared ? [] : [full];
    })
  );
  return { parameters, own };
}
