/**
 * Stages: pure functions from artifacts to an artifact, done once for each key.
 *
 * A stage is declared once ({@linkcode defineStage}) with the types of what goes in and what comes out, and is then a
 * function: `yield* triplets({ pairs }, { negatives: "easy", seed: 42 })`. What passes between stages is a handle, an
 * {@linkcode Artifact}: values are read where they are used. Giving a stage an artifact of another type is a compile error.
 *
 * @module
 */
import { Context, Effect } from "effect";
import { attempt } from "../attempt.ts";
import { type KindredError, UsageError } from "../error.ts";
import { canonical, findOrMake, type Json, keyOf, placeOf, type Task } from "./cache.ts";
import { TensorEngine } from "./engine.ts";
import { emit, type Progress } from "./progress.ts";

/** How a result is read from where it lies. */
export interface Format<A> {
  /** Reads it: from the folder of an artifact, or from the files that a source names. */
  readonly read: (paths: readonly string[]) => Promise<A>;
}

/** A handle to a result of type `A`. */
export interface Artifact<out A> {
  /** Hash of everything it depends on. */
  readonly key: string;
  /** Its folder, or the files of a source. */
  readonly paths: readonly string[];
  /** Whether it was there already. */
  readonly cached: boolean;
  /** Reads the value. */
  readonly read: () => Promise<A>;
}

/** Artifacts by name, with the types of `I`. */
export type Inputs<I> = { readonly [K in keyof I]: Artifact<NonNullable<I[K]>> };

/** What every stage may use. */
export type Services = StageRunner | TensorEngine | Progress;

/** What the body of a stage is given. */
export interface StageContext<P, I> {
  /** Its settings. */
  readonly parameters: P;
  /** What goes in. */
  readonly inputs: Inputs<I>;
  /** Where its result is to be written. What a run that was cut off left there is still there. */
  readonly scratch: string;
}

/** The declaration of a stage. `P` is plain JSON. */
export interface StageDefinition<P, I, A> {
  /** load, triplets, train, … */
  readonly name: string;
  /** Counts up whenever the code would give another result. */
  readonly version: number;
  /** How its inputs are read. */
  readonly inputs: { readonly [K in keyof Required<I>]: Format<NonNullable<I[K]>> };
  /** How its result is read. */
  readonly output: Format<A>;
  /** Its result is computed on the engine: engine, library and precision become part of the key. */
  readonly computes?: boolean;
  /** Does it: everything it writes into the scratch folder is the result. */
  readonly run: (context: StageContext<P, I>) => Effect.Effect<void, KindredError, TensorEngine | Progress>;
}

/** A stage as a function. `as` is the name that reports show, where it plays another part than its own name says. */
export type Stage<P, I, A> = (
  inputs: Inputs<I>,
  parameters: P,
  as?: string,
) => Effect.Effect<Artifact<A>, KindredError, Services>;

/** What ran or was found, for the report. */
export interface Executed {
  /** The name that is shown. */
  readonly name: string;
  /** The key. */
  readonly key: string;
  /** Whether it was found. */
  readonly cached: boolean;
  /** Seconds that making it took, then or now. */
  readonly seconds: number;
}

/** Runs tasks: here in this process. Another runner could hand the same plain JSON to other hosts. */
export interface StageRunner {
  /** The folder of the cache. */
  readonly folder: string;
  /** Everything that ran or was found, in order. */
  readonly executed: readonly Executed[];
  /** Tells where something lies that no stage made. */
  readonly root: (key: string, paths: readonly string[]) => void;
  /** Does a task, or finds its result. */
  readonly run: (
    task: Task,
    as: string,
  ) => Effect.Effect<
    { readonly key: string; readonly folder: string; readonly cached: boolean },
    KindredError,
    TensorEngine | Progress
  >;
}

/** The service that runs tasks. */
export const StageRunner: Context.Service<StageRunner, StageRunner> = Context.Service<StageRunner>(
  "kindred/StageRunner",
);

// deno-lint-ignore no-explicit-any -- stages of all types, found by name
const registry = new Map<string, StageDefinition<any, any, any>>();

/** Names and versions of all stages that were declared. */
export function declaredStages(): readonly string[] {
  return [...registry.keys()];
}

/** Declares a stage. */
export function defineStage<P extends object, I extends object, A>(
  definition: StageDefinition<P, I, A>,
): Stage<P, I, A> {
  const stage = `${definition.name}@${definition.version}`;
  if (registry.has(stage)) throw new Error(`the stage ${stage} is declared twice`);
  registry.set(stage, definition);
  return Effect.fnUntraced(function* (inputs, parameters, as = definition.name) {
    const runner = yield* StageRunner;
    const computes = definition.computes === true ? (yield* TensorEngine).identity : undefined;
    const keys: Record<string, string> = {};
    for (const [name, input] of Object.entries(inputs) as [string, Artifact<unknown> | undefined][]) {
      if (input === undefined) continue;
      keys[name] = input.key;
      runner.root(input.key, input.paths);
    }
    // What cannot be written down as JSON cannot be part of a key.
    const plain = JSON.parse(canonical(parameters as Json));
    const { key, folder, cached } = yield* runner.run({ stage, parameters: plain, inputs: keys, computes }, as);
    return artifact(key, [folder], cached, definition.output);
  });
}

/** A handle. */
export function artifact<A>(key: string, paths: readonly string[], cached: boolean, format: Format<A>): Artifact<A> {
  return { key, paths, cached, read: () => format.read(paths) };
}

/** The runner of this process, over a cache folder. */
export function openRunner(folder: string, warn: (message: string) => void): StageRunner {
  const executed: Executed[] = [];
  const places = new Map<string, readonly string[]>();
  return {
    folder,
    executed,
    root: (key, paths) => void places.set(key, paths),
    run: Effect.fnUntraced(function* (task, as) {
      const definition = registry.get(task.stage);
      if (definition === undefined) {
        return yield* Effect.fail(new UsageError(`there is no stage ${task.stage}`, { found: keyOf(task) }));
      }
      const { key, folder: place, cached, seconds } = yield* findOrMake(folder, task, warn, (scratch) => {
        const inputs = Object.fromEntries(
          Object.entries(task.inputs).map(([name, input]) => [
            name,
            artifact(input, places.get(input) ?? [placeOf(folder, input)], true, definition.inputs[name]!),
          ]),
        );
        const part = as === definition.name ? undefined : as.replace(`${definition.name}-`, "");
        const about = { stage: definition.name, part };
        return emit({ _tag: "stage", ...about }).pipe(
          Effect.andThen(definition.run({ parameters: task.parameters, inputs, scratch })),
          Effect.ensuring(emit({ _tag: "done", ...about })),
        );
      });
      // A stage that several branches of a pipeline share is told once.
      if (!executed.some((earlier) => earlier.key === key)) executed.push({ name: as, key, cached, seconds });
      return { key, folder: place, cached };
    }),
  };
}

/** The value of an artifact. */
export const valueOf = <A>(handle: Artifact<A>): Effect.Effect<A, KindredError> => attempt(() => handle.read());
