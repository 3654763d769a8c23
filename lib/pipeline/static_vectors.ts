/**
 * From flags to static embeddings: what they start from.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt, attemptSync } from "../attempt.ts";
import { readFolder } from "../checkpoint/sentence_transformers.ts";
import { counted } from "../counted.ts";
import { type KindredError, UsageError } from "../error.ts";
import type { ModelFolder } from "../stage/artifact.ts";
import { model } from "../stage/roots.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import type { Facts } from "../train/model_card.ts";
import { originOf } from "./card.ts";
import type { Flag, Invocation } from "./flags.ts";
import { checkOwnModel, number, optional, text } from "./settings.ts";
import { type Compared, TEACHER } from "./static_comparison.ts";
import { loadFlatTexts, loadTexts } from "./stages/load.ts";
import { distilStatic, pruneStatic, randomStatic, type StaticModel } from "./stages/static.ts";

/** Where the vectors come from. */
export type Start = "distilled" | "random" | "given";

/** Vectors before they are trained. */
export interface StartingVectors {
  /** How they came about. */
  readonly start: Start;
  /** The encoder that they were distilled from; undefined for others. */
  readonly teacher: Artifact<ModelFolder> | undefined;
  /** The static model, pruned where that was asked for. */
  readonly model: Artifact<ModelFolder>;
  /** What is known of it. */
  readonly facts: Facts;
  /** One sentence about that. */
  readonly story: string;
}

/** Flags that say something of vectors of one kind alone. */
const KINDS: Readonly<Partial<Record<Flag, Start>>> = {
  "vocabulary": "distilled",
  "pca-dims": "distilled",
  "sif-coefficient": "distilled",
  "token-pooling": "distilled",
  "width": "random",
};

/** Fails where the flags contradict each other: none is passed over in silence. */
function checkFlags(invocation: Invocation, start: Start): void {
  const { values, name } = invocation;
  const given = text(values, "model");
  if (start === "given" && given === undefined) {
    throw new UsageError("there are no vectors to start from", {
      expected: "--model with static embeddings, or with a file of word vectors",
      found: "--start given",
    });
  }
  if (start !== "given" && given !== undefined) {
    throw new UsageError("--model names vectors that are not used", {
      found: `--start ${start} --model ${given}`,
      hint: "an encoder goes to --teacher",
    });
  }
  for (const [flag, kind] of Object.entries(KINDS)) {
    if (values[flag as Flag] === undefined || kind === start) continue;
    throw new UsageError(`--${flag} is for ${KIND_NAMES[kind]}`, {
      found: `vectors that are ${start}`,
      hint: `deno run -A pipelines/${name}.ts --help says what each flag is for`,
    });
  }
  checkOwnModel(invocation, ["train", "eval", "vocabulary", "prune-texts"], "teacher");
  if (values["min-count"] !== undefined && values["prune-texts"] === undefined) {
    throw new UsageError("--min-count is of the texts that a vocabulary is pruned to, and there are none", {
      hint: "--prune-texts FILE names them",
    });
  }
}

const KIND_NAMES: Readonly<Record<Start, string>> = {
  distilled: "vectors that are distilled",
  random: "vectors at random (--start random)",
  given: "vectors that are given",
};

/** Fails for an encoder: it is a teacher, and no static model. */
const checkStatic = (vectors: Artifact<ModelFolder>, source: string) =>
  attempt(async () => {
    const { input } = await readFolder((await vectors.read()).folder);
    if (input !== "transformer") return;
    throw new UsageError("the model is no static one", {
      expected: "static embeddings, or a file of word vectors",
      found: source,
      hint: `--teacher ${source} distils it`,
    });
  });

/** The vectors that the flags name. */
export const startingVectors: (
  invocation: Invocation,
) => Effect.Effect<StartingVectors, KindredError, Services> = Effect.fnUntraced(function* (invocation) {
  const { values } = invocation;
  const given = text(values, "model");
  const start = (text(values, "start") ?? (given === undefined ? "distilled" : "given")) as Start;
  yield* attemptSync(() => checkFlags(invocation, start));
  const source = text(values, "teacher");
  const encoder = start === "given" ? source && (yield* model(source)) : yield* model(source);
  const name = (yield* attempt(() => originOf(start === "given" ? given : source))).name;
  const facts: Record<string, string | number | undefined> = {};
  let made: Artifact<ModelFolder | StaticModel>;
  let story: string;
  if (start === "given") {
    made = yield* model(given);
    yield* checkStatic(made, given!);
    story = `Static embeddings from ${name}`;
  } else if (start === "random") {
    made = yield* randomStatic({ tokenizer: encoder! as Artifact<ModelFolder> }, {
      width: optional(values, "width"),
      seed: number(values, "seed"),
    });
    story = `Static embeddings from random vectors for the tokens of ${name}`;
  } else {
    const words = text(values, "vocabulary");
    const distilled = yield* distilStatic(
      {
        teacher: encoder! as Artifact<ModelFolder>,
        ...(words !== undefined && { words: yield* loadTexts({ from: words }) }),
      },
      {
        pcaDims: optional(values, "pca-dims"),
        sifCoefficient: optional(values, "sif-coefficient"),
        pooling: text(values, "token-pooling") as "mean" | undefined,
      },
    );
    const { explained, tokens } = yield* valueOf(distilled);
    facts["distilled from"] = name;
    facts["tokens of the teacher"] = tokens;
    facts["share of the teacher's variance"] = Number(explained.toFixed(4));
    made = distilled;
    story = `Static embeddings, distilled from ${name} as model2vec distils`;
  }
  const corpus = text(values, "prune-texts");
  if (corpus !== undefined) {
    const texts = yield* loadFlatTexts({ from: corpus });
    const pruned = yield* pruneStatic({ model: made, texts }, { minCount: optional(values, "min-count") });
    const { tokens, of } = yield* valueOf(pruned);
    facts["tokens kept"] = `${tokens} of ${of}`;
    story += `, with the ${counted(tokens, "token")} of ${of} that a corpus has`;
    made = pruned;
  }
  return { start, teacher: encoder || undefined, model: made, facts, story };
});

/** The models that a table shows: the teacher where there is one, and the static ones. */
export const teacherAnd = (
  { teacher, start }: StartingVectors,
  others: readonly Compared[],
): readonly Compared[] =>
  teacher === undefined || start === "random" ? others : [{ name: TEACHER, model: teacher }, ...others];
