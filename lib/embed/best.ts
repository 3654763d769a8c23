/**
 * The best of a stream of scored items, in typed arrays and without allocation: a binary heap whose root is the worst
 * item kept, so that one comparison decides about a newcomer.
 *
 * A heap is a slice of two arrays, from `base`: one array can hold the heaps of many rows. An item is better with a
 * higher score and, at equal scores, with a lower number.
 *
 * @module
 */

/** Numbers of items: Int32Array for rows, Float64Array where they can pass 2³¹. */
export type Items = Int32Array | Float64Array;

/** Whether item i stands behind item j. */
function isWorse(scores: Float32Array, items: Items, i: number, j: number): boolean {
  return scores[i]! < scores[j]! || (scores[i]! === scores[j]! && items[i]! > items[j]!);
}

function swap(scores: Float32Array, items: Items, i: number, j: number): void {
  const score = scores[i]!;
  const item = items[i]!;
  scores[i] = scores[j]!;
  items[i] = items[j]!;
  scores[j] = score;
  items[j] = item;
}

function siftDown(scores: Float32Array, items: Items, base: number, size: number): void {
  for (let at = 0;;) {
    const left = 2 * at + 1;
    if (left >= size) return;
    const right = left + 1;
    const worse = right < size && isWorse(scores, items, base + right, base + left) ? right : left;
    if (!isWorse(scores, items, base + worse, base + at)) return;
    swap(scores, items, base + worse, base + at);
    at = worse;
  }
}

/** Adds an item to a heap of `size` items that has room for one more. */
export function addItem(
  scores: Float32Array,
  items: Items,
  base: number,
  size: number,
  score: number,
  item: number,
): void {
  scores[base + size] = score;
  items[base + size] = item;
  for (let at = size; at > 0;) {
    const parent = (at - 1) >> 1;
    if (!isWorse(scores, items, base + at, base + parent)) return;
    swap(scores, items, base + at, base + parent);
    at = parent;
  }
}

/** Puts an item in the place of the worst one, which stands at `base`. The caller has compared the two. */
export function replaceWorst(
  scores: Float32Array,
  items: Items,
  base: number,
  size: number,
  score: number,
  item: number,
): void {
  scores[base] = score;
  items[base] = item;
  siftDown(scores, items, base, size);
}

/** Turns a heap into a list, best first (heapsort in place). */
export function sortBest(scores: Float32Array, items: Items, base: number, size: number): void {
  for (let end = size - 1; end > 0; end--) {
    swap(scores, items, base, base + end);
    siftDown(scores, items, base, end);
  }
}
