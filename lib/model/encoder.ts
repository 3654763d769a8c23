/**
 * The encoder: from packed token ids to one row of features per token.
 *
 * @module
 */
import type { Tape } from "../tensor/tape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { placesOf } from "../text/packed.ts";
import type { DeviceBatch, Encoder, TrainingKey } from "./batch.ts";
import { embedding } from "../tensor/ops.ts";
import type { SomeRows } from "./families/family.ts";
import { familyOf } from "./families/mod.ts";
import { dropoutFor } from "./layers.ts";
import { withAdapters } from "./lora.ts";

/** Token features [C, H] of all sequences. With `training`, dropout as the configuration has it. */
export function encode(tape: Tape, encoder: Encoder, batch: DeviceBatch, training?: TrainingKey): Tensor {
  return throughLayers(tape, encoder, batch, training);
}

/**
 * Features [n, H] of some tokens, by their rows among all, as `encode` gives them: by the kernels of the cpu engine to the last
 * bit. All of the last layer that follows its attention is reckoned for them alone.
 */
export function encodeRows(
  tape: Tape,
  encoder: Encoder,
  batch: DeviceBatch,
  rows: Int32Array,
  training?: TrainingKey,
): Tensor {
  const { engine } = tape;
  const at = engine.upload(rows, [rows.length]);
  const drop = dropoutFor(engine.upload(placesOf(batch.packed, rows), [rows.length, 2]), training);
  return throughLayers(tape, encoder, batch, training, { pick: (x) => embedding(tape, x, at), drop });
}

function throughLayers(
  tape: Tape,
  plain: Encoder,
  batch: DeviceBatch,
  training: TrainingKey | undefined,
  only?: SomeRows,
): Tensor {
  const { config, adapters } = plain;
  const family = familyOf(config);
  const drop = dropoutFor(batch.places, training);
  const encoder = adapters === undefined
    ? plain
    : { ...plain, parameters: withAdapters(plain.parameters, adapters, (rate, i) => drop(rate, "lora-dropout", i)) };
  let x = family.embed(tape, encoder, batch, drop);
  const layer = family.layers(tape, encoder, batch, drop);
  for (let i = 0; i < config.layers; i++) x = layer(x, i, i + 1 < config.layers || only === undefined ? {} : { only });
  return family.finish?.(tape, encoder, x) ?? x;
}
