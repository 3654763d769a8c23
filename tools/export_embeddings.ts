/**
 * Loads a model folder, saves it again, and embeds texts: what tests/golden/interoperability.py compares.
 *
 *     deno run -A tools/export_embeddings.ts MODEL SAVED TEXTS.json EMBEDDINGS.json
 *
 * @module
 */
import { createCpuEngine } from "../lib/engine/cpu/engine.ts";
import { encodeTokens } from "../lib/embed/encode.ts";
import { loadBiEncoder, saveBiEncoder } from "../lib/model/bi_encoder.ts";
import { tokenize } from "../lib/text/tokenizer.ts";

const [from, to, texts, output] = Deno.args as [string, string, string, string];
const engine = createCpuEngine();
const model = await loadBiEncoder(engine, from);
await saveBiEncoder(engine, model, to, "# Saved again\n");
const tokens = await tokenize(model.tokenizer, JSON.parse(await Deno.readTextFile(texts)), {
  maxLength: model.maxSeqLength,
});
const { data, width } = await encodeTokens(engine, model, tokens);
await Deno.writeTextFile(output, JSON.stringify({ width, data: [...data] }));
engine.close();
