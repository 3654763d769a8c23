/**
 * Which rules a text goes through before it is split: those of `tokenizer.json`, as far as Python's classes leave them.
 *
 * @module
 */

type Json = Readonly<Record<string, unknown>>;

/** Classes of transformers that make their normalizer anew from `tokenizer_config.json`, whatever the other file says. */
const OWN_RULES = /^(Bert|DistilBert|MPNet)Tokenizer(Fast)?$/;

/**
 * The definition of a tokenizer with the normalizer that Python would use: the settings of `tokenizer_config.json` come
 * before those of `tokenizer.json`, and `lowercase` (sentence-transformers' `do_lower_case`) before both.
 */
export function withPythonsNormalizer(definition: Json, config: Json, lowercase: boolean): Json {
  let normalizer = definition["normalizer"] as Json | null | undefined;
  const name = config["tokenizer_class"];
  const named = typeof name === "string";
  if (normalizer?.["type"] === "BertNormalizer" && (!named || OWN_RULES.test(name))) {
    const setting = (key: string, inFile: string, standard: unknown) =>
      config[key] !== undefined ? config[key] : named ? standard : normalizer![inFile];
    normalizer = {
      ...normalizer,
      lowercase: setting("do_lower_case", "lowercase", true),
      strip_accents: setting("strip_accents", "strip_accents", null),
      handle_chinese_chars: setting("tokenize_chinese_chars", "handle_chinese_chars", true),
    };
  }
  if (lowercase && !lowercases(normalizer)) {
    const after = normalizer?.["type"] === "Sequence" ? normalizer["normalizers"] as Json[] : normalizer ?? [];
    normalizer = { type: "Sequence", normalizers: [{ type: "Lowercase" }].concat(after as { type: string }[]) };
  }
  return { ...definition, normalizer };
}

function lowercases(normalizer: Json | null | undefined): boolean {
  if (normalizer?.["type"] === "Lowercase") return true;
  if (normalizer?.["type"] === "BertNormalizer") return normalizer["lowercase"] !== false;
  return normalizer?.["type"] === "Sequence" && (normalizer["normalizers"] as Json[]).some(lowercases);
}
