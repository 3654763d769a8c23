/**
 * Options of what texts are encoded to, checked: plain JavaScript can pass anything.
 *
 * @module
 */
import type { EncodeOptions } from "../embed/encode.ts";
import type { SentenceOptions, TokenOptions } from "../embed/outputs.ts";
import { OUTPUT_PRECISIONS } from "../embed/quantize.ts";
import { UsageError } from "../error.ts";
import type { PromptChoice } from "../model/prompts.ts";
import { type Field, oneOf, YES_OR_NO } from "../train/fields.ts";
import { A_TEXT, AN_OBJECT } from "./fields.ts";

/** All options there are. */
export type OutputChoice = (SentenceOptions | TokenOptions) & PromptChoice;

/** Their fields. */
export const ENCODING: Readonly<Record<string, Field>> = {
  promptName: A_TEXT,
  prefix: A_TEXT,
  output: oneOf(["sentence", "tokens"]),
  precision: oneOf(OUTPUT_PRECISIONS),
  normalize: YES_OR_NO,
  ranges: AN_OBJECT,
  calibrationEmbeddings: AN_OBJECT,
};

/** Refuses what embeddings of tokens do not have. */
export function checkOutputs(options: OutputChoice): void {
  if (options.output !== "tokens") return;
  const given = options as TokenOptions & SentenceOptions;
  const wrong = (["precision", "normalize", "ranges", "calibrationEmbeddings"] as const).find((name) =>
    given[name] !== undefined
  );
  if (wrong === undefined) return;
  throw new UsageError(`${wrong} is for embeddings of texts`, {
    expected: 'no more than a prompt with output: "tokens"',
    found: wrong,
  });
}

/** What goes to the encoder. */
export function encodingOf(
  options: OutputChoice,
): EncodeOptions & { readonly output?: "sentence" | "tokens" | undefined } {
  const { promptName, prefix, output } = options;
  return { promptName, prefix, output, normalize: output === "tokens" ? undefined : options.normalize };
}
