/**
 * Loads a cross-encoder's folder, saves it again, and scores pairs: what
 * tests/golden/cross_encoder_interoperability.py compares.
 *
 *     deno run -A tools/export_scores.ts MODEL SAVED PAIRS.json SCORES.json [LABELS]
 *
 * @module
 */
import { createCpuEngine } from "../lib/engine/cpu/engine.ts";
import { predict } from "../lib/evaluate/cross_encoder.ts";
import { loadCrossEncoder, saveCrossEncoder } from "../lib/model/cross_encoder.ts";

const [from, to, texts, output, labels] = Deno.args as [string, string, string, string, string?];
const engine = createCpuEngine();
const model = await loadCrossEncoder(engine, from, labels === undefined ? {} : { labels: Number(labels), seed: 1 });
await saveCrossEncoder(engine, model, to, "# Saved again\n");
const pairs: [string, string][] = JSON.parse(await Deno.readTextFile(texts));
const { data, width } = await predict(engine, model, pairs.map(([first]) => first), pairs.map(([, second]) => second));
await Deno.writeTextFile(output, JSON.stringify({ width, data: [...data] }));
engine.close();
