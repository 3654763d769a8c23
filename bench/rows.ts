/**
 * The works that are measured beside others: sides, which run in turn, and rows, each a ratio of two of them.
 *
 * @module
 */

import type { Flags, Side } from "./sides.ts";

/** A ratio of two sides, which run in turn with the others of their group. */
export interface Row {
  readonly name: string;
  readonly group: string;
  readonly ours: Side;
  readonly theirs: Side;
  /** rate: ours by theirs, the more the better; memory: the same, the less the better; times to the first step: theirs by ours. */
  readonly measure: "rate" | "to first step" | "start" | "memory";
  /** What the ratio shall be: at least, or of memory at most. */
  readonly goal: number;
}

const ours = (work: string, flags: Flags): Side => ({ by: "kindred", work, flags });
const python = (work: string, flags: Flags): Side => ({ by: "python", work, flags });
const javascript = (work: string, flags: Flags): Side => ({ by: "javascript", work, flags });
const bf16: Flags = { precision: "bf16" };
const minilm: Flags = { model: "@model", rows: "@pairs.json", "batch-size": 32, steps: 20, warm: 5 };
const base: Flags = { model: "@bert-base", rows: "@pairs.json", "batch-size": 32, steps: 5, warm: 1 };
const modern: Flags = { ...base, model: "@modernbert-base" };
const tsdae: Flags = { ...base, rows: "@damaged.json", loss: "tsdae" };
// In the first steps most rows are touched for the first time, which says nothing of a training.
const table: Flags = { model: "@static", rows: "@all_pairs.json", "batch-size": 2048, steps: 40, warm: 10 };
const texts: Flags = { model: "@model", texts: "@sentences.txt" };
const tableTexts: Flags = { model: "@static", texts: "@all_sentences.txt", repeat: 5 };
const words: Flags = { model: "@model", texts: "@all_sentences.txt", repeat: 3 };
const vectors: Flags = { embeddings: "@vectors.f32", width: 384, k: 50 };
/** Batches of which the fastest is taken. */
const sizes: Flags = { "batch-size": "16,32,64" };
/** Likewise of texts that are not sorted by their length, where small batches pad less. */
const unsorted: Flags = { "batch-size": "1,4,8,16,32" };
const large: Flags = { "batch-size": "256,1024,4096,16384" };
const first: Flags = { model: "@model", train: "@train", cache: "@cache" };

const int8 = (backend: string, file: string): Side => ({
  by: "python-int8",
  work: "encode",
  flags: { ...texts, ...sizes, model: "@exported", backend, file: `${backend}/${file}` },
});

/** Ours beside theirs. */
const row = (
  name: string,
  group: string,
  [ours, theirs]: readonly [Side, Side],
  goal: number,
  measure: Row["measure"] = "rate",
): Row => ({ name, group, ours, theirs, goal, measure });
/** The same work with the same flags. */
const same = (work: string, flags: Flags): readonly [Side, Side] => [ours(work, flags), python(work, flags)];

/** From the start of the process; theirs has no tokens to cache. */
const begins: readonly [Side, Side] = [ours("start", first), python("train", { ...minilm, steps: 1, warm: 0 })];
const tuned = ours("train", { ...minilm, ...bf16 });
const quick = ours("encode", { ...texts, precision: "int8" });

/** All rows, in the order of the table. */
export const ROWS: readonly Row[] = [
  row("fine-tuning MiniLM, fp32", "minilm", same("train", minilm), 3.5),
  row(
    "the same as WebAssembly, with no permission",
    "minilm",
    [ours("train", { ...minilm, kernels: "wasm" }), python("train", minilm)],
    1.3,
  ),
  row("the same in bf16, theirs in bf16", "minilm", [tuned, python("train", { ...minilm, ...bf16 })], 2.7),
  row("the same in bf16, theirs in fp32", "minilm", [tuned, python("train", minilm)], 4),
  row("memory of fine-tuning MiniLM, fp32", "minilm", same("train", minilm), .5, "memory"),
  row("start to first step, weights and tokens cached", "start", begins, 8, "to first step"),
  row("the same to the end of the first step", "start", begins, 8, "start"),
  row("fine-tuning BERT-base's shape, fp32", "bert", same("train", base), 2.5),
  row("fine-tuning BERT-base's shape, bf16", "bert-bf16", same("train", { ...base, ...bf16 }), 2.7),
  row("fine-tuning ModernBERT-base's shape, fp32", "modernbert", same("train", modern), 2.5),
  row("TSDAE, BERT-base's shape, fp32", "tsdae", same("train", tsdae), 4),
  row("training static embeddings, batch 2048", "static", same("train", table), 5),
  row("encode, fp32", "encode", [ours("encode", texts), python("encode", { ...texts, ...sizes })], 1.6),
  row(
    "encode, fp32, onnxruntime-node",
    "encode",
    [ours("encode", texts), javascript("encode", { ...texts, model: "@exported", ...unsorted })],
    3,
  ),
  row("texts one after the other, fp32", "singly", same("singly", texts), 3),
  row(
    "texts one after the other, fp32, onnxruntime-node",
    "singly",
    [ours("singly", texts), javascript("singly", { ...texts, model: "@exported" })],
    1,
  ),
  row("encode, int8, OpenVINO", "int8", [quick, int8("openvino", "openvino_model_qint8_quantized.xml")], 1),
  row("encode, int8, onnxruntime", "int8", [quick, int8("onnx", "model_qint8_avx512_vnni.onnx")], 1.5),
  row("encode, static, their usual batch", "static-encode", same("encode", tableTexts), 3),
  row(
    "encode, static, their best batch",
    "static-encode",
    [ours("encode", tableTexts), python("encode", { ...tableTexts, ...large })],
    1.5,
  ),
  row(
    "exact top 50 of 50,000 in 50,000, 384 features",
    "search",
    [ours("search", vectors), python("search", { ...vectors, ...large })],
    1.5,
  ),
  row("tokens, @huggingface/tokenizers", "tokens", [ours("tokenize", words), javascript("tokenize", words)], 3),
  row("tokens, Python's tokenizers", "tokens", same("tokenize", words), 1.5),
];
