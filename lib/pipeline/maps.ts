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
  const count = Math.min(PAIRS, first.length);
  const chosen = Array.from({ length: count }, (_, i) => Math.floor(i * first.length / count));
  const { width } = embeddings;
  const data = new Float32Array(2 * count * width);
  const copy = (row: number, to: number) =>
    data.set(embeddings.data.subarray(row * width, (row + 1) * width), to * width);
  chosen.forEach((row, i) => {
    copy(first[row]!, 2 * i);
    copy(second[row]!, 2 * i + 1);
  });
  const { at, share } = project({ data, width, rows: 2 * count });
  const scale = scaleOf(Array.from(score));
  const step = (row: number) => Math.min(STEPS - 1, Math.floor(STEPS * scale(score[row]!)));
  const drawn = chosen.map((row, i) => {
    const [[x1, y1], [x2, y2]] = [at(2 * i), at(2 * i + 1)];
    const told = `${sentences[first[row]!]} | ${sentences[second[row]!]}: ${Number(score[row]!.toFixed(3))}`;
    return `<g style="color:${stepColour(step(row))}"><title>${
      escapeHtml(told)
    }</title><path d="M${x1} ${y1}L${x2} ${y2}" stroke="currentColor" stroke-opacity=".5"/><path fill="currentColor" d="${
      mark(0, x1, y1)
    }${mark(0, x2, y2)}"/></g>`;
  });
  const scores = Array.from(score);
  const [low, high] = [Math.min(...scores), Math.max(...scores)];
  const bound = (i: number) => Number((low + (high - low) * i / STEPS).toFixed(2));
  const keys = Array.from(
    { length: STEPS },
    (_, i) =>
      `<span><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><path style="color:${
        stepColour(i)
      }" fill="currentColor" d="${mark(0, 5, 5)}"/></svg> ${bound(i)} to ${bound(i + 1)}</span>`,
  );
  return figure(
    title,
    `${counted(count, "pair")} as lines, coloured by their gold score; the two axes hold ${share} of the variance`,
    drawn.join(""),
    `<p class="legend"><span>gold score:</span> ${keys.join(" ")}</p><p>${count} of ${
      counted(first.length, "pair")
    }, a line from text to text: a high score should make it short. The two axes hold ${share} of the variance.</p>`,
  );
}
