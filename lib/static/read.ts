/**
 * The table of a static model's folder.
 *
 * @module
 */
import { openTensors } from "../checkpoint/safetensors.ts";
import { readFolder } from "../checkpoint/sentence_transformers.ts";
import { sizeOf } from "../engine/engine.ts";
import { UsageError } from "../error.ts";
import { parseConfig } from "../model/families/mod.ts";
import { staticEmbedding } from "../model/families/static.ts";
import { fromCheckpoint, wholeOf } from "../model/parameters.ts";
import { loadTokenizer } from "../text/tokenizer.ts";
import type { StaticTable } from "./table.ts";

/**
 * Reads a folder with static embeddings, of sentence-transformers or of model2vec.
 *
 * @param folder The folder.
 * @returns Its rows and its tokenizer.
 * @throws {UsageError} It is another kind of model.
 * @throws {CheckpointError} It is damaged.
 */
export async function readStaticTable(folder: string): Promise<StaticTable> {
  const { input, config, weights: inside, tokenizer, modules } = await readFolder(folder);
  const others = modules.filter(({ type }) => type !== "pooling" && type !== "normalize");
  const { definition } = input === "static" ? await loadTokenizer(tokenizer) : {};
  if (definition === undefined || others.length > 0) {
    throw new UsageError("this is no static model of tokens alone", {
      where: folder,
      expected: "StaticEmbedding, and Normalize at most",
      found: [input, ...others.map(({ type }) => type)].join(", "),
    });
  }
  const parsed = parseConfig(config, folder);
  const reader = await openTensors(inside);
  try {
    const [[name, spec]] = [...staticEmbedding.tensors(parsed)] as [[string, { shape: number[]; kind: "table" }]];
    const read = staticEmbedding.initial!(reader, inside) ?? fromCheckpoint(reader, [""], inside);
    return {
      rows: await wholeOf(await read(name, spec), sizeOf(spec.shape)),
      width: parsed.hiddenSize,
      tokenizer: definition,
      normalize: modules.some(({ type }) => type === "normalize"),
    };
  } finally {
    reader.close();
  }
}
