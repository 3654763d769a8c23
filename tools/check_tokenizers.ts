/**
 * Compares ids with those that `tools/check_tokenizers.py` found, which starts it:
 * `deno run -A tools/check_tokenizers.ts FOLDER`
 *
 * @module
 */
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { TokenizerError } from "../lib/error.ts";
import { type AddedToken, numberAddedTokens } from "../lib/text/added_tokens.ts";
import { modelOf } from "../lib/text/models/select.ts";
import { packPairs, tokenizeBare } from "../lib/text/pairs.ts";
import { pipelineOf } from "../lib/text/pipeline.ts";
import { loadTokenizer } from "../lib/text/tokenizer.ts";

type Json = Readonly<Record<string, unknown>>;
interface Task {
  readonly title: string;
  readonly definition?: Json;
  readonly folder?: string;
}

const print = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));
const [work] = Deno.args;
const read = async (name: string) => JSON.parse(await Deno.readTextFile(join(work!, name)));
const texts: string[] = await read("texts.json");
const { tasks, longest, pairs }: { tasks: Task[]; longest: number; pairs: number } = await read("tasks.json");

const sumOf = (ids: ArrayLike<number>) => crc32(new Uint8Array(Int32Array.from(ids).buffer));

/** Ids and words of a definition alone, as its test in the suite has them. */
function byDefinition(definition: Json): number[] {
  const model = modelOf(definition["model"] as Json);
  const tokens = definition["added_tokens"] as (AddedToken & { id: number })[];
  const encode = pipelineOf(
    definition,
    model,
    numberAddedTokens(tokens, model.vocabulary, model.vocabulary.size).values(),
  );
  return texts.map((text) => {
    const ids: number[] = [];
    try {
      encode(text, ids);
    } catch (error) {
      if (!(error instanceof TokenizerError)) throw error;
      return sumOf([0x7fffffff]);
    }
    return sumOf(ids);
  });
}

/** Ids of a folder's tokenizer with its special tokens, of texts and of pairs. */
async function byFolder(folder: string): Promise<number[]> {
  const tokenizer = await loadTokenizer(folder);
  const alone = texts.map((text) => sumOf(tokenizer.ids(text, longest)));
  const rows = Array.from({ length: pairs }, (_, i) => i);
  const [first, second] = [
    await tokenizeBare(tokenizer, texts.slice(0, pairs)),
    await tokenizeBare(tokenizer, texts.slice(-pairs)),
  ];
  const { ids, offsets } = packPairs(tokenizer.pair, { texts: first, rows }, { texts: second, rows }, {
    maxLength: longest,
  });
  return [...alone, ...rows.map((i) => sumOf(ids.subarray(offsets[i], offsets[i + 1])))];
}

let [all, wrong] = [0, 0];
for (const [i, { title, definition, folder }] of tasks.entries()) {
  const bytes = await Deno.readFile(join(work!, `${i}.sums`));
  const expected = new Uint32Array(bytes.buffer);
  const found = folder === undefined ? byDefinition(definition!) : await byFolder(folder);
  const bad = found.flatMap((sum, at) => sum === expected[at] ? [] : [at]);
  all += expected.length;
  wrong += bad.length;
  print(`${title}: ${expected.length - bad.length} of ${expected.length}`);
  for (const at of bad.slice(0, 3)) {
    print(`  ${JSON.stringify(texts[at] ?? [texts[at - texts.length], texts.at(-pairs + at - texts.length)])}`);
  }
}
print(`${tasks.length} kinds: ${all - wrong} of ${all} texts have the same ids`);
if (wrong > 0) Deno.exit(1);
