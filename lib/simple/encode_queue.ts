/**
 * Requests to encode that take turns: small ones of a kind that wait go through the model together.
 *
 * @module
 */
import { partOf } from "../embed/outputs.ts";
import type { Embeddings } from "../embed/pairwise.ts";
import type { TokenEmbeddings } from "../embed/token_embeddings.ts";
import { type Turns, turns } from "./turns.ts";

/** What goes through the model in one way. */
export interface EncodeKind {
  /** The text before every input. */
  readonly prompt: string;
  /** One row for each text, or for each token. */
  readonly output: "sentence" | "tokens" | undefined;
  /** Whether rows come with length 1. */
  readonly normalize: boolean | undefined;
}

/** Texts to encode. */
export interface EncodeRequest extends EncodeKind {
  /** Them. */
  readonly texts: readonly string[];
}

/** Most texts of small requests that go through the model together. */
const TOGETHER = 64;

const isAlike = (a: EncodeKind, b: EncodeKind) =>
  a.prompt === b.prompt && a.output === b.output && a.normalize === b.normalize;

/**
 * A queue before a model.
 *
 * @param encode Encodes texts in one way.
 * @returns Takes requests; each gets the rows of its own texts.
 */
export function encodeQueue(
  encode: (texts: readonly string[], kind: EncodeKind) => Promise<Embeddings | TokenEmbeddings>,
): Turns<EncodeRequest, Embeddings | TokenEmbeddings> {
  return turns<EncodeRequest, Embeddings | TokenEmbeddings>(
    (waiting) => {
      const first = waiting[0]!;
      let [count, texts] = [1, first.texts.length];
      while (count < waiting.length && isAlike(waiting[count]!, first)) {
        texts += waiting[count]!.texts.length;
        if (texts > TOGETHER) break;
        count++;
      }
      return count;
    },
    async (requests) => {
      const { texts: _, ...kind } = requests[0]!;
      const all = await encode(requests.flatMap(({ texts }) => texts), kind);
      if (requests.length === 1) return [all];
      let row = 0;
      return requests.map(({ texts }) => partOf(all, (row += texts.length) - texts.length, texts.length));
    },
  );
}
