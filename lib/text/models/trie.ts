/**
 * A trie over the UTF-16 units of tokens, in one typed array: all tokens that begin at a place, in one walk.
 *
 * @module
 */

/** A trie of tokens. Node 0 is the root. */
export interface Trie {
  /** The node behind `node` by a unit, or −1. */
  readonly child: (node: number, unit: number) => number;
  /** The value of the token that ends at a node, or −1. */
  readonly value: (node: number) => number;
}

/** Numbers of a slot: parent + 1 (0: the slot is free), unit, value + 1; the fourth keeps a slot in one cache line. */
const SLOT = 4;

/** The trie of tokens with their values, which are no negative numbers. */
export function trieOf(tokens: ReadonlyMap<string, number>): Trie {
  let most = 1;
  for (const token of tokens.keys()) most += token.length;
  // A node is the slot of the edge that leads to it, so that one look tells of both. Slot 0 is the root's own.
  let slots = 16;
  while (slots < 1.5 * most) slots *= 2;
  const edges = new Int32Array(SLOT * slots);
  edges[0] = -1;
  const slot = (node: number, unit: number): number => {
    let hash = Math.imul(node, 0x9e3779b1) ^ Math.imul(unit, 0x85ebca6b);
    hash ^= hash >>> 15;
    let at = hash & (slots - 1);
    for (let parent; (parent = edges[SLOT * at]!) !== 0; at = (at + 1) & (slots - 1)) {
      if (parent === node + 1 && edges[SLOT * at + 1] === unit) return at;
    }
    return ~at;
  };
  for (const [token, value] of tokens) {
    let node = 0;
    for (let i = 0; i < token.length; i++) {
      const unit = token.charCodeAt(i);
      let at = slot(node, unit);
      if (at < 0) {
        at = ~at;
        edges[SLOT * at] = node + 1;
        edges[SLOT * at + 1] = unit;
      }
      node = at;
    }
    edges[SLOT * node + 2] = value + 1;
  }
  return {
    child(node, unit) {
      const at = slot(node, unit);
      return at < 0 ? -1 : at;
    },
    value: (node) => edges[SLOT * node + 2]! - 1,
  };
}
