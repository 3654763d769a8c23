import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import { TokenizerError } from "../../lib/error.ts";
import { type AddedToken, numberAddedTokens } from "../../lib/text/added_tokens.ts";
import { modelOf } from "../../lib/text/models/select.ts";
import { type Pipeline, pipelineOf } from "../../lib/text/pipeline.ts";
import { goldenPath } from "../golden/golden.ts";
import { conformanceTexts } from "./conformance.ts";

interface Golden {
  readonly pieces: readonly string[];
  readonly texts: number;
  readonly block: number;
  readonly check: number;
  readonly kinds: Record<string, { readonly definition: Record<string, unknown>; readonly sums: string }>;
}

const golden = JSON.parse(await Deno.readTextFile(goldenPath("tokenizers/conformance.json"))) as Golden;
const texts = conformanceTexts(golden.pieces, golden.texts);

/** A token for each byte; the end of a word is marked, so that ids say what the words were. */
const BYTES = modelOf({
  type: "BPE",
  vocab: Object.fromEntries(
    Array.from({ length: 256 }, (_, byte) => [`<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`, byte]),
  ),
  merges: [],
  byte_fallback: true,
  end_of_word_suffix: "</w>",
});

function pipeline(definition: Record<string, unknown>): Pipeline {
  const model = definition["model"] === "bytes" ? BYTES : modelOf(definition["model"] as Record<string, unknown>);
  const tokens = definition["added_tokens"] as (AddedToken & { id: number })[];
  return pipelineOf(definition, model, numberAddedTokens(tokens, model.vocabulary, model.vocabulary.size).values());
}

Deno.test("the texts are those of the script", () => {
  assert.equal(texts.length, golden.texts);
  assert.equal(crc32(texts.join("\0")), golden.check);
});

for (const [name, { definition, sums }] of Object.entries(golden.kinds)) {
  Deno.test(`${name}: every text has the tokens and words of the reference`, () => {
    const encode = pipeline(definition);
    for (let start = 0; start < texts.length; start += golden.block) {
      const numbers: number[] = [];
      for (const text of texts.slice(start, start + golden.block)) {
        let ids: number[] = [];
        try {
          encode(text, ids);
        } catch (error) {
          if (!(error instanceof TokenizerError)) throw error;
          ids = [0x7fffffff];
        }
        numbers.push(ids.length);
        for (const id of ids) numbers.push(id);
      }
      const at = 8 * (start / golden.block);
      const sum = crc32(new Uint8Array(Int32Array.from(numbers).buffer)).toString(16).padStart(8, "0");
      assert.equal(sum, sums.slice(at, at + 8), `texts ${start} … ${start + golden.block - 1}`);
    }
  });
}

Deno.test("a space goes before a first word whose beginning was taken out, if the rest still was the first character", () => {
  const of = (normalizer: unknown) =>
    pipeline({
      normalizer,
      pre_tokenizer: { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: true },
      model: "bytes",
      added_tokens: [],
    });
  const strip = { type: "Strip", strip_left: true, strip_right: true };
  const stripped = of({ type: "Sequence", normalizers: [{ type: "NFKC" }, strip] });
  const bert = of({
    type: "BertNormalizer",
    clean_text: true,
    handle_chinese_chars: true,
    strip_accents: null,
    lowercase: true,
  });
  // What Python's tokenizers say: ¸ is a space with a cedilla; of ͺ and what follows, another mark comes first.
  for (
    const [encode, text, prepends] of [
      [stripped, "¸å", true],
      [stripped, " ¸å", false],
      [stripped, "ͺ͎ b", false],
      [stripped, "\u3000a", false],
      [bert, "ᭃ⸦Ã", true],
      [bert, "\u0301a", false],
    ] as const
  ) {
    const ids: number[] = [];
    encode(text, ids);
    const begins = ids.slice(0, 3).map((id) => id < 0 ? ~id : id);
    assert.equal(begins.join() === [0xe2, 0x96, 0x81].join(), prepends, text);
  }
});

