/**
 * Embeds texts: a file or standard input in, `.npy`, `.safetensors` or `.parquet` out.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt, attemptSync } from "../lib/attempt.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { encodeAll, encodeSummary, encodingSettings, encodingSink } from "../lib/pipeline/encoding.ts";
import { COMPUTING } from "../lib/pipeline/flags.ts";
import { columnOf, optional } from "../lib/pipeline/settings.ts";
import { TensorEngine } from "../lib/stage/engine.ts";
import { openBiEncoder } from "../lib/stage/models.ts";
import { Progress } from "../lib/stage/progress.ts";
import { modelFolder } from "../lib/stage/roots.ts";

/** The command. */
export const command: Command = {
  name: "encode",
  summary: "embeds texts: --model M --input FILE|- --output FILE.npy|.safetensors|.parquet",
  flags: [
    ...COMPUTING,
    "model",
    "max-seq-length",
    "input",
    "column",
    "columns",
    "output",
    "output-value",
    "output-precision",
    "ranges",
    "calibration",
    "truncate-dim",
    "normalize",
    "prompt",
    "prefix",
    "max-tokens",
  ],
  meanings: {
    "model": "the model: a folder or a model of the hub; #NAME behind it: an adapter within it",
    "columns": "the column of the texts, as for --column: text=answer",
    "max-seq-length": "longest text in tokens; longer ones are cut; default: as the model's folder says",
    "output": "file of the embeddings: .npy, .safetensors or .parquet",
  },
  presets: {},
  run: Effect.fnUntraced(function* ({ values, warnings = [] }) {
    const settings = yield* attemptSync(() => encodingSettings(values));
    const column = yield* attemptSync(() => columnOf(values));
    const folder = yield* attempt(() => modelFolder(settings.model));
    const engine = yield* (yield* TensorEngine).open;
    const { emit } = yield* Progress;
    // What is not finished leaves no file, also when it is interrupted.
    const sink = yield* Effect.acquireRelease(
      attempt(() => encodingSink(settings, values)),
      (sink) => Effect.promise(() => sink.abandon()),
    );
    const model = yield* openBiEncoder(folder, {
      maxSeqLength: optional(values, "max-seq-length"),
      truncateDim: optional(values, "truncate-dim"),
    });
    const how = { values, column, tell: emit };
    const report = yield* attempt((signal) => encodeAll(engine, model, settings, sink, { ...how, signal }));
    return { ...report, warnings: [...warnings, ...report.warnings] };
  }, Effect.scoped),
  print: encodeSummary,
};

if (import.meta.main) await main(command);
