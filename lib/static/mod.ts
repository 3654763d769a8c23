/**
 * Static embeddings: distilled of an encoder, at random, pruned; as model2vec and sentence-transformers have them.
 *
 * @module
 */
export { distill, type Distilled, type DistillOptions } from "./distill.ts";
export { nearestWords, type NearWord } from "./nearest_words.ts";
export { countTokens, type Pruned, type PruneOptions, pruneTable } from "./prune.ts";
export { randomTable, type RandomTableOptions } from "./random.ts";
export { readStaticTable } from "./read.ts";
export { type StaticFolderOptions, type StaticTable, writeStaticFolder } from "./table.ts";
export type { TokenizerDefinition } from "../text/vocabulary.ts";
export {
  type ResolvedSkipGram,
  resolveSkipGram,
  type SkipGramPortion,
  type SkipGramSettings,
  type SkipGramState,
  startSkipGram,
  trainSkipGram,
  wordVectorsOf,
} from "./skip_gram.ts";
export { countWords, type Vocabulary, type WordIds, wordIds } from "./vocabulary.ts";
