/**
 * README.md of a trained model.
 *
 * @module
 */
import type { Loss } from "../loss/loss.ts";
import type { FlagValues } from "./flags.ts";

/** What the card tells. */
export interface ModelCardInput {
  /** The pipeline that trained it. */
  readonly pipeline: string;
  /** The model it started from. */
  readonly base: string;
  /** The loss. */
  readonly loss: Loss;
  /** Training rows. */
  readonly rows: number;
  /** Hyper-parameters. */
  readonly values: FlagValues;
}

/** The text of the card. */
export function modelCard({ pipeline, base, loss, rows, values }: ModelCardInput): string {
  const shown = [
    "epochs",
    "max-steps",
    "batch-size",
    "learning-rate",
    "schedule",
    "warmup-steps",
    "weight-decay",
    "clip",
    "seed",
  ] as const;
  const table = shown.filter((flag) => values[flag] !== undefined).map((flag) => `| ${flag} | ${values[flag]} |`).join(
    "\n",
  );
  return `---
tags: [sentence-transformers, sentence-similarity, feature-extraction]
pipeline_tag: sentence-similarity
library_name: sentence-transformers
---

# A sentence-embedding model

Trained by Kindred's \`${pipeline}\` from ${base}, on ${rows} rows, with the loss \`${loss.name}\` (${loss.paper}).

| setting | value |
| --- | --- |
${table}

\`\`\`python
from sentence_transformers import SentenceTransformer
SentenceTransformer("path/to/this/folder").encode(["A sentence."])
\`\`\`
`;
}
