/**
 * The frame of a chart: axes with round numbers, titles, and a description for who cannot see it.
 *
 * @module
 */

/** A point [x, y]. */
export type Point = readonly [number, number];

/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Smallest and largest of the finite values; undefined if there are none. */
export function rangeOf(values: Iterable<number>): readonly [low: number, high: number] | undefined {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low <= high ? [low, high] : undefined;
}

/** Maps the range of the values to [0, 1]. */
export function scaleOf(values: Iterable<number>): (value: number) => number {
  const [low, high] = rangeOf(values) ?? [0, 0];
  return (value) => high > low ? (value - low) / (high - low) : 0.5;
}

/** An axis: what it covers, and the values that are written beside it. */
export interface Axis {
  /** Its lower end. */
  readonly low: number;
  /** Its upper end. */
  readonly high: number;
  /** Round numbers from one end to the other. */
  readonly ticks: readonly number[];
}

/** An axis over a range, with about so many steps of 1, 2 or 5 times a power of ten; `whole`: of whole numbers. */
export function axisOf(range: readonly [number, number], steps = 4, whole = false): Axis {
  let [low, high] = range;
  if (low === high) {
    [low, high] = whole ? [low, low + 1] : [low - (Math.abs(low) / 2 || 0.5), high + (Math.abs(high) / 2 || 0.5)];
  }
  const rough = (high - low) / steps;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(whole ? 1 : 0, power * [1, 2, 5, 10].find((times) => power * times >= rough * (1 - 1e-9))!);
  const [from, to] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const ticks = Array.from(
    { length: to - from + 1 },
    (_, i) => Number(((from + i) * step).toFixed(Math.min(20, digits))),
  );
  return { low: ticks[0]!, high: ticks.at(-1)!, ticks };
}

/** A number beside an axis. */
export function tickText(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential().replace("e+", "e");
  return `${value}`.replace("-", "−");
}

/**
 * Width and height of a chart in its own units; the page scales it. They are about the pixels that a phone gives it, so that
 * what is written in it is as large there as it says.
 */
export const SIZE = { width: 336, height: 232 } as const;
/** Of a letter of the numbers beside an axis, at most. */
const LETTER = 8;
const LEFT = 62;
const RIGHT = 24;
const TOP = 12;
const BOTTOM = 46;

/** Two axes and what they are called. */
export interface Frame {
  /** Across. */
  readonly x: Axis;
  /** Up. */
  readonly y: Axis;
  /** What is across. */
  readonly across: string;
  /** What is up. */
  readonly up: string;
}

/** Where a point lies in the chart. */
export function placeIn({ x, y }: Frame): (point: Point) => readonly [number, number] {
  const width = SIZE.width - LEFT - RIGHT;
  const height = SIZE.height - TOP - BOTTOM;
  const round = (value: number) => Math.round(10 * value) / 10;
  return ([a, b]) => [
    round(LEFT + width * (a - x.low) / (x.high - x.low)),
    round(TOP + height * (1 - (b - y.low) / (y.high - y.low))),
  ];
}

/** Every second or third tick, where all of them would run into each other. */
function sparse(ticks: readonly number[], most: number): readonly number[] {
  const every = Math.ceil(ticks.length / most);
  return ticks.filter((_, i) => i % every === 0);
}

/** Lines, numbers and titles of two axes. */
export function axes(frame: Frame): string {
  const at = placeIn(frame);
  const { x, y, across, up } = frame;
  const [[left, bottom], [right, top]] = [at([x.low, y.low]), at([x.high, y.high])];
  const longest = Math.max(...x.ticks.map((tick) => tickText(tick).length));
  const lines = sparse(y.ticks, 7).map((tick) => {
    const [, height] = at([x.low, tick]);
    return `<path class="grid" d="M${left} ${height}H${right}"/><text x="${left - 6}" y="${
      height + 4
    }" text-anchor="end">${tickText(tick)}</text>`;
  });
  const most = 1 + Math.floor((right - left) / (LETTER * (longest + 1)));
  const marks = sparse(x.ticks, most).map((tick) => {
    const [place] = at([tick, y.low]);
    return `<path class="axis" d="M${place} ${bottom}v4"/><text x="${place}" y="${bottom + 18}" text-anchor="middle">${
      tickText(tick)
    }</text>`;
  });
  const middle = (top + bottom) / 2;
  return `<g>${lines.join("")}${marks.join("")}<path class="axis" d="M${left} ${top}V${bottom}H${right}"/><text x="${
    (left + right) / 2
  }" y="${SIZE.height - 6}" text-anchor="middle">${
    escapeHtml(across)
  }</text><text transform="translate(11 ${middle}) rotate(-90)" text-anchor="middle">${escapeHtml(up)}</text></g>`;
}

/** A drawing with its heading, and what it shows in words. */
export function figure(title: string, description: string, body: string, legend = ""): string {
  return `<figure><figcaption>${
    escapeHtml(title)
  }</figcaption><svg viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${
    escapeHtml(`${title}: ${description}`)
  }">${body}</svg>${legend}</figure>`;
}
