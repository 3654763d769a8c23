/**
 * From the tokens of each sequence to one row.
 *
 * @module
 */
import type { PoolingMode } from "../engine/engine.ts";
import { pool, pooledEmbedding } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { DeviceBatch, Encoder, TrainingKey } from "./batch.ts";
import { encode } from "./encoder.ts";
import { familyOf } from "./families/mod.ts";

/** The tokens of a batch, which are encoded when they are asked for. */
export interface TokenPooling {
  /** [T, H] */
  readonly tokens: () => Tensor;
  /** [n, H]: `skip` leading tokens of each sequence do not count. */
  readonly pool: (mode: PoolingMode, skip: number) => Tensor;
}

/** Pools a batch in one mode or several. Rows of a table are pooled as they are found, but for a maximum. */
export function tokenPooling(tape: Tape, encoder: Encoder, batch: DeviceBatch, training?: TrainingKey): TokenPooling {
  const { config, parameters } = encoder;
  let encoded: Tensor | undefined;
  const tokens = () => encoded ??= encode(tape, encoder, batch, training);
  const table = config.family === "static" ? parameters[familyOf(config).wordTable] : undefined;
  return {
    tokens,
    pool: (mode, skip) =>
      table === undefined || mode === "max"
        ? pool(tape, tokens(), batch.offsets, mode, skip)
        : pooledEmbedding(tape, table, batch.ids, batch.offsets, mode, skip),
  };
}
