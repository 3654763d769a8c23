/**
 * Checkpoints: safetensors and sentence-transformers folders.
 *
 * @module
 */
export { type AdapterFolder, openWeights, readAdapter } from "./adapter.ts";
export {
  type CrossEncoderFolder,
  type CrossEncoderToWrite,
  readCrossEncoderFolder,
  type ScoreActivation,
  writeCrossEncoderFolder,
} from "./cross_encoder.ts";
export type { DenseActivation, InputKind, ModuleSpec } from "./modules.ts";
export {
  type FileDType,
  openTensors,
  type TensorInfo,
  type TensorReader,
  type TensorToWrite,
  writeSafetensors,
} from "./safetensors.ts";
export {
  type FolderToWrite,
  readFolder,
  type SentenceTransformerFolder,
  writeFolder,
} from "./sentence_transformers.ts";
export {
  isWordVectorFile,
  readWordVectors,
  type WordVectorFormat,
  type WordVectors,
  writeWordVectorFile,
  writeWordVectors,
} from "./word_vectors.ts";
export { type AdapterToWrite, writeAdapter } from "./write_adapter.ts";
