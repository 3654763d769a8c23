/**
 * Maps: texts as points in two dimensions, by class or as pairs.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { Embeddings } from "../embed/pairwise.ts";
import { principalComponents } from "../numeric/projection.ts";
import { escapeHtml, figure, scaleOf, SIZE } from "./axis.ts";

/** More points than these would only cover each other. */
const MOST = 1500;

/** Lines between more pairs would hide what is below them. */
const PAIRS = 160;

/** Colours of more classes cannot be told apart in a legend. */
const NAMED = 24;

/** Embeddings on the two directions in which they differ most, and how much of their variance that is. */
function project({ data, rows, width }: Embeddings): {
  readonly at: (row: number) => readonly [number, number];
  readonly share: string;
} {
  const { projected, explained } = principalComponents({ data, rows, width });
  const [xs, ys] = [0, 1].map((axis) => Array.from({ length: rows }, (_, row) => projected[2 * row + axis]!));
  const [x, y] = [scaleOf(xs!), scaleOf(ys!)];
  const place = (value: number, length: number) => Math.round(10 * (10 + (length - 20) * value)) / 10;
  return {
    at: (row) => [place(x(xs![row]!), SIZE.width), place(1 - y(ys![row]!), SIZE.height)],
    share: `${(100 * (explained[0]! + explained[1]!)).toFixed(0)} %`,
  };
}

/** Hues as far apart as possible, light on dark and dark on light. */
export function colourOf(group: number, groups: number): string {
  const hue = ((group * 360) / Math.max(1, groups) + 250) % 360;
  return `light-dark(oklch(.52 .16 ${hue.toFixed(0)}),oklch(.78 .13 ${hue.toFixed(0)}))`;
}

/** A mark of four forms, so that classes are told apart without colours too. */
function mark(form: number, x: number, y: number): string {
  if (form % 4 === 1) return `M${x - 2.6} ${y - 2.6}h5.2v5.2h-5.2z`;
  if (form % 4 === 2) return `M${x} ${y - 3.4}l3.2 5.8h-6.4z`;
  if (form % 4 === 3) return `M${x} ${y - 3.7}l3.7 3.7l-3.7 3.7l-3.7 -3.7z`;
  return `M${x - 2.9} ${y}a2.9 2.9 0 1 0 5.8 0a2.9 2.9 0 1 0 -5.8 0z`;
}

/** Texts by class: a colour and a form for each. */
export function classMap(
  title: string,
  embeddings: Embeddings,
  { texts, labels, names }: {
    readonly texts: readonly string[];
    readonly labels: ArrayLike<number>;
    readonly names: readonly string[];
  },
): string {
  const rows = Math.min(MOST, embeddings.rows);
  const shown = { ...embeddings, data: embeddings.data.subarray(0, rows * embeddings.width), rows };
  const { at, share } = project(shown);
  const marks = Array.from({ length: rows }, (_, row) => {
    const label = labels[row]!;
    return `<path fill="${colourOf(label, names.length)}" d="${mark(label, ...at(row))}"><title>${
      escapeHtml(`${names[label]}: ${texts[row]}`)
    }</title></path>`;
  });
  const keys = names.slice(0, NAMED).map((name, i) =>
    `<span><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><path fill="${colourOf(i, names.length)}" d="${
      mark(i, 5, 5)
    }"/></svg> ${escapeHtml(name)}</span>`
  );
  const more = names.length > NAMED
    ? `<span>and ${names.length - NAMED} more: point at a mark to read its label</span>`
    : "";
  return figure(
    title,
    `${counted(rows, "text")} of ${counted(names.length, "class")}; the two axes hold ${share} of the variance`,
    `<g fill-opacity=".75">${marks.join("")}</g>`,
    `<p class="legend">${[...keys, more].join(" ")}</p><p>The two axes hold ${share} of the variance.</p>`,
  );
}

/** Steps of the colour of a score. */
const STEPS = 5;
const stepColour = (step: number) => `color-mix(in oklch, var(--a) ${100 * step / (STEPS - 1)}%, var(--b))`;

/** Which texts a pair is of, and how it is drawn. */
interface DrawnPairs {
  /** Rows of the texts, among `sentences`. */
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly sentences: readonly string[];
  /** The colour of a pair; `apart` is drawn with a dashed line, for who does not see colours. */
  readonly look: (pair: number) => { readonly colour: string; readonly apart?: boolean; readonly told: string };
  /** The form of the mark of second texts: 0 is that of the first ones. */
  readonly form: number;
}

