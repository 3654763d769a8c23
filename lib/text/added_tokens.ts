/**
 * Tokens beside the model's own: they are cut out of a text before anything else is done to it.
 *
 * @module
 */
import { TokenizerError } from "../error.ts";
import { object } from "./definition.ts";
import type { Normalizer } from "./normalizer.ts";
import { WORD_CHARACTER } from "./pre_tokenizer.ts";
import { codePointClasses, SPACE } from "./unicode/code_points.ts";

/** A token that was added to a tokenizer. */
export interface AddedToken {
  /** What stands in the text. */
  readonly content: string;
  /** Only where no letter, digit or underscore stands beside it. */
  readonly single_word: boolean;
  /** Takes white space before it along. */
  readonly lstrip: boolean;
  /** Takes white space behind it along. */
  readonly rstrip: boolean;
  /** Looked for in the normalised text, itself normalised. */
  readonly normalized: boolean;
  /** Left out when ids become text again. */
  readonly special: boolean;
}

/** An added token as files have it: what is missing is false, `normalized` is true unless the token is special. */
export function addedTokenOf(value: unknown): AddedToken {
  const part = object(value, "an added token");
  const flag = (key: string, fallback = false): boolean => {
    const found = part[key] ?? fallback;
    if (typeof found === "boolean") return found;
    throw new TokenizerError("an added token has a flag that is none", {
      expected: `true or false for ${key}`,
      found: JSON.stringify(part),
    });
  };
  const content = part["content"];
  if (typeof content !== "string") {
    throw new TokenizerError("an added token has no content", { found: JSON.stringify(part).slice(0, 80) });
  }
  const special = flag("special");
  return {
    content,
    single_word: flag("single_word"),
    lstrip: flag("lstrip"),
    rstrip: flag("rstrip"),
    normalized: flag("normalized", !special),
    special,
  };
}

/**
 * Numbers added tokens as the reference does: one that the model knows keeps the model's id, others follow behind the
 * vocabulary (of `size` entries) in order.
 *
 * @throws {TokenizerError} if a token is said to have another id: its row of the embedding matrix would never be used.
 */
export function numberAddedTokens(
  tokens: readonly (AddedToken & { readonly id?: number | undefined })[],
  vocabulary: ReadonlyMap<string, number>,
  size: number,
): Map<string, AddedToken & { readonly id: number }> {
  const numbered = new Map<string, AddedToken & { readonly id: number }>();
  let next = size;
  for (const token of tokens) {
    if (token.content === "") continue;
    const id = vocabulary.get(token.content) ?? numbered.get(token.content)?.id ?? next++;
    if (token.id !== undefined && token.id !== id) {
      throw new TokenizerError("an added token has an id that it cannot have", {
        where: token.content,
        expected: `${id}, by the size of the vocabulary`,
        found: `${token.id}`,
        hint: "load the tokenizer in Python and save it again",
      });
    }
    numbered.set(token.content, { ...token, id });
  }
  return numbered;
}

/** Parts of a text: a number is the id of an added token, a text is what stands between them. */
export type Parts = (string | number)[];

/** A node of the trie of contents: the next units, and the token that ends here. */
interface Node {
  readonly next: Map<number, Node>;
  token?: AddedToken & { readonly id: number };
}

/**
 * A function that cuts added tokens out of a text, the longest where several begin; undefined if there are none.
 *
 * @param normalize what is done to the contents first, for tokens that are looked for in the normalised text
 */
export function cutterOf(
  tokens: Iterable<AddedToken & { readonly id: number }>,
  normalize: Normalizer | undefined,
): ((text: string) => Parts) | undefined {
  const root: Node = { next: new Map() };
  const begins = new Uint8Array(0x10000);
  for (const token of tokens) {
    const content = normalize === undefined ? token.content : normalize(token.content);
    let node = root;
    for (let i = 0; i < content.length; i++) {
      const unit = content.charCodeAt(i);
      if (!node.next.has(unit)) node.next.set(unit, { next: new Map() });
      node = node.next.get(unit)!;
    }
    if (content === "" || node.token !== undefined) {
      throw new TokenizerError("an added token cannot be told from another one, or from nothing", {
        where: token.content,
        found: `${JSON.stringify(content)} once it is normalised`,
      });
    }
    node.token = token;
    begins[content.charCodeAt(0)] = 1;
  }
  if (root.next.size === 0) return undefined;
  return (text) => {
    const parts: Parts = [];
    let from = 0; // what is not in a part yet
    for (let at = 0; at < text.length;) {
      if (begins[text.charCodeAt(at)] === 0) {
        at++;
        continue;
      }
      let token: (AddedToken & { readonly id: number }) | undefined;
      let end = at;
      for (let node: Node | undefined = root, i = at; i < text.length;) {
        node = node.next.get(text.charCodeAt(i++));
        if (node === undefined) break;
        if (node.token !== undefined) [token, end] = [node.token, i];
      }
      if (token === undefined) {
        at++;
        continue;
      }
      if (!token.single_word || isAlone(text, at, end)) {
        let [start, stop] = [at, end];
        if (token.lstrip) {
          while (start > from && isSpace(text, start - 1)) start--;
          start = Math.max(start, from);
        }
        if (token.rstrip) { while (stop < text.length && isSpace(text, stop)) stop++; }
        if (from < start) parts.push(text.slice(from, start));
        if (start < stop) parts.push(token.id); // else the token before took all of it along
        from = Math.max(start, stop);
      }
      at = end;
    }
    if (from < text.length) parts.push(text.slice(from));
    return parts;
  };
}

function isSpace(text: string, at: number): boolean {
  return (codePointClasses()[text.charCodeAt(at)]! & SPACE) !== 0;
}

function isAlone(text: string, start: number, end: number): boolean {
  const low = start > 1 && (text.charCodeAt(start - 1) & 0xfc00) === 0xdc00 ? 2 : 1;
  if (start > 0 && WORD_CHARACTER.test(text.slice(start - low, start))) return false;
  return end === text.length || !WORD_CHARACTER.test(String.fromCodePoint(text.codePointAt(end)!));
}
