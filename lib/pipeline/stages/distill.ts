/**
 * guide, tokenize, train: a student learns to embed texts as its teacher does.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import type { Dataset, Pairs } from "../../data/dataset.ts";
import type { Columns } from "../../data/rows.ts";
import type { KindredError } from "../../error.ts";
import type { EmbedDistillOptions } from "../../loss/embed_distill.ts";
import { losses } from "../../loss/named.ts";
import type { ModelFolder, TrainedModel } from "../../stage/artifact.ts";
import type { Artifact, Services } from "../../stage/stage.ts";
import type { Texts } from "./load.ts";
import { trainBiEncoder, type TrainParameters } from "./train.ts";

/** What {@linkcode trainStudent} takes. */
export interface StudentInputs {
  /** The model whose embeddings are the aim. */
  readonly teacher: Artifact<ModelFolder>;
  /** The model to start from. */
  readonly student: Artifact<ModelFolder>;
  /** Plain texts, or parallel sentences: a text that the teacher understands, and its translation. */
  readonly texts: Artifact<Dataset<Texts>> | Artifact<Dataset<Pairs>>;
  /** Rows to evaluate on while training. */
  readonly eval?: Artifact<Dataset<Columns>> | undefined;
}

/** Settings of {@linkcode trainStudent}. */
export interface StudentParameters extends Omit<TrainParameters, "loss"> {
  /** The distance, whose embeddings are the aim, and a layer between widths. Default: mean of squares, each text's own. */
  readonly distance?: EmbedDistillOptions | undefined;
}

/**
 * Trains a student by its teacher's embeddings (Reimers & Gurevych 2020, arXiv 2004.09813): the teacher embeds every text
 * once; the student's embeddings shall be the same. With `target: "first"` translations come to where their sources are.
 */
export const trainStudent: (
  inputs: StudentInputs,
  parameters: StudentParameters,
  as?: string,
) => Effect.Effect<Artifact<TrainedModel>, KindredError, Services> = Effect.fnUntraced(
  function* ({ teacher, student, texts, eval: rows }, { distance, ...parameters }, as) {
    return yield* trainBiEncoder({
      ...parameters,
      model: student,
      // The loss takes any number of text columns, one as well.
      data: texts as Artifact<Dataset<Columns>> as Artifact<Dataset<Pairs>>,
      loss: losses.embedDistill({ distance: "mse", ...distance }),
      guide: teacher,
      eval: rows,
      as,
    });
  },
);
