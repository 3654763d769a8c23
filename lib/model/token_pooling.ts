/**
 * From the tokens of each sequence to one row.
 *
 * @module
 */
import type { PoolingMode } from "../engine/engine.ts";
import { pool, pooledEmbedding } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { PackedBatch } from "../text/packed.ts";
import type { DeviceBatch, Encoder, TrainingKey } from "./batch.ts";
import { encode, encodeRows, mayPickRows } from "./encoder.ts";
import { familyOf } from "./families/mod.ts";

/** The tokens of a batch, which are encoded when they are asked for. */
export interface TokenPooling {
  /** [T, H] */
  readonly tokens: () => Tensor;
  /** [n, H] for each of the modes: `skip` leading tokens of each sequence do not count. */
  readonly pool: (modes: readonly PoolingMode[], skip: number) => Tensor[];
}

/**
 * Pools a batch in one mode or several. Rows of a table are pooled as they are found, but for a maximum; where one token of each
 * sequence is all that is looked at, the others do not go through what follows the last attention.
 */
export function tokenPooling(tape: Tape, encoder: Encoder, batch: DeviceBatch, training?: TrainingKey): TokenPooling {
  const { config, parameters } = encoder;
  let encoded: Tensor | undefined;
  const tokens = () => encoded ??= encode(tape, encoder, batch, training);
  const table = config.family === "static" ? parameters[familyOf(config).wordTable] : undefined;
  return {
    tokens,
    pool(modes, skip) {
      const [mode] = modes;
      const mayPick = modes.length === 1 && table === undefined && mayPickRows(tape, training);
      const rows = mayPick ? singleRows(batch.packed, mode!, skip) : undefined;
      if (rows !== undefined) return [encodeRows(tape, encoder, batch, rows)];
      return modes.map((mode) =>
        table === undefined || mode === "max"
          ? pool(tape, tokens(), batch.offsets, mode, skip)
          : pooledEmbedding(tape, table, batch.ids, batch.offsets, mode, skip)
      );
    },
  };
}

/** The row of each sequence's only token that a mode looks at; undefined if it looks at more, or a sequence has none. */
export function singleRows({ offsets }: PackedBatch, mode: PoolingMode, skip: number): Int32Array | undefined {
  if (mode !== "cls" && mode !== "lasttoken") return undefined;
  const rows = new Int32Array(offsets.length - 1);
  for (let i = 0; i < rows.length; i++) {
    const [first, end] = [offsets[i]! + skip, offsets[i + 1]!];
    if (first >= end) return undefined;
    rows[i] = mode === "cls" ? first : end - 1;
  }
  return rows;
}
