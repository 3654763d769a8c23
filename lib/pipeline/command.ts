// deno-lint-ignore-file no-console -- the one place that owns standard output and error
/**
 * What happens around a command: flags, standard output and error, signals, exit codes.
 *
 * @module
 */
import * as Cause from "effect/Cause";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Fiber from "effect/Fiber";
import * as Layer from "effect/Layer";
import { explain, KindredError, knownError, UsageError } from "../error.ts";
import { TensorEngine } from "../stage/engine.ts";
import { parseFlags } from "./arguments.ts";
import { helpText } from "./help.ts";
import { commandLine, shellQuote } from "./command_line.ts";
import { choicesOf, type Flag, type FlagValues, type Invocation } from "./flags.ts";
import { columnsInWords, emit, Progress, type ProgressEvent, progressTo, type ReadColumns } from "../stage/progress.ts";
import { isProfiled, tellProfile } from "./profile.ts";
import { withRecipe } from "./recipe.ts";
import { columnsOfTerminal, makeProgress } from "../stage/progress_view.ts";
import { engineChoice, text, usualValues, withPreset } from "./settings.ts";
import { sampleWarning } from "./warnings.ts";
import { type Services, StageRunner } from "../stage/stage.ts";

/** A command: what it is called, which flags it has, what it does. */
export interface Command {
  /** As its file is called. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** The flags it uses. */
  readonly flags: readonly Flag[];
  /** What a flag does here, where that is not what it does elsewhere, for the help. */
  readonly meanings?: Readonly<Partial<Record<Flag, string>>>;
  /** What a flag may be here, where that is not what it may be elsewhere. */
  readonly choices?: Readonly<Partial<Record<Flag, readonly string[]>>>;
  /** Defaults by preset. */
  readonly presets: Readonly<Record<string, FlagValues>>;
  /** Flags that name what is one's own, for which the preset `own` is; undefined: those of a model. */
  readonly ownBy?: readonly Flag[];
  /** Does it; the result is the report. */
  readonly run: (invocation: Invocation) => Effect.Effect<unknown, KindredError, Services>;
  /** Words beside flags that it takes, for the help; undefined: none. */
  readonly operands?: string;
  /** The report for a person. */
  readonly print: (report: never) => string;
}

/** Flags of what is read: what stands in a line by itself was probably meant for the first of them. */
const DATA: readonly Flag[] = ["train", "input", "corpus", "datasets", "eval"];

/**
 * Runs a command with these arguments as the process's own, and ends the process with its exit code.
 *
 * @param command What it is called, which flags it takes, and what it does.
 * @param args The flags. Default: those of the process.
 * @returns Never: the process ends.
 */
