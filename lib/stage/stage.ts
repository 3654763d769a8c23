/**
 * Stages: pure functions from artifacts to an artifact, done once for each key.
 *
 * A stage is declared once ({@linkcode defineStage}) with the types of what goes in and what comes out, and is then a
 * function: `yield* triplets({ pairs }, { negatives: "easy", seed: 42 })`. What passes between stages is a handle, an
 * {@linkcode Artifact}: values are read where they are used. Giving a stage an artifact of another type is a compile error.
 *
 * @module
 */
import * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import type * as Scope from "effect/Scope";
import { attempt, attemptSync } from "../attempt.ts";
import { defaultCacheFolder, whyTemporary } from "../environment.ts";
import { CacheError, type KindredError, knownError, UsageError } from "../error.ts";
import { answersFolder, openCache, placeOf, type StageCache } from "./cache.ts";
import { TensorEngine } from "./engine.ts";
import { divide, type PathOf, plainJson, type Task, taskOf, unite } from "./key.ts";
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
  /** A folder beside all results, for answers that were paid for and serve other settings as well. */
  readonly answers: string;
}

/** Seeds among settings, by their dotted names. */
export type SeedOf<P> = Extract<PathOf<P>, "seed" | `${string}.seed`>;

/** True where there is a function among settings, however deep. */
export type FunctionIn<P> = P extends (...given: never) => unknown ? true
  : P extends readonly (infer Item)[] ? FunctionIn<Item>
  : P extends object ? { [K in keyof P]-?: FunctionIn<P[K]> }[keyof P]
  : never;

/**
 * The declaration of a stage. Its settings `P` are plain JSON; a stage that takes a function takes the name and the
 * version by which it finds it instead. All of them are part of the key, but for those that `how` and `draws` take out.
 */
export type StageDefinition<P, I, A> =
  & {
    /** load, triplets, train, … */
    readonly name: string;
    /** Counts up whenever the code would give another result. */
    readonly version: number;
    /** How its inputs are read. Of any number of inputs, `data.0`, `data.1`, …, the first says it for all. */
    readonly inputs: { readonly [K in keyof Required<I>]: Format<NonNullable<I[K]>> };
    /** How its result is read. */
    readonly output: Format<A>;
    /** Settings that change how it is done and not what comes of it: checkpoint interval, concurrency, budgets, logging. */
    readonly how?: readonly PathOf<P>[];
    /**
     * Its result is computed on the engine: engine, library and precision become part of the key. Default false. A
     * function says it for the settings at hand.
     */
    readonly computes?: boolean | ((parameters: P) => boolean);
    /** Does it: everything it writes into the scratch folder is the result. What it opens in its scope is closed. */
    readonly run: (
      context: StageContext<P, I>,
    ) => Effect.Effect<void, KindredError, TensorEngine | Progress | Scope.Scope>;
  }
  & ([SeedOf<P>] extends [never] ? { readonly draws?: false } : {
    /** Whether the result depends on the seed, for the settings at hand: only then is the seed part of the key. */
    readonly draws: boolean | ((parameters: P) => boolean);
  })
  & ([FunctionIn<P>] extends [never] ? unknown : { readonly parameters: "plain JSON, without functions" });

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

/** What runs tasks. Another one could hand the same plain JSON to other hosts. */
export interface StageRunnerShape extends StageCache {
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

/** Options of `StageRunner.layer`. */
export interface RunnerOptions {
  /** Folder of the cache. Default: the user's. */
  readonly cacheDir?: string | undefined;
}

const StageRunnerBase: Context.ServiceClass<StageRunner, "kindred/StageRunner", StageRunnerShape> = Context.Service<
  StageRunner,
  StageRunnerShape
>()("kindred/StageRunner");

/** The service that runs tasks. */
export class StageRunner extends StageRunnerBase {
  /**
   * The runner of this process, over a cache folder: one run, whose results are not pruned while it lives.
   *
   * @param options Where the cache lies.
   * @returns The layer.
   */
  static layer(options: RunnerOptions = {}): Layer.Layer<StageRunner, never, Progress> {
    return Layer.effect(StageRunner, openRunner(options));
  }

