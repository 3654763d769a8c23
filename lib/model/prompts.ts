/**
 * Prompts: texts that a model wants before every input.
 *
 * @module
 */
import { UsageError } from "../error.ts";
import type { Tokenizer } from "../text/tokenizer.ts";

/** The prompts that a model's folder defines. */
export interface Prompts {
  /** Texts by name; one may be empty. */
  readonly prompts: Readonly<Record<string, string>>;
  /** The name of the one that is used when nothing is asked for. */
  readonly defaultPromptName: string | undefined;
}

/** What is to stand before every input. */
export interface PromptChoice {
  /** Name of one of the model's prompts. Default: the model's own default. */
  readonly promptName?: string | undefined;
  /** This text itself, instead of a prompt of the model's. */
  readonly prefix?: string | undefined;
}

/**
 * The text that stands before every input.
 *
 * @param model Its prompts.
 * @param choice A prompt's name, or a text; neither takes the model's default.
 * @returns The text, or undefined if nothing is put before.
 * @throws {UsageError} There is no prompt of this name, or both a name and a text are given.
 *
 * @example
 * ```ts
 * import { promptOf } from "@kindred/kindred/model";
 * import assert from "node:assert/strict";
 * const model = { prompts: { query: "query: ", document: "" }, defaultPromptName: undefined };
 * assert.equal(promptOf(model, { promptName: "query" }), "query: ");
 * assert.equal(promptOf(model, { prefix: "question: " }), "question: ");
 * assert.throws(() => promptOf(model, { promptName: "qeury" }), /no prompt of this name/);
 * ```
 */
export function promptOf(model: Prompts, choice: PromptChoice = {}): string | undefined {
  const { promptName, prefix } = choice;
  if (prefix !== undefined && promptName !== undefined) {
    throw new UsageError("a prompt's name and a prefix are given: one of them must do", {
      found: `the prompt ${promptName} and the prefix ${JSON.stringify(prefix)}`,
    });
  }
  const name = promptName ?? model.defaultPromptName;
  if (promptName !== undefined && !Object.hasOwn(model.prompts, promptName)) {
    const names = Object.keys(model.prompts);
    throw new UsageError("the model has no prompt of this name", {
      expected: names.length === 0 ? "none: the model defines no prompts" : `one of ${names.join(", ")}`,
      found: promptName,
      hint: "a text of your own goes before every input with --prefix (in code: prefix)",
    });
  }
  return (prefix ?? (name === undefined ? undefined : model.prompts[name])) || undefined;
}

/** What a text is in a search: what looks for something, or what is found. */
export type Role = "query" | "document";

/** Names of prompts by role; the first that a model has counts. */
export const ROLE_NAMES: Readonly<Record<Role, readonly string[]>> = {
  query: ["query"],
  document: ["document", "passage", "corpus"],
};

/**
 * What goes before queries and documents: the one rule of roles. A role for which the model has no prompt gets none.
 *
 * @param model Its prompts by name.
 * @returns The prompt of each role.
 *
 * @example
 * ```ts
 * import { rolePrompts } from "@kindred/kindred/embed";
 * import assert from "node:assert/strict";
 * const { query, document } = rolePrompts({ prompts: { query: "query: ", passage: "passage: " } });
 * assert.deepEqual([query, document], [{ promptName: "query" }, { promptName: "passage" }]);
 * ```
 */
export function rolePrompts(model: Pick<Prompts, "prompts">): Readonly<Record<Role, PromptChoice>> {
  const { prompts } = model;
  const named = (role: Role): PromptChoice => {
    const promptName = ROLE_NAMES[role].find((name) => Object.hasOwn(prompts, name) && prompts[name] !== "");
    return promptName === undefined ? { prefix: "" } : { promptName };
  };
  return { query: named("query"), document: named("document") };
}

/** The role of a column that is trained on: anchors look for positives; undefined for texts that have none. */
const roleOf = (column: string): Role | undefined =>
  column === "anchor" ? "query" : column === "positive" || column.startsWith("negative") ? "document" : undefined;

/**
 * The text before a column in training: what is asked for; else, of a model that tells queries from documents, the prompt of
 * the column's role, as wherever such texts are embedded; else the model's default prompt.
 *
 * @param model Its prompts.
 * @param column The column's name.
 * @param prompts What is asked for, if anything is.
 * @returns The text; undefined: none.
 *
 * @example
 * ```ts
 * import { trainingPrompt } from "@kindred/kindred/model";
 * import assert from "node:assert/strict";
 * const model = { prompts: { query: "query: ", document: "" }, defaultPromptName: undefined };
 * assert.equal(trainingPrompt(model, "anchor"), "query: ");
 * assert.equal(trainingPrompt(model, "positive"), undefined);
 * assert.equal(trainingPrompt(model, "positive", "text: "), "text: ");
 * ```
 */
