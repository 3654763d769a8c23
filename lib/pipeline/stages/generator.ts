/**
 * A language model for the body of a stage: its answers lie beside all results, and it spends no more than its budget.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import type * as Scope from "effect/Scope";
import { join } from "node:path";
import { attempt } from "../../attempt.ts";
import type { KindredError } from "../../error.ts";
import {
  answerFileName,
  type GenerateFunction,
  generateFunction,
  openAiGenerator,
  TextGenerator,
} from "../../generate/mod.ts";
import { shareLock } from "../../stage/locks.ts";

/** A language model behind an endpoint. */
export interface GeneratorParameters {
  /** Where it is, as far as `/chat/completions`. */
  readonly baseUrl: string;
  /** Its name there. */
  readonly model: string;
  /** Tokens that may be spent. */
  readonly tokenBudget?: number | undefined;
  /** Requests under way at once. */
  readonly concurrency?: number | undefined;
}

/**
 * Answers prompts by a language model. Answers lie beside all results: with other settings, too, only what is new is asked.
 * Nobody prunes them meanwhile.
 */
export const generateBy: (
  generator: GeneratorParameters,
  answers: string,
) => Effect.Effect<GenerateFunction, KindredError, Scope.Scope> = Effect.fnUntraced(
  function* ({ baseUrl, model, tokenBudget, concurrency }, answers) {
    const answerFile = join(answers, answerFileName(baseUrl, model));
    yield* Effect.acquireRelease(
      attempt(async () => {
        await Deno.mkdir(answers, { recursive: true });
        return await shareLock(answerFile.replace(/\.jsonl$/, ".use"));
      }),
      (file) => Effect.sync(() => file.close()),
    );
    const generator = yield* openAiGenerator({
      baseUrl,
      model,
      answerFile,
      ...(tokenBudget !== undefined && { tokenBudget }),
      ...(concurrency !== undefined && { concurrency }),
    });
    return yield* Effect.provideService(generateFunction({ unanswered: "empty" }), TextGenerator, generator);
  },
);
