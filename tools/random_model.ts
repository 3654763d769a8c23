/**
 * Models of any size with random weights, and random tokens to train them on: for what depends on neither.
 *
 * @module
 */
import type { Engine } from "../lib/engine/engine.ts";
import { randomPurpose, randomStream } from "../lib/engine/philox.ts";
import { multipleNegativesRanking } from "../lib/loss/mod.ts";
import type { BiEncoder } from "../lib/model/bi_encoder.ts";
import { familyOf, parseConfig } from "../lib/model/families/mod.ts";
import { makeParameters, randomInitial } from "../lib/model/parameters.ts";
import { biEncoderObjective } from "../lib/train/bi_encoder_objective.ts";
import type { Objective } from "../lib/train/objective.ts";

/** What is trained. */
export interface RandomModel {
  /** As in a folder's `config.json`. */
  readonly shape: Readonly<Record<string, unknown>>;
  /** Pairs of texts. */
  readonly rows: number;
  /** Tokens of each text. */
  readonly tokens: number;
  /** Tokens of the shortest, where texts differ. Default: they do not. */
  readonly shortest?: number;
}

/** Pairs of random texts under multiple-negatives ranking. */
export async function randomObjective(
  engine: Engine,
  { shape, rows, tokens, shortest = tokens }: RandomModel,
): Promise<Objective> {
  const config = parseConfig(shape, "a random model");
  const { tensors, joined } = familyOf(config);
  const parameters = await makeParameters(engine, tensors(config), randomInitial(1), () => true, joined(config));
  const model = {
    encoder: { config, parameters },
    modules: [{ type: "pooling", modes: ["mean"], includePrompt: true, width: config.hiddenSize }],
    parameters,
  } as unknown as BiEncoder; // all that training looks at
  const stream = randomStream(1, randomPurpose("sample"));
  const column = () => {
    const offsets = new Int32Array(rows + 1);
    for (let i = 0; i < rows; i++) {
      offsets[i + 1] = offsets[i]! + shortest + Math.floor(stream.uniform() * (tokens - shortest + 1));
    }
    const draw = () => 5 + Math.floor(stream.uniform() * (config.vocabSize - 5));
    return { ids: Int32Array.from({ length: offsets[rows]! }, draw), typeIds: undefined, offsets };
  };
  return biEncoderObjective({ model, loss: multipleNegativesRanking(), head: {}, texts: [column(), column()] });
}
