/**
 * Embedding a stream of texts in bounded memory.
 *
 * @module
 */

/** Texts of a chunk at most. */
const TEXTS = 1024;
/** Characters of a chunk, but for one text that is longer by itself. */
const CHARACTERS = 2 ** 20;

/**
 * Texts that come one after the other in chunks, none of which is large: what goes to an encoder at a time.
 *
 * @param texts Any number of them.
 * @param most Texts of a chunk at most. Default 1024.
 * @returns Chunks of at least one text, in their order. No text is asked for before the chunk before is used.
 *
 * @example
 * ```ts
 * import { textChunks } from "@kindred/kindred/embed";
 * import assert from "node:assert/strict";
 * const sizes: number[] = [];
 * for await (const chunk of textChunks(["a", "b", "c"], 2)) sizes.push(chunk.length);
 * assert.deepEqual(sizes, [2, 1]);
 * ```
 */
export async function* textChunks(
  texts: Iterable<string> | AsyncIterable<string>,
  most: number = TEXTS,
): AsyncGenerator<readonly string[]> {
  let [chunk, characters] = [new Array<string>(), 0];
  for await (const text of texts) {
    if (chunk.length > 0 && characters + text.length > CHARACTERS) {
      yield chunk;
      [chunk, characters] = [[], 0];
    }
    chunk.push(text);
    characters += text.length;
    if (chunk.length < most) continue;
    yield chunk;
    [chunk, characters] = [[], 0];
  }
  if (chunk.length > 0) yield chunk;
}
