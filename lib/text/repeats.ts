/**
 * Where a text of a list stood before. Not a `Map` by text: V8 makes every string that is put into one a constant of its old
 * generation, and so a stream of texts would fill that with garbage.
 *
 * @module
 */

/** Texts that are remembered: to look among millions takes longer than to tokenise again. */
const KNOWN_TEXTS = 4096;

/**
 * @param texts The list.
 * @returns For its rows, in their order: the row where the same text stood before, among the last thousands that differ;
 *   −1 if there is none.
 */
export function repeats(texts: readonly string[]): (row: number) => number {
  // Two numbers a place: the hash of a text, and 1 + its row (0: the place is free). At least half of the places are free.
  const most = Math.min(texts.length, KNOWN_TEXTS);
  const mask = (2 << (32 - Math.clz32(most - 1))) - 1;
  const places = new Int32Array(2 * (mask + 1));
  let count = 0;
  return (row) => {
    const text = texts[row]!;
    const hash = hashOf(text);
    let place = hash & mask;
    for (let at; (at = places[2 * place + 1]!) !== 0; place = (place + 1) & mask) {
      if (places[2 * place] === hash && texts[at - 1] === text) return at - 1;
    }
    if (count === most) {
      places.fill(0);
      [count, place] = [0, hash & mask];
    }
    places[2 * place] = hash;
    places[2 * place + 1] = row + 1;
    count++;
    return -1;
  };
}

/** FNV-1a by characters, its upper half mixed into the lower one. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}
