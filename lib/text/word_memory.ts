/**
 * The ids of words that were tokenised before: texts repeat their words, and most of a tokenizer's time would go into
 * making the same ids again. A hash table over the characters where they stand, so that looking makes no string.
 *
 * @module
 */

/** Words longer than this are not remembered. */
const LONGEST_WORD = 64;
/** So many words are remembered, then all are forgotten. */
const WORDS = 1 << 17;

/**
 * @param make The ids of a word.
 * @returns A function that appends the ids of the characters start … end − 1 of a text.
 */
export function remembering(
  make: (word: string) => readonly number[],
): (text: string, start: number, end: number, ids: number[]) => void {
  // Two numbers a place: the hash of a word, and where it stands in `words` (0: the place is free). At least half of the
  // places are free. The table grows with the words: while it is small it stays in the processor's cache.
  let places = new Int32Array(2 << 10);
  let mask = (1 << 10) - 1;
  // Of a word: its length, how many ids it has, its characters and its ids, side by side.
  let words = new Int32Array(1 << 14);
  let size = 1;
  let count = 0;
  const chars = new Uint16Array(LONGEST_WORD); // of the word that is looked for

  /** The place of a word, or the free one where it belongs. */
  function placeOf(hash: number, length: number): number {
    let place = (hash ^ (hash >>> 15)) & mask;
    for (let at; (at = places[2 * place + 1]!) !== 0; place = (place + 1) & mask) {
      if (places[2 * place] !== hash || words[at] !== length) continue;
      let same = 0;
      while (same < length && words[at + 2 + same] === chars[same]) same++;
      if (same === length) break;
    }
    return place;
  }

  function spread(count: number): void {
    const old = places;
    places = new Int32Array(2 * count);
    mask = count - 1;
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] === 0) continue;
      let place = (old[i]! ^ (old[i]! >>> 15)) & mask;
      while (places[2 * place + 1] !== 0) place = (place + 1) & mask;
      places[2 * place] = old[i]!;
      places[2 * place + 1] = old[i + 1]!;
    }
  }

  function remember(hash: number, word: string, ids: readonly number[]): void {
    if (count === WORDS) {
      places.fill(0);
      [count, size] = [0, 1];
    }
    if (2 * count > mask) spread(2 * (mask + 1));
    const end = size + 2 + word.length + ids.length;
    if (end > words.length) {
      const grown = new Int32Array(2 * end);
      grown.set(words);
      words = grown;
    }
    for (let i = 0; i < word.length; i++) chars[i] = words[size + 2 + i] = word.charCodeAt(i);
    const place = placeOf(hash, word.length);
    places[2 * place] = hash;
    places[2 * place + 1] = size;
    words[size] = word.length;
    words[size + 1] = ids.length;
    words.set(ids, size + 2 + word.length);
    size = end;
    count++;
  }

  return (text, start, end, ids) => {
    const length = end - start;
    if (length > LONGEST_WORD) {
      for (const id of make(text.slice(start, end))) ids.push(id);
      return;
    }
    let hash = 0x811c9dc5; // FNV-1a by characters
    for (let i = 0; i < length; i++) {
      const char = text.charCodeAt(start + i);
      chars[i] = char;
      hash = Math.imul(hash ^ char, 0x01000193);
    }
    const at = places[2 * placeOf(hash, length) + 1]!;
    if (at !== 0) {
      const from = at + 2 + length;
      for (let i = from, to = from + words[at + 1]!; i < to; i++) ids.push(words[i]!);
      return;
    }
    const word = text.slice(start, end);
    const made = make(word);
    remember(hash, word, made);
    for (const id of made) ids.push(id);
  };
}
