/** Tiny bi-encoders and decoders of every family, from the golden encoders; a text is its ids, "4 17 8". */
import { join } from "node:path";
import type { Engine } from "../../lib/engine/engine.ts";
import { type BiEncoder, loadBiEncoder } from "../../lib/model/bi_encoder.ts";
import type { EncoderConfig } from "../../lib/model/config.ts";
import {
  type DenoisingDecoder,
  type DenoisingDecoderOptions,
  loadDenoisingDecoder,
} from "../../lib/model/denoising_decoder.ts";
import type { TokenizedTexts } from "../../lib/text/packed.ts";
import { goldenPath } from "../golden/golden.ts";

/** A folder with a golden encoder and a vocabulary of as many tokens as it knows. To be removed. */
export async function denoisingFolder(family: string): Promise<string> {
  const folder = await Deno.makeTempDir();
  for (const name of ["config.json", "model.safetensors"]) {
    await Deno.copyFile(goldenPath(`encoders/${family}/${name}`), join(folder, name));
  }
  const tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ...Array.from({ length: 35 }, (_, i) => `t${i}`)];
  await Deno.writeTextFile(join(folder, "vocab.txt"), tokens.join("\n") + "\n");
  await Deno.writeTextFile(join(folder, "tokenizer_config.json"), JSON.stringify({ tokenizer_class: "BertTokenizer" }));
  return folder;
}

/** Ids of a text. */
export const idsOf = (text: string): number[] => text === "" ? [] : text.split(" ").map(Number);

/** Texts of ids, tokenised. */
export function tokenized(texts: readonly string[]): TokenizedTexts {
  const offsets = new Int32Array(texts.length + 1);
  texts.forEach((text, i) => offsets[i + 1] = offsets[i]! + idsOf(text).length);
  return { ids: Int32Array.from(texts.flatMap(idsOf)), typeIds: undefined, offsets };
}

/** A bi-encoder with cls pooling and its decoder; all is trained. */
export async function loadDenoising(
  engine: Engine,
  family: string,
  options: DenoisingDecoderOptions & { readonly change?: Partial<EncoderConfig> } = {},
): Promise<{ model: BiEncoder; decoder: DenoisingDecoder }> {
  const folder = await denoisingFolder(family);
  try {
    const loaded = await loadBiEncoder(engine, folder, { trained: true, pooling: "cls" });
    const config = { ...loaded.encoder.config, ...options.change };
    const special = { ...loaded.tokenizer.special, pad: config.padId };
    const tokenizer = { ...loaded.tokenizer, special, ids: idsOf };
    const model = { ...loaded, encoder: { ...loaded.encoder, config }, tokenizer };
    return { model, decoder: { ...await loadDenoisingDecoder(engine, model, folder, options), config, tokenizer } };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
