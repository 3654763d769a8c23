/**
 * A trie over the UTF-16 units of tokens, in typed arrays: all tokens that begin at a place, in one walk.
 *
 * @module
 */

/** A trie of tokens. Node 0 is the root. */
export interface Trie {
  /** The node behind `node` by a unit, or −1. */
  readonly child: (node: number, unit: number) => number;
  /** The value of the token that ends at each node, or −1. */
  readonly values: Int32Array;
}

/** The trie of tokens with their values. */
export function trieOf(tokens: ReadonlyMap<string, number>): Trie {
  let most = 1;
  for (const token of tokens.keys()) most += token.length;
  // Edges lie in a hash table: parent · 2¹⁶ + unit → child.
  let size = 16;
  while (size < 1.5 * most) size *= 2;
  const parents = new Int32Array(size).fill(-1);
  const units = new Uint16Array(size);
  const children = new Int32Array(size);
  const values = new Int32Array(most).fill(-1);
  const slot = (node: number, unit: number): number => {
    let hash = Math.imul(node, 0x9e3779b1) ^ Math.imul(unit, 0x85ebca6b);
    hash ^= hash >>> 15;
    let at = hash & (size - 1);
    while (parents[at] !== -1 && (parents[at] !== node || units[at] !== unit)) at = (at + 1) & (size - 1);
    return at;
  };
  let nodes = 1;
  for (const [token, value] of tokens) {
    let node = 0;
    for (let i = 0; i < token.length; i++) {
      const at = slot(node, token.charCodeAt(i));
      if (parents[at] === -1) {
        parents[at] = node;
        units[at] = token.charCodeAt(i);
        children[at] = nodes++;
      }
      node = children[at]!;
    }
    values[node] = value;
  }
  return {
    child(node, unit) {
      const at = slot(node, unit);
      return parents[at] === -1 ? -1 : children[at]!;
    },
    values: values.slice(0, nodes),
  };
}
