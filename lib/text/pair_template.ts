/**
 * What a tokenizer puts around two texts that are one sequence.
 *
 * @module
 */
import type { Tokenizer as FastTokenizer } from "@huggingface/tokenizers";
import type { Json } from "./word_piece.ts";

/** Special tokens and their types (segments). */
export interface TemplatePart {
  /** Token ids. */
  readonly ids: readonly number[];
  /** Their types. */
  readonly typeIds: readonly number[];
}

/** What stands around two texts that are one sequence. */
export interface PairTemplate {
  /** Before the first text. */
  readonly before: TemplatePart;
  /** Type of the first text's tokens. */
  readonly firstType: number;
  /** Between the two. */
  readonly between: TemplatePart;
  /** Type of the second text's tokens. */
  readonly secondType: number;
  /** Behind the second text. */
  readonly behind: TemplatePart;
}

/** The same template with all types 0: for models that know one type or none. */
export function withoutTypes(template: PairTemplate): PairTemplate {
  const part = ({ ids }: TemplatePart): TemplatePart => ({ ids, typeIds: ids.map(() => 0) });
  return {
    before: part(template.before),
    firstType: 0,
    between: part(template.between),
    secondType: 0,
    behind: part(template.behind),
  };
}

/** How many special tokens a pair has. */
export function specialTokens({ before, between, behind }: PairTemplate): number {
  return before.ids.length + between.ids.length + behind.ids.length;
}

/**
 * Whether Python's class tells the two texts of a pair apart by type. The package counts RoBERTa's second text as 1;
 * Python says 0, and the model has only that one.
 */
export function givesTypes(definition: Json, config: Json): boolean {
  const inputs = config["model_input_names"];
  if (Array.isArray(inputs)) return inputs.includes("token_type_ids");
  if (/^(TokenizersBackend|DistilBert|MPNet|XLMRoberta|Camembert)/.test(String(config["tokenizer_class"]))) {
    return false;
  }
  const processor = definition["post_processor"] as { type?: string; processors?: { type?: string }[] } | null;
  return ![processor, ...processor?.processors ?? []].some((each) => each?.type === "RobertaProcessing");
}

/** Reads off a pair of two short texts what stands around them. */
export function readPairTemplate(
  tokenizer: FastTokenizer,
  size: number,
  before: number,
  behind: number,
  typed: boolean,
): PairTemplate {
  const { ids, token_type_ids: types = [] } = tokenizer.encode("a", {
    text_pair: "a",
    add_special_tokens: true,
    return_token_type_ids: true,
  }) as { ids: number[]; token_type_ids?: number[] };
  const end = ids.length - behind;
  const typeOf = (place: number) => typed ? types[place] ?? 0 : 0;
  const part = (from: number, to: number) => ({
    ids: ids.slice(from, to),
    typeIds: ids.slice(from, to).map((_, i) => typeOf(from + i)),
  });
  return {
    before: part(0, before),
    firstType: typeOf(before),
    between: part(before + size, end - size),
    secondType: typeOf(end - 1),
    behind: part(end, ids.length),
  };
}
