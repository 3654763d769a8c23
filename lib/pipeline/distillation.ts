/**
 * From a teacher and an encoder to a student that can be trained: some of its layers, and embeddings of one width.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import { embeddingWidth } from "../checkpoint/modules.ts";
import { readFolder } from "../checkpoint/sentence_transformers.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Columns } from "../data/rows.ts";
import { type KindredError, UsageError } from "../error.ts";
import type { ModelFolder } from "../stage/artifact.ts";
import { type Artifact, type Services, valueOf } from "../stage/stage.ts";
import { keepLayers } from "./stages/keep_layers.ts";
import { reduceWidth } from "./stages/reduce_width.ts";

/**
 * Where a teacher's embeddings are wider than its student's: it gets a layer of their principal components; or the student
 * learns a layer to the teacher's width, which is left out in the end.
 */
export type BetweenWidths = "pca" | "projection";

/** Who teaches whom. */
export interface TeacherAndStudent {
  /** The model to imitate, its embeddings reduced where that is asked for. */
  readonly teacher: Artifact<ModelFolder>;
  /** The model to train. */
  readonly student: Artifact<ModelFolder>;
  /** Width of a layer between them, where the student learns one. */
  readonly projection: number | undefined;
}

const widthOf: (model: Artifact<ModelFolder>) => Effect.Effect<number, KindredError> = Effect.fnUntraced(
  function* (model) {
    const { folder } = yield* valueOf(model);
    return embeddingWidth((yield* attempt(() => readFolder(folder))).modules);
  },
);

/**
 * Makes the student of some layers, if any are named, and brings both to one width.
 *
 * @param inputs Teacher and encoder, and the texts that the teacher's principal components are found by.
 * @param options Which layers are kept (default: all), and what happens between widths (default pca where the teacher's
 *   embeddings are the wider ones, projection otherwise).
 * @returns An effect that gives both.
 */
export const teacherAndStudent: (
  inputs: {
    readonly teacher: Artifact<ModelFolder>;
    readonly base: Artifact<ModelFolder>;
    readonly texts: Artifact<Dataset<Columns>>;
  },
  options: { readonly layers?: readonly number[] | undefined; readonly between?: BetweenWidths | undefined },
) => Effect.Effect<TeacherAndStudent, KindredError, Services> = Effect.fnUntraced(
  function* ({ teacher, base, texts }, { layers, between }) {
    if (layers === undefined && teacher.key === base.key) {
      return yield* Effect.fail(
        new UsageError("the student would be its teacher", { hint: "--layers 0,2,5, or --teacher MODEL" }),
      );
    }
    const student = layers === undefined ? base : yield* keepLayers({ model: base }, { layers }, "student");
    const [wide, narrow] = [yield* widthOf(teacher), yield* widthOf(student)];
    if (wide < narrow && between === "pca") {
      return yield* Effect.fail(
        new UsageError("a teacher's embeddings can be reduced, and those of this one are narrower than its student's", {
          expected: `more than ${narrow} features`,
          found: `${wide}`,
          hint: "--between projection",
        }),
      );
    }
    if (wide === narrow) return { teacher, student, projection: undefined };
    if (wide < narrow || between === "projection") return { teacher, student, projection: wide };
    const reduced = yield* reduceWidth({ model: teacher, texts }, { width: narrow });
    return { teacher: reduced, student, projection: undefined };
  },
);
