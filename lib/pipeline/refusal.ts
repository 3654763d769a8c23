/**
 * A run that was stopped because its judge knows too little: the report of that, and the error.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import type { KindredError } from "../error.ts";
import type { Services } from "../stage/stage.ts";
import type { Invocation } from "./flags.ts";
import { JUDGE_HINTS, JudgeError, type Student } from "./judge.ts";
import { writeOutput } from "./output.ts";
import { facts, page, section } from "./page.ts";
import { escapeHtml } from "./axis.ts";
import type { ReportBase } from "./report.ts";
import { reportBase } from "./report_base.ts";

/** The report of a run that was stopped. */
export interface RefusalReport extends ReportBase {
  /** Version of this shape. */
  readonly schema: "kindred-refusal/1";
  /** What the judge was measured at, and what helps. */
  readonly refused: {
    /** By what the judge and the model were compared. */
    readonly metric: string;
    /** What the judge reached. */
    readonly judge: number;
    /** Which model it was compared with: the one that it should have taught, as it was or trained on the gold pairs alone. */
    readonly student: Student;
    /** What the cosine of that model reached. */
    readonly base: number;
    /** Standard error of the difference of the two. */
    readonly uncertainty: number;
    /** Gold pairs that were held out for it. */
    readonly rows: number;
    /** What helps. */
    readonly hints: readonly string[];
  };
}

/** Runs what may fail with a `JudgeError`, and writes the report of that before it fails. */
export const reportingRefusal = <A>(
  invocation: Invocation,
  output: string,
  work: Effect.Effect<A, KindredError, Services>,
): Effect.Effect<A, KindredError, Services> =>
  Effect.catch(
    work,
    (error) =>
      error instanceof JudgeError
        ? Effect.flatMap(writeRefusal(invocation, output, error), () =>
          Effect.fail(new JudgeError(error.gate, error.student, output)))
        : Effect.fail(error),
  );

const writeRefusal: (
  invocation: Invocation,
  output: string,
  error: JudgeError,
) => Effect.Effect<void, KindredError, Services> = Effect.fnUntraced(
  function* (invocation, output, { gate, summary, student }) {
    const { metric, judge, base, uncertainty, rows } = gate;
    const about = yield* reportBase(invocation, { output, files: ["report.json", "report.html"], warnings: [summary] });
    const report: RefusalReport = {
      schema: "kindred-refusal/1",
      ...about,
      refused: { metric, student, judge, base, uncertainty, rows, hints: JUDGE_HINTS },
    };
    const name = metric.replaceAll("_", " ");
    yield* attempt(() =>
      writeOutput(output, {
        "report.html": page(report, {
          lead: `${summary}: it was measured on ${rows} gold pairs held out. No model was trained on its labels.`,
          sections: [
            facts({
              [`${name} of the judge`]: judge,
              [`${name} of the model's own cosine`]: base,
              "the model": student,
              "standard error of the difference": uncertainty,
              "gold pairs": rows,
            }),
            section("What helps", `<ul>${JUDGE_HINTS.map((hint) => `<li>${escapeHtml(hint)}</li>`).join("")}</ul>`),
          ],
        }),
        "report.json": JSON.stringify(report, null, 2) + "\n",
      })
    );
  },
);
