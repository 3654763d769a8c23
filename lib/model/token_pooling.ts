/**
 * From the tokens of each sequence to one row.
 *
 * @module
 */
import type { PoolingMode } from "../engine/engine.ts";
import { pool, pooledEmbedding } from "../tensor/ops.ts";
import type { Tape } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { endRows } from "../text/packed.ts";
import type { DeviceBatch, Encoder, TrainingKey } from "./batch.ts";
import { encode, encodeRows } from "./encoder.ts";
import { familyOf } from "./families/mod.ts";

/** The modes that look at one token of each sequence. */
const ENDS: { readonly [mode in PoolingMode]?: "first" | "last" } = { cls: "first", lasttoken: "last" };

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
      const end = modes.length > 1 ? undefined : ENDS[modes[0]!];
      // Adapters drop some of what they are given, by the places of all tokens.
      const dropsInAdapters = training !== undefined && (encoder.adapters?.settings.dropout ?? 0) > 0;
      const mayPick = end !== undefined && table === undefined && !dropsInAdapters;
      const rows = mayPick ? endRows(batch.packed, end, skip) : undefined;
      if (rows !== undefined) return [encodeRows(tape, encoder, batch, rows, training)];
      return modes.map((mode) =>
        table === undefined || mode === "max"
          ? pool(tape, tokens(), batch.offsets, mode, skip)
          : pooledEmbedding(tape, table, batch.ids, batch.offsets, mode, skip)
      );
    },
  };
}