Deno.test("marks of two units, spaces that are tokens, and nothing at all: ids as Python's tokenizers 0.23.3 say", () => {
  const words = ["[UNK]", "a", "👍b", "a👍b", " b", "b"];
  const model = modelOf({
    type: "WordLevel",
    vocab: Object.fromEntries(words.map((word, i) => [word, i])),
    unk_token: "[UNK]",
  });
  const of = (definition: Record<string, unknown>, added: readonly Partial<AddedToken>[] = []) => {
    const tokens = added.map((token, i) => ({
      ...{ id: 9 + i, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true },
      ...token,
    })) as (AddedToken & { id: number })[];
    const encode = pipelineOf(definition, model, numberAddedTokens(tokens, model.vocabulary, 9).values());
    return (text: string) => {
      const ids: number[] = [];
      encode(text, ids);
      return ids.map((id) => id < 0 ? ~id : id);
    };
  };
  const metaspace = of({
    pre_tokenizer: { type: "Metaspace", replacement: "👍", prepend_scheme: "never", split: true },
  });
  const before = { content: "<x>", rstrip: true }; // takes the spaces behind it along
  const strips = of({}, [before, { content: "  ", lstrip: true }]);
  const keeps = of({}, [before, { content: "  " }]);
  const lines = of({}, [before, { content: "\n", lstrip: true, rstrip: true }]);
  const replaces = of({ normalizer: { type: "Replace", pattern: { Regex: "x*" }, content: "a" } });
  for (
    const [encode, text, ids] of [
      [metaspace, "a b", [1, 2]],
      [metaspace, "a  b", [1, 0, 2]],
      [strips, "<x>  b", [9, 5]],
      [strips, "a  b", [1, 10, 5]],
      [keeps, "<x>   b", [9, 10, 4]],
      [keeps, "<x>    b", [9, 10, 10, 5]],
      [lines, "<x>  \nb", [9, 5]],
      [lines, "<x>\n\n b", [9, 5]],
      [lines, "\n\n", [10]],
      [replaces, "", []],
      [replaces, "b", [0]],
    ] as const
  ) assert.deepEqual(encode(text), ids, JSON.stringify(text));
});

Deno.test("a space before first words is refused where more than one word may be the first", () => {
  const first = { type: "Metaspace", replacement: "▁", prepend_scheme: "first", split: true };
  const behind = (...pretokenizers: unknown[]) => ({ type: "Sequence", pretokenizers: [...pretokenizers, first] });
  const sequence = (...normalizers: unknown[]) => ({ type: "Sequence", normalizers });
  const encodingOf = (normalizer: unknown, pre_tokenizer: unknown) =>
    pipeline({ normalizer, pre_tokenizer, model: "bytes", added_tokens: [] });
  const spaces = { type: "WhitespaceSplit" };
  const bytes = { type: "ByteLevel", add_prefix_space: false, use_regex: true };
  const lowercase = sequence({ type: "Nmt" }, { type: "Lowercase" });
  for (
    const [normalizer, cutter, name] of [
      [{ type: "NFKC" }, behind(spaces), "NFKC"],
      [lowercase, behind({ type: "Sequence", pretokenizers: [spaces] }), "Lowercase"],
      [null, behind(bytes), "ByteLevel"],
      [null, behind(first), "Metaspace"],
      [{ type: "Prepend", prepend: "▁" }, first, "Prepend"],
    ] as const
  ) assert.throws(() => encodingOf(normalizer, cutter), new RegExp(`"first" behind ${name} is not supported`));
  const words = (normalizer: unknown, cutter: unknown, text: string) => {
    const ids: number[] = [];
    encodingOf(normalizer, cutter)(text, ids);
    return new TextDecoder().decode(Uint8Array.from(ids, (id) => id < 0 ? ~id : id)).replaceAll("</w>", "|");
  };
  // As Python's tokenizers say.
  assert.equal(words(null, behind(spaces), "a b"), "▁a|b|");
  const [form, strip] = [{ type: "NFKD" }, { type: "Strip", strip_left: true, strip_right: true }];
  assert.equal(words(sequence(form, form, strip), first, "\ufe70"), "▁\u064b|");
});
