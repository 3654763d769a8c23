/**
 * Models that another one is measured beside: averaged word vectors, an encoder that was not tuned, …
 *
 * @module
 */
import type { PoolingMode } from "../engine/engine.ts";
import { UsageError } from "../error.ts";
import { FLAGS } from "./flags.ts";

/** A model to be measured. */
export interface Baseline {
  /** As it was named. */
  readonly name: string;
  /** A folder, a file of word vectors, or a model of the hub. */
  readonly model: string;
  /** How its tokens become one embedding; undefined: as its folder says. */
  readonly pooling: PoolingMode | undefined;
}

const POOLINGS: readonly string[] = FLAGS["pooling"][0];

/** Baselines by their names: `MODEL` or `MODEL:POOLING`, with commas between them. */
export function baselinesOf(named: string | undefined): Baseline[] {
  return (named ?? "").split(",").map((name) => name.trim()).filter((name) => name !== "").map((name) => {
    const [, model, pooling] = /^(.+):(\w+)$/.exec(name) ?? [];
    if (model === undefined || /^[A-Za-z]$/.test(model)) return { name, model: name, pooling: undefined };
    if (POOLINGS.includes(pooling!)) return { name, model, pooling: pooling as PoolingMode };
    if (name.startsWith("hub:")) return { name, model: name, pooling: undefined };
    throw new UsageError("a baseline has no such pooling", { expected: POOLINGS.join(", "), found: name });
  });
}
