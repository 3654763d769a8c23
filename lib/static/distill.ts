/**
 * Distillation: an encoder's output for each single token becomes that token's row, as model2vec 0.10 has it.
 *
 * @module
 */
import { encodeTokens } from "../embed/encode.ts";
import type { Engine, PoolingMode } from "../engine/engine.ts";
import { UsageError } from "../error.ts";
import { freeBiEncoder, loadBiEncoder } from "../model/bi_encoder.ts";
import { tokenizeBy } from "../text/tokenizer.ts";
import { addWords, idsAround, keepTokens, unknownToken, withLeadingSpace } from "../text/vocabulary.ts";
import { reduceRows } from "./components.ts";
import type { StaticTable } from "./table.ts";

/** How an encoder is distilled; what is left out is as in model2vec 0.10. */
export interface DistillOptions {
  /** Words that become tokens of their own, beside those of the encoder's tokenizer. Default: none. */
  readonly vocabulary?: readonly string[] | undefined;
  /** Features of a row, by principal components; "auto": as many as the encoder has; 0: no components. Default 256. */
  readonly pcaDims?: number | "auto" | undefined;
  /** a of a / (a + p), by which a token that is frequent (p, by Zipf's law) weighs less; 0: no weights. Default 1e-4. */
  readonly sifCoefficient?: number | undefined;
  /** What of a token's own sequence becomes its row. Default mean. */
  readonly pooling?: "mean" | "cls" | "lasttoken" | undefined;
  /** Tokens that begin so are left out. Default those that were never used, `[unused…]`. */
  readonly remove?: RegExp | undefined;
  /** Tokens that go through the encoder at once. Default 4096. */
  readonly tokenBudget?: number | undefined;
}

/** What a distillation gives. */
export interface Distilled extends StaticTable {
  /** Tokens. */
  readonly tokens: number;
  /** Share of the variance that the components hold; 1 where there are none. */
  readonly explained: number;
  /** Words that became tokens. */
  readonly words: number;
}

const UNUSED = /^\[unused\d+\]/;

/**
 * Distils an encoder into static embeddings:
 *
 * 1. every token t of the vocabulary goes through the encoder alone, in its special tokens, and xₜ is the mean of what
 *    comes out (the encoder alone: dense layers are left out);
 * 2. xₜ on its principal components;
 * 3. times a / (a + pₜ), pₜ ∝ 1 / (rank of t + 1): vocabularies stand in order of frequency.
 *
 * A text is then the mean of its tokens' rows, at length 1. Without any text to learn from.
 *
 * @param engine Computes.
 * @param teacher The encoder's folder.
 * @param options Words, components, weights.
 * @returns The table and its tokenizer, for `writeStaticFolder`.
 * @throws {UsageError} The teacher is itself static.
 * @throws {TokenizerError} Words for a vocabulary that takes none.
 *
 * @example
 * ```ts
 * import { createCpuEngine } from "@kindred/kindred/engine";
 * import { distill } from "@kindred/kindred/static";
 * import { sampleBaseModel } from "@kindred/kindred/sample";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const { width, tokens, rows } = await distill(engine, await sampleBaseModel(), { pcaDims: 32 });
 * assert.deepEqual([width, rows.length], [32, 32 * tokens]);
 * engine.close();
 * ```
 */
export async function distill(engine: Engine, teacher: string, options: DistillOptions = {}): Promise<Distilled> {
  const { pooling = "mean", tokenBudget = 4096, remove = UNUSED } = options;
  checkOptions(options);
  const model = await loadBiEncoder(engine, teacher, { pooling: pooling satisfies PoolingMode, pooledOnly: true });
  try {
    const { definition, special } = model.tokenizer;
    if (model.encoder.config.layers === 0 || definition === undefined) {
      throw new UsageError("static embeddings cannot be distilled again", {
        expected: "a transformer as the teacher",
        found: teacher,
      });
    }
    const unknown = unknownToken(definition);
    const kept = keepTokens(
      definition,
      ({ token, id, added }) => (!added || token === unknown || id === special.pad) && !remove.test(token),
    );
    const grown = addWords(withLeadingSpace(kept.definition), options.vocabulary ?? []);
    const { before, behind } = idsAround(definition);
    const { maxSeqLength } = model;
    const count = kept.ids.length + grown.words.length;
    const sequences = await tokenizeBy(
      (row) => {
        const token = Number(row);
        if (token < kept.ids.length) return [...before, kept.ids[token]!, ...behind];
        return model.tokenizer.ids(grown.words[token - kept.ids.length]!, maxSeqLength);
      },
      Array.from({ length: count }, (_, row) => `${row}`),
    );
    const { data, width } = await encodeTokens(engine, { ...model, truncateDim: undefined }, sequences, {
      tokenBudget,
    });
    for (let i = 0; i < data.length; i++) if (Number.isNaN(data[i])) data[i] = 0;
    const wanted = options.pcaDims === "auto" ? width : Math.min(options.pcaDims ?? 256, width);
    const reduced = wanted > 0 && wanted < count
      ? await reduceRows(data, width, wanted)
      : { data, dimensions: width, explained: 1 };
    weigh(reduced.data, reduced.dimensions, options.sifCoefficient ?? 1e-4);
    return {
      rows: reduced.data,
      width: reduced.dimensions,
      tokenizer: grown.definition,
      normalize: true,
      tokens: count,
      explained: reduced.explained,
      words: grown.words.length,
    };
  } finally {
    freeBiEncoder(engine, model);
  }
}

function checkOptions({ pcaDims, sifCoefficient }: DistillOptions): void {
  if (pcaDims !== undefined && pcaDims !== "auto" && !(Number.isInteger(pcaDims) && pcaDims >= 0)) {
    throw new UsageError("pcaDims is no number of features", {
      expected: 'a whole number, or "auto"',
      found: `${pcaDims}`,
    });
  }
  if (sifCoefficient !== undefined && !(sifCoefficient >= 0 && sifCoefficient < 1)) {
    throw new UsageError("sifCoefficient is out of its range", {
      expected: "a number from 0, below 1",
      found: `${sifCoefficient}`,
    });
  }
}

/** Rows times a / (a + p), with p ∝ 1 / (rank + 1), ranks from 1 (smooth inverse frequency, Arora et al. 2017). */
function weigh(rows: Float32Array, width: number, coefficient: number): void {
  if (coefficient === 0) return;
  const count = rows.length / width;
  let whole = 0;
  for (let token = 0; token < count; token++) whole += 1 / (token + 2);
  for (let token = 0; token < count; token++) {
    const weight = coefficient / (coefficient + 1 / (token + 2) / whole);
    for (let i = token * width; i < (token + 1) * width; i++) rows[i]! *= weight;
  }
}
