/**
 * README.md of a trained model.
 *
 * @module
 */
import type { Loss } from "../loss/loss.ts";
import type { ResolvedTrainSettings } from "./settings.ts";

/** What the card tells. */
export interface ModelCard {
  /** What it is: the heading. */
  readonly title: string;
  /** Sentences about how it came about. */
  readonly story: string;
  /** Settings by name. */
  readonly settings: Readonly<Record<string, string | number | undefined>>;
  /** What its users should know. */
  readonly warnings?: readonly string[];
}

/**
 * The text of the card of a sentence-embedding model: what it is, how it was trained, how to use it.
 *
 * @param card Title, story, settings, warnings.
 * @returns Markdown, for README.md.
 */
export function modelCard(card: ModelCard): string {
  const { title, story, settings, warnings = [] } = card;
  const shown = Object.entries(settings).filter(([, value]) => value !== undefined);
  return `---
tags: [sentence-transformers, sentence-similarity, feature-extraction]
pipeline_tag: sentence-similarity
library_name: sentence-transformers
---

# ${title}

${story}
${warnings.map((warning) => `\n> **Warning:** ${warning}\n`).join("")}
| setting | value |
| --- | --- |
${shown.map(([name, value]) => `| ${name} | ${value} |`).join("\n")}

\`\`\`python
from sentence_transformers import SentenceTransformer
SentenceTransformer("path/to/this/folder").encode(["A sentence."])
\`\`\`
`;
}

/** Hyper-parameters as the card shows them. */
export function shownSettings(settings: ResolvedTrainSettings): Readonly<Record<string, string | number | undefined>> {
  const {
    epochs,
    maxSteps,
    batchSize,
    accumulate,
    learningRate,
    schedule,
    warmupSteps,
    warmupRatio,
    seed,
    weightDecay,
    clip,
  } = settings;
  return {
    epochs: maxSteps === undefined ? epochs : undefined,
    "max steps": maxSteps,
    "batch size": batchSize * accumulate,
    "learning rate": learningRate,
    schedule,
    "warmup steps": warmupSteps,
    "warmup ratio": warmupRatio,
    "weight decay": weightDecay,
    clip,
    seed,
  };
}

/** The card of a model as the train stage leaves it. */
export function trainedCard(loss: Loss, settings: ResolvedTrainSettings, rows: number): string {
  return modelCard({
    title: "A sentence-embedding model",
    story: `Trained by Kindred on ${rows} rows, with the loss \`${loss.name}\` (${loss.paper}).`,
    settings: shownSettings(settings),
  });
}
