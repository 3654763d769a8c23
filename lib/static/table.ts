/**
 * A static model before it is anywhere: a row for each token, and the tokenizer.
 *
 * @module
 */
import { join } from "node:path";
import { replaceFolder, writeJson } from "../checkpoint/folder.ts";
import { writeSafetensors } from "../checkpoint/safetensors.ts";
import type { TokenizerDefinition } from "../text/vocabulary.ts";

/** Rows of tokens, and how a text becomes tokens. */
export interface StaticTable {
  /** [tokens · width] */
  readonly rows: Float32Array;
  /** Features of a row. */
  readonly width: number;
  /** What `tokenizer.json` is to hold. */
  readonly tokenizer: TokenizerDefinition;
  /** Whether embeddings have length 1. */
  readonly normalize: boolean;
}

/** What a folder says beside the table. */
export interface StaticFolderOptions {
  /** The text of README.md. */
  readonly modelCard: string;
  /** Further entries of `config.json`: where the rows come from. */
  readonly origin?: Readonly<Record<string, unknown>>;
}

/**
 * Writes a static model as model2vec does, so that model2vec and sentence-transformers both load it.
 *
 * @param folder The folder; it appears whole or not at all.
 * @param table The model.
 * @param options Its card, and where its rows come from.
 * @returns When all is on the disk.
 * @throws {CheckpointError} The folder cannot be written.
 *
 * @example
 * ```ts
 * import { writeStaticFolder } from "@kindred/kindred/static";
 * import { tokenizerFromVocabulary } from "@kindred/kindred/text";
 * const tokenizer = tokenizerFromVocabulary(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "word"]).definition!;
 * const table = { rows: new Float32Array(10), width: 2, tokenizer, normalize: true };
 * await writeStaticFolder(`${await Deno.makeTempDir()}/model`, table, { modelCard: "# A model\n" });
 * ```
 */
export async function writeStaticFolder(
  folder: string,
  table: StaticTable,
  options: StaticFolderOptions,
): Promise<void> {
  const { rows, width, tokenizer, normalize } = table;
  const { modelCard, origin = {} } = options;
  await replaceFolder(folder, async (path) => {
    const type = (name: string) => `sentence_transformers.models.${name}`;
    await writeJson(join(path, "modules.json"), [
      { idx: 0, name: "0", path: ".", type: type("StaticEmbedding") },
      ...(normalize ? [{ idx: 1, name: "1", path: "1_Normalize", type: type("Normalize") }] : []),
    ]);
    if (normalize) await Deno.mkdir(join(path, "1_Normalize"));
    await writeJson(join(path, "config.json"), {
      model_type: "model2vec",
      architectures: ["StaticModel"],
      hidden_dim: width,
      seq_length: 1_000_000,
      normalize,
      embedding_dtype: "float32",
      max_length: null,
      ...origin,
    });
    await writeJson(join(path, "tokenizer.json"), tokenizer);
    await writeSafetensors(join(path, "model.safetensors"), [
      { name: "embeddings", shape: [rows.length / width, width], data: rows },
    ]);
    await Deno.writeTextFile(join(path, "README.md"), modelCard);
  });
}
