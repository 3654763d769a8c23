/**
 * The prompts of a model that was trained on several data sets, each behind prompts of its own.
 *
 * @module
 */
import { type ColumnPrompts, type Prompts, ROLE_NAMES, trainedPrompts } from "./prompts.ts";

/** A data set that a model was trained on. */
export interface PromptedSet {
  /** Its name. */
  readonly name: string;
  /** What stood before its texts; undefined: what the model puts there by itself. */
  readonly prompts?: ColumnPrompts | undefined;
  /** Its columns of texts. */
  readonly columns: readonly string[];
}

/**
 * One model has one prompt of each name. Where sets agree on what stands under a name, as `query` and `document`, it stays;
 * where they do not, the prompt of each stands behind the name of its set, `set-query`, and the name itself keeps what the
 * model had.
 *
 * @param model The prompts it had.
 * @param sets What it was trained on.
 * @returns The prompts it has now; a default one only if all sets with prompts have the same.
 * @throws {UsageError} A prompt for a column that a set does not have.
 *
 * @example
 * ```ts
 * import { setPrompts } from "@kindred/kindred/model";
 * import assert from "node:assert/strict";
 * const before = { prompts: {}, defaultPromptName: undefined };
 * const { prompts } = setPrompts(before, [
 *   { name: "qa", prompts: { anchor: "query: ", positive: "passage: " }, columns: ["anchor", "positive"] },
 *   { name: "titles", prompts: { anchor: "title: ", positive: "passage: " }, columns: ["anchor", "positive"] },
 * ]);
 * assert.deepEqual(prompts, { "qa-query": "query: ", "titles-query": "title: ", document: "passage: " });
 * ```
 */
export function setPrompts(model: Prompts, sets: readonly PromptedSet[]): Prompts {
  const trained = sets.flatMap(({ name, prompts, columns }) =>
    prompts === undefined ? [] : [{ name, now: trainedPrompts({ ...model, prompts: {} }, prompts, columns) }]
  );
  if (trained.length === 0) return model;
  const names = [...new Set(trained.flatMap(({ now }) => Object.keys(now.prompts)))];
  const added = names.flatMap((name) => {
    const having = trained.filter(({ now }) => Object.hasOwn(now.prompts, name));
    const texts = new Set(having.map(({ now }) => now.prompts[name]!));
    if (texts.size === 1) return [[name, ...texts] as const];
    return having.map((set) => [`${set.name}-${name}`, set.now.prompts[name]!] as const);
  });
  const defaults = new Set(
    trained.map(({ now: { prompts, defaultPromptName } }) =>
      defaultPromptName === undefined ? undefined : prompts[defaultPromptName]
    ),
  );
  const [first] = trained;
  const prompts: Record<string, string> = { ...model.prompts, ...Object.fromEntries(added) };
  // Documents without a prompt: other names under which they may have one would bring it back.
  if (added.some(([name, text]) => name === "document" && text === "")) {
    for (const name of ROLE_NAMES.document.slice(1)) delete prompts[name];
  }
  return { prompts, defaultPromptName: defaults.size === 1 ? first!.now.defaultPromptName : undefined };
}