  /**
   * A runner over a cache of its own, which is gone with the layer: for tests.
   *
   * @returns The layer.
   */
  static layerTest(): Layer.Layer<StageRunner, never, Progress> {
    const folder = Effect.acquireRelease(
      Effect.promise(() => Deno.makeTempDir({ prefix: "kindred-" })),
      (path) => Effect.promise(() => Deno.remove(path, { recursive: true }).catch(() => {})),
    );
    return Layer.effect(StageRunner, Effect.flatMap(folder, (cacheDir) => openRunner({ cacheDir })));
  }
}

/** A declaration whatever its types: stages are found by name. */
interface AnyStage {
  readonly name: string;
  readonly inputs: Readonly<Record<string, Format<unknown>>>;
  readonly run: AnyRun;
}

// deno-lint-ignore no-explicit-any -- checked where the stage is declared
type AnyRun = StageDefinition<any, any, any>["run"];

const registry = new Map<string, AnyStage>();

const formatOf = ({ inputs }: AnyStage, name: string): Format<unknown> =>
  inputs[name] ?? inputs[name.replace(/\.\d+$/, ".0")]!;

/** Names and versions of all stages that were declared. */
export function declaredStages(): readonly string[] {
  return [...registry.keys()];
}

/**
 * Declares a stage.
 *
 * @param definition The declaration.
 * @returns The stage as a function of artifacts and settings.
 *
 * @example
 * ```ts
 * import { type Artifact, defineStage, jsonFormat, writeJson } from "@kindred/kindred/stage";
 * import { Effect } from "effect";
 * import assert from "node:assert/strict";
 * const count = defineStage<{ readonly limit: number; readonly chunk: number }, object, number>({
 *   name: "count",
 *   version: 1,
 *   inputs: {},
 *   output: jsonFormat<number>("count.json"),
 *   how: ["chunk"], // another chunk gives the same count: the key does not hold it
 *   run: ({ parameters, scratch }) => Effect.promise(() => writeJson(`${scratch}/count.json`, parameters.limit)),
 * });
 * assert.equal(typeof count, "function");
 * ```
 */
export function defineStage<P extends object, I extends object, A>(
  definition: StageDefinition<P, I, A>,
): Stage<P, I, A> {
  const stage = `${definition.name}@${definition.version}`;
  if (registry.has(stage)) throw new Error(`the stage ${stage} is declared twice`);
  registry.set(stage, definition as AnyStage);
  const how = new Set<string>(definition.how);
  const says = (answer: boolean | ((parameters: P) => boolean) | undefined, parameters: P) =>
    typeof answer === "function" ? answer(parameters) : answer === true;
  return Effect.fnUntraced(function* (inputs, settings, as = definition.name) {
    const runner = yield* StageRunner;
    const computes = says(definition.computes, settings) ? (yield* TensorEngine).identity : undefined;
    const keys: Record<string, string> = {};
    for (const [name, input] of Object.entries(inputs) as [string, Artifact<unknown> | undefined][]) {
      if (input === undefined) continue;
      keys[name] = input.key;
      runner.root(input.key, input.paths);
    }
    const plain = yield* attemptSync(() => plainJson(settings, definition.name));
    const draws = says(definition.draws, settings);
    const isHow = (path: string) => how.has(path) || (!draws && /(^|\.)seed$/.test(path));
    const task = taskOf({ stage, ...divide(plain, isHow), inputs: keys, computes });
    const { key, folder, cached } = yield* runner.run(task, as);
    return artifact(key, [folder], cached, definition.output);
  });
}

/** A handle. */
export function artifact<A>(key: string, paths: readonly string[], cached: boolean, format: Format<A>): Artifact<A> {
  const read = async () => {
    try {
      return await format.read(paths);
    } catch (error) {
      const known = knownError(error);
      if (known !== undefined) throw known;
      throw new CacheError("a result cannot be read", {
        where: paths.join(", "),
        found: (error as Error).message,
        hint: "remove this folder from the cache, and run it again",
        cause: error,
      });
    }
  };
  return { key, paths, cached, read };
}

/** The runner of this process. */
const openRunner = Effect.fnUntraced(function* ({ cacheDir }: RunnerOptions) {
  const why = whyTemporary();
  if (cacheDir === undefined && why !== undefined) {
    const text = `${why}: the cache lies in ${defaultCacheFolder()}, where it may be cleared`;
    yield* emit({ _tag: "warning", text });
  }
  const cache = yield* openCache(cacheDir ?? defaultCacheFolder());
  const executed: Executed[] = [];
  const places = new Map<string, readonly string[]>();
  return StageRunner.of({
    ...cache,
    executed,
    root: (key, paths) => void places.set(key, paths),
    run: Effect.fnUntraced(function* (task, as) {
      const definition = registry.get(task.stage);
      if (definition === undefined) {
        return yield* Effect.fail(new UsageError(`there is no stage ${task.stage}`, { found: task.key }));
      }
      const { key, folder, cached, seconds } = yield* cache.findOrMake(task, (scratch) => {
        const inputs = Object.fromEntries(
          Object.entries(task.inputs).map(([name, input]) => [
            name,
            artifact(input, places.get(input) ?? [placeOf(cache.folder, input)], true, formatOf(definition, name)),
          ]),
        );
        const part = as === definition.name ? undefined : as.replace(`${definition.name}-`, "");
        const about = { stage: definition.name, part };
        return emit({ _tag: "stage", ...about }).pipe(
          Effect.andThen(
            definition.run({
              parameters: unite(task.parameters, task.how),
              inputs,
              scratch,
              answers: answersFolder(cache.folder),
            }),
          ),
          Effect.scoped,
          Effect.ensuring(emit({ _tag: "done", ...about })),
        );
      });
      // A stage that several branches of a pipeline share is told once.
      if (!executed.some((earlier) => earlier.key === key)) executed.push({ name: as, key, cached, seconds });
      return { key, folder, cached };
    }),
  });
});

/**
 * Reads what a stage made.
 *
 * @param handle What the stage gave.
 * @returns An effect that gives the value.
 */
export const valueOf = <A>(handle: Artifact<A>): Effect.Effect<A, KindredError> => attempt(() => handle.read());
