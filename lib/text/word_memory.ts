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
/** Places of the table: twice the words, a power of two. */
const PLACES = 2 * WORDS;

/**
 * @param make The ids of a word.
 * @returns A function that appends the ids of the characters start … end − 1 of a text.
 */
export function remembering(
  make: (word: string) => readonly number[],
): (text: string, start: number, end: number, ids: number[]) => void {
  const places = new Int32Array(PLACES); // the number of a word, from 1
  const hashes = new Int32Array(WORDS);
  const charStarts = new Int32Array(WORDS + 1);
  const idStarts = new Int32Array(WORDS + 1);
  let chars = new Uint16Array(1 << 12);
  let made = new Int32Array(1 << 12);
  let count = 0;

  function isAt(word: number, text: string, start: number, end: number): boolean {
    const from = charStarts[word]!;
    if (charStarts[word + 1]! - from !== end - start) return false;
    for (let i = start, at = from; i < end; i++, at++) if (chars[at] !== text.charCodeAt(i)) return false;
    return true;
  }

  function remember(place: number, hash: number, word: string, ids: readonly number[]): void {
    if (count === WORDS) {
      places.fill(0);
      count = 0;
      return;
    }
    const [charsEnd, idsEnd] = [charStarts[count]! + word.length, idStarts[count]! + ids.length];
    if (charsEnd > chars.length) chars = grown(chars, new Uint16Array(2 * charsEnd));
    if (idsEnd > made.length) made = grown(made, new Int32Array(2 * idsEnd));
    for (let i = 0; i < word.length; i++) chars[charStarts[count]! + i] = word.charCodeAt(i);
    made.set(ids, idStarts[count]!);
    hashes[count] = hash;
    count++;
    charStarts[count] = charsEnd;
    idStarts[count] = idsEnd;
    places[place] = count;
  }

  return (text, start, end, ids) => {
    if (end - start > LONGEST_WORD) {
      for (const id of make(text.slice(start, end))) ids.push(id);
      return;
    }
    let hash = 0x811c9dc5; // FNV-1a by characters
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    let place = (hash ^ (hash >>> 15)) & (PLACES - 1);
    for (let word; (word = places[place]! - 1) >= 0; place = (place + 1) & (PLACES - 1)) {
      if (hashes[word] !== hash || !isAt(word, text, start, end)) continue;
      for (let i = idStarts[word]!; i < idStarts[word + 1]!; i++) ids.push(made[i]!);
      return;
    }
    const word = text.slice(start, end);
    const found = make(word);
    remember(place, hash, word, found);
    for (const id of found) ids.push(id);
  };
}

function grown<A extends Uint16Array | Int32Array>(old: A, larger: A): A {
  larger.set(old);
  return larger;
}
