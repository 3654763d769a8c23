/**
 * What every report begins with, and the folder that it is written into.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join, resolve } from "node:path";
import { attempt } from "../attempt.ts";
import type { KindredError } from "../error.ts";
import { TensorEngine } from "../stage/engine.ts";
import { type Services, StageRunner } from "../stage/stage.ts";
import { VERSION } from "../version.ts";
import { commandLine } from "./command_line.ts";
import type { Invocation } from "./flags.ts";
import { checkOutput } from "./output.ts";
import type { ReportBase } from "./report.ts";
import { text } from "./settings.ts";

/** The folder of results, if it may be written into: to be asked before anything is computed. */
export const outputFolder: (invocation: Invocation) => Effect.Effect<string, KindredError> = Effect.fnUntraced(
  function* ({ name, values }) {
    const output = resolve(text(values, "output") ?? join("kindred", name));
    yield* attempt(() => checkOutput(output, values["force"] === true));
    return output;
  },
);

/** Flags that say how a command is shown and not what it does. */
const SHOWN_ONLY = ["json", "quiet", "help"];

/** What every report begins with. `files` are the names of what is written into the output folder. */
export const reportBase: (
  invocation: Invocation,
  about?: {
    readonly warnings?: readonly string[];
    readonly output?: string;
    readonly files?: readonly string[];
  },
) => Effect.Effect<ReportBase, never, Services> = Effect.fnUntraced(function* (invocation, about = {}) {
  const { executed } = yield* StageRunner;
  const { info, reason } = yield* TensorEngine;
  const { warnings = [], output, files = [] } = about;
  const flags = Object.entries(invocation.values).filter(([flag]) => !SHOWN_ONLY.includes(flag)).sort(([a], [b]) =>
    a < b ? -1 : 1
  );
  return {
    pipeline: invocation.name,
    preset: invocation.preset,
    command: commandLine(invocation.name, invocation.args),
    flags: Object.fromEntries(flags) as ReportBase["flags"],
    versions: { kindred: VERSION, deno: Deno.version.deno, v8: Deno.version.v8 },
    seed: (invocation.values["seed"] as number | undefined) ?? 0,
    columns: invocation.columns ?? [],
    engine: {
      ...info,
      reason,
      identical_bits: info.bits.startsWith("kindred")
        ? "with any number of threads, as machine code and as WebAssembly, on every processor that fuses products"
        : "with this library and number of threads",
    },
    stages: executed,
    warnings: [
      ...new Set([
        ...invocation.warnings ?? [],
        ...warnings,
        ...(invocation.preset === "test"
          ? ["the test preset shows that everything runs; its numbers mean nothing"]
          : []),
      ]),
    ],
    files: output === undefined ? [] : files.map((name) => join(output, name)),
  };
});