export function trainingPrompt(model: Prompts, column: string, prompts?: ColumnPrompts): string | undefined {
  if (prompts !== undefined) return columnPrompt(column, prompts);
  const [role, own] = [roleOf(column), rolePrompts(model)];
  const knowsRoles = own.query.promptName !== undefined || own.document.promptName !== undefined;
  return promptOf(model, role !== undefined && knowsRoles ? own[role] : {});
}

/**
 * How many leading tokens of a text with this prompt are the prompt's: what a model with `include_prompt` false leaves
 * out of its pooling. A special token at the end of the prompt alone does not count, for in a text it stands elsewhere.
 *
 * @param tokenizer The model's.
 * @param prompt The text before every input; undefined: none.
 * @param maxLength The limit that texts are cut to.
 * @returns Tokens, those that stand before every text included; 0 without a prompt.
 */
export function promptLength(tokenizer: Tokenizer, prompt: string | undefined, maxLength: number): number {
  if (prompt === undefined) return 0;
  const ids = tokenizer.ids(prompt, maxLength);
  return tokenizer.specialIds.has(ids.at(-1)!) ? ids.length - 1 : ids.length;
}

/** Prompts of a training: one text before every column, or one for each column, by its name. */
export type ColumnPrompts = string | Readonly<Record<string, string>>;

/**
 * The text before a column that is trained on. A column that is not named has none, as sentence-transformers' `prompts` have
 * it, but for negatives: those are texts like the positives, and have their prompt.
 *
 * @param column The column's name.
 * @param prompts One text, or texts by the names of columns.
 * @returns The text; undefined: none.
 *
 * @example
 * ```ts
 * import { columnPrompt } from "@kindred/kindred/model";
 * import assert from "node:assert/strict";
 * const prompts = { anchor: "query: ", positive: "passage: " };
 * assert.equal(columnPrompt("negative_2", prompts), "passage: ");
 * ```
 */
export function columnPrompt(column: string, prompts: ColumnPrompts): string | undefined {
  if (typeof prompts === "string") return prompts || undefined;
  const names = column.startsWith("negative") ? [column, "negative", "positive"] : [column];
  const name = names.find((name) => Object.hasOwn(prompts, name));
  return (name === undefined ? undefined : prompts[name]) || undefined;
}

/**
 * The prompts of a model that was trained with these: those of anchors are its `query`, those of positives its `document`, by
 * which a search finds them; of other columns they have the columns' names. One text for all is its default as well.
 *
 * @param model The prompts it had.
 * @param prompts What it was trained with.
 * @param columns The columns of texts that it was trained on.
 * @returns The prompts it has now.
 * @throws {UsageError} A prompt for a column that there is not.
 *
 * @example
 * ```ts
 * import { trainedPrompts } from "@kindred/kindred/model";
 * import assert from "node:assert/strict";
 * const before = { prompts: {}, defaultPromptName: undefined };
 * const { prompts } = trainedPrompts(before, { anchor: "query: ", positive: "passage: " }, ["anchor", "positive"]);
 * assert.deepEqual(prompts, { query: "query: ", document: "passage: " });
 * ```
 */
export function trainedPrompts(model: Prompts, prompts: ColumnPrompts, columns: readonly string[]): Prompts {
  if (typeof prompts === "string") {
    return { prompts: { ...model.prompts, query: prompts, document: prompts }, defaultPromptName: "query" };
  }
  const unknown = Object.keys(prompts).find((name) => !columns.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(`there is no column ${unknown} to put a prompt before`, {
      expected: columns.join(", "),
      found: unknown,
    });
  }
  const roles: Readonly<Record<string, string>> = { anchor: "query", positive: "document" };
  const added = columns.filter((column) => !column.startsWith("negative")).flatMap((column) => {
    const text = columnPrompt(column, prompts);
    return text === undefined && roles[column] === undefined ? [] : [[roles[column] ?? column, text ?? ""] as const];
  });
  const now: Record<string, string> = { ...model.prompts, ...Object.fromEntries(added) };
  // Positives without a prompt: other names under which documents may have one would bring it back.
  if (columns.includes("positive") && now["document"] === "") {
    for (const name of ROLE_NAMES.document.slice(1)) delete now[name];
  }
  return { prompts: now, defaultPromptName: undefined };
}