/** Some of the pairs, evenly spread, as lines between their texts. */
function linesOf(embeddings: Embeddings, { first, second, sentences, look, form }: DrawnPairs): {
  readonly drawn: string;
  readonly count: number;
  readonly share: string;
} {
  const count = Math.min(PAIRS, first.length);
  const chosen = Array.from({ length: count }, (_, i) => Math.floor(i * first.length / count));
  const { width } = embeddings;
  const data = new Float32Array(2 * count * width);
  const copy = (row: number, to: number) =>
    data.set(embeddings.data.subarray(row * width, (row + 1) * width), to * width);
  chosen.forEach((pair, i) => {
    copy(first[pair]!, 2 * i);
    copy(second[pair]!, 2 * i + 1);
  });
  const { at, share } = project({ data, width, rows: 2 * count });
  const drawn = chosen.map((pair, i) => {
    const [[x1, y1], [x2, y2]] = [at(2 * i), at(2 * i + 1)];
    const { colour, apart, told } = look(pair);
    const dashes = apart ? ' stroke-dasharray="4 3"' : "";
    return `<g style="color:${colour}"><title>${
      escapeHtml(`${sentences[first[pair]!]} | ${sentences[second[pair]!]}: ${told}`)
    }</title><path d="M${x1} ${y1}L${x2} ${y2}" stroke="currentColor" stroke-opacity=".5"${dashes}/><path fill="currentColor" d="${
      mark(0, x1, y1)
    }${mark(form, x2, y2)}"/></g>`;
  });
  return { drawn: drawn.join(""), count, share };
}

/** A mark of the legend. */
const legendKey = (colour: string, form: number, text: string) =>
  `<span><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><path style="color:${colour}" fill="currentColor" d="${
    mark(form, 5, 5)
  }"/></svg> ${text}</span>`;

/** Pairs of texts as lines between them, coloured by their score: alike ones should be short. */
export function pairMap(
  title: string,
  embeddings: Embeddings,
  { first, second, score, sentences }: {
    readonly first: Int32Array;
    readonly second: Int32Array;
    readonly score: ArrayLike<number>;
    readonly sentences: readonly string[];
  },
): string {
  const scores = Array.from(score);
  const scale = scaleOf(scores);
  const step = (pair: number) => Math.min(STEPS - 1, Math.floor(STEPS * scale(score[pair]!)));
  const look = (pair: number) => ({ colour: stepColour(step(pair)), told: `${Number(score[pair]!.toFixed(3))}` });
  const { drawn, count, share } = linesOf(embeddings, { first, second, sentences, look, form: 0 });
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  const bound = (i: number) => Number((low + (high - low) * i / STEPS).toFixed(2));
  const keys = Array.from(
    { length: STEPS },
    (_, i) => legendKey(stepColour(i), 0, `${bound(i)} to ${bound(i + 1)}`),
  );
  return figure(
    title,
    `${counted(count, "pair")} as lines, coloured by their gold score; the two axes hold ${share} of the variance`,
    drawn,
    `<p class="legend"><span>gold score:</span> ${keys.join(" ")}</p><p>${count} of ${
      counted(first.length, "pair")
    }, a line from text to text: a high score should make it short. The two axes hold ${share} of the variance.</p>`,
  );
}

/** How well anchors find their positives, by the place of the first one that was found. */
const PLACES = [
  { colour: "var(--c)", name: "found first", holds: (place: number) => place === 1 },
  { colour: "var(--a)", name: "among the first 10", holds: (place: number) => place > 1 && place <= 10 },
  { colour: "var(--b)", name: "further down", holds: (place: number) => place > 10 },
] as const;

/** Anchors and their positives as lines between them, coloured by where the positive was found. */
export function retrievalMap(
  title: string,
  embeddings: Embeddings,
  { first, second, places, sentences }: {
    readonly first: Int32Array;
    readonly second: Int32Array;
    /** From 1; Infinity where it was not found. */
    readonly places: readonly number[];
    readonly sentences: readonly string[];
  },
): string {
  const look = (pair: number) => {
    const group = PLACES.findIndex(({ holds }) => holds(places[pair]!));
    const told = places[pair] === Infinity ? "not found" : `place ${places[pair]}`;
    return { colour: PLACES[group]!.colour, apart: group === 2, told };
  };
  const { drawn, count, share } = linesOf(embeddings, { first, second, sentences, look, form: 1 });
  const counts = PLACES.map(({ holds }) => places.filter(holds).length);
  const keys = PLACES.map(({ colour, name }, i) => legendKey(colour, 0, `${name} (${counts[i]})`));
  return figure(
    title,
    `${counted(count, "anchor")} and their positives as lines: ${
      PLACES.map(({ name }, i) => `${counts[i]} ${name}`).join(", ")
    }; the two axes hold ${share} of the variance`,
    drawn,
    `<p class="legend">${keys.join(" ")}</p><p>${count} of ${
      counted(first.length, "anchor")
    } (round) with a line to a positive (square), by the place where one was found. The two axes hold ${share} of the variance.</p>`,
  );
}