export async function main(command: Command, args: readonly string[] = Deno.args): Promise<never> {
  // Libraries print to standard output now and then: that is for the report alone.
  const out = console.log;
  console.log = console.info = console.debug = (...values: unknown[]) => console.error(...values);
  const json = args.includes("--json");
  const fail = (error: unknown): never => {
    const known = knownError(error) ?? error;
    if (json) {
      const body = known instanceof KindredError
        ? known.toJSON()
        : { tag: "Defect", message: String((known as Error)?.message ?? known) };
      out(JSON.stringify({ error: body }));
    } else {
      console.error(known instanceof KindredError ? explain(known) : (known as Error)?.stack ?? String(known));
    }
    Deno.exit(known instanceof UsageError ? 2 : 1);
  };

  /** What was warned of, for the report. */
  const warnings: string[] = [];
  /** Columns of files that were read, for the report. */
  const columns: ReadColumns[] = [];
  let invocation: Invocation;
  let given: FlagValues;
  try {
    if (args.includes("--help")) {
      const columns = Deno.stdout.isTerminal() ? columnsOfTerminal() : undefined;
      out(helpText(command, { preset: presetOf(args), ...(columns !== undefined && { columns }) }));
      Deno.exit(0);
    }
    const parsed = parseFlags(args, command.flags, choicesOf(command.flags, command.choices));
    if (command.operands === undefined && parsed.operands.length > 0) {
      const [first] = parsed.operands as [string, ...string[]];
      const data = /^[-\d]/.test(first) ? undefined : DATA.find((flag) => command.flags.includes(flag));
      throw new UsageError("this command takes flags only", {
        found: parsed.operands.join(" "),
        hint: data === undefined ? "--help lists the flags" : `--${data} ${shellQuote(first)}`,
      });
    }
    given = parsed.values;
    const { preset, values } = withPreset(command.presets, given, command.ownBy);
    invocation = {
      name: command.name,
      preset,
      values,
      usual: usualValues(command.presets, values),
      operands: parsed.operands,
      args,
      columns,
      warnings,
    };
  } catch (error) {
    return fail(error);
  }

  const { values } = invocation;
  const noCache = values["no-cache"] === true;
  const folder = noCache ? await Deno.makeTempDir({ prefix: "kindred-" }).catch(fail) : text(values, "cache-dir");
  let interrupted = false;
  /** The last checkpoint, for who goes on. */
  let saved: { readonly step: number; readonly totalSteps: number } | undefined;
  const view = makeProgress(values["quiet"] === true);
  /** Columns, and what is warned of, are told once, though several stages may come to them. */
  const show = (event: ProgressEvent) => {
    if (event._tag === "warning") {
      if (warnings.includes(event.text)) return;
      warnings.push(event.text);
    }
    if (event._tag === "columns") {
      const { _tag, ...read } = event;
      const words = (one: ReadColumns) => `${one.source}: ${columnsInWords(one)}`;
      if (columns.some((known) => words(known) === words(read))) return;
      columns.push(read);
    }
    view.emit(event);
  };
  const progress = progressTo(show, (event) => {
    if (event._tag === "saved") saved = event;
    // What is done is in the cache; what was interrupted ends as well, and is not done.
    if (event._tag === "done" && !interrupted) saved = undefined;
  });
  // A command that computes nothing looks for no library.
  const choice = command.flags.includes("engine") ? engineChoice(values) : { kernels: "wasm" as const };
  const services = Layer.mergeAll(
    StageRunner.layer({ cacheDir: folder }),
    TensorEngine.layer(choice),
  ).pipe(
    Layer.provideMerge(Layer.succeed(Progress, progress)),
  );
  const warned = Effect.forEach(sampleWarning(invocation, command.flags), (text) => emit({ _tag: "warning", text }));
  const work = Effect.gen(function* () {
    const report = yield* command.run(yield* withRecipe(command, invocation, given));
    if (!isProfiled(report)) yield* tellProfile(values);
    return report;
  });
  const program = Effect.provide(Effect.andThen(warned, work), services).pipe(
    Effect.ensuring(
      Effect.promise(() => noCache ? Deno.remove(folder!, { recursive: true }).catch(() => {}) : Promise.resolve()),
    ),
  );
  const fiber = Effect.runFork(program);
  const signals: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  const interrupt = () => {
    interrupted = true;
    // Nobody listens any more: the system itself ends the process at the second signal, whatever it computes.
    for (const signal of signals) Deno.removeSignalListener(signal, interrupt);
    console.error("\ninterrupted: stopping (again to stop at once)");
    Effect.runFork(Fiber.interrupt(fiber));
  };
  for (const signal of signals) Deno.addSignalListener(signal, interrupt);
  // The runtime does not keep the process alive, a timer does.
  const alive = setInterval(() => {}, 1000);
  const exit = await Effect.runPromise(Fiber.await(fiber));
  clearInterval(alive);
  if (Exit.isSuccess(exit)) {
    out(json ? JSON.stringify(exit.value) : command.print(exit.value as never));
    Deno.exit(0);
  }
  if (interrupted) {
    const kept = noCache
      ? "nothing was kept, because of --no-cache"
      : saved === undefined
      ? "what was finished is in the cache"
      : `step ${saved.step} of ${saved.totalSteps} was saved`;
    const again = commandLine(command.name, args);
    if (json) out(JSON.stringify({ error: { tag: "Interrupted", message: `interrupted; ${kept}`, hint: again } }));
    else console.error(`${kept}; to ${noCache ? "start anew" : "go on"}:\n  ${again}`);
    Deno.exit(130);
  }
  return fail(Cause.squash(exit.cause));
}

function presetOf(args: readonly string[]): string {
  const at = args.findIndex((arg) => arg === "--preset" || arg.startsWith("--preset="));
  return at < 0 ? "sample" : args[at]!.split("=")[1] ?? args[at + 1] ?? "sample";
}
