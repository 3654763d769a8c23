/**
 * The charts of the report page, as SVG text: curves, scatter plots, histograms.
 *
 * @module
 */
import { counted } from "../counted.ts";
import type { Histogram } from "../numeric/histogram.ts";
import { axes, axisOf, escapeHtml, figure, type Frame, placeIn, type Point, rangeOf } from "./axis.ts";

/** What a chart is called, and what its axes are. */
export interface ChartTitles {
  /** Its heading. */
  readonly title: string;
  /** What is across. */
  readonly across: string;
  /** What is up. */
  readonly up: string;
}

/** Points that belong together, with their name in the legend. */
export interface Series {
  /** Its name. */
  readonly name: string;
  /** Its points. */
  readonly points: readonly Point[];
}

/** Colours of up to four series that are told apart on light and on dark, and dashes for who does not see colours. */
const LINES = [["a", ""], ["b", "6 3"], ["c", "2 3"], ["d", "8 3 2 3"]] as const;

const shortly = (value: number) => Number.isInteger(value) ? `${value}` : value.toPrecision(4);

const key = (names: readonly string[]) =>
  names.length < 2 ? "" : `<p class="legend">${
    names.map((name, i) => {
      const [colour, dash] = LINES[i % LINES.length]!;
      return `<span><svg class="key" viewBox="0 0 24 10" aria-hidden="true"><path d="M0 5H24" fill="none" stroke="var(--${colour})" stroke-width="3" stroke-dasharray="${dash}"/></svg> ${
        escapeHtml(name)
      }</span>`;
    }).join(" ")
  }</p>`;

/** What stands in the place of a chart. */
const inWords = (title: string, text: string) =>
  `<figure><figcaption>${escapeHtml(title)}</figcaption><p>${escapeHtml(text)}</p></figure>`;

/**
 * Curves over steps. Values that are not finite are left out. A single point makes no curve: where no series has more, they
 * are said in words.
 */
export function lineChart(titles: ChartTitles, series: readonly Series[]): string {
  const lines = series.map(({ name, points }) => ({ name, points: points.filter(([, y]) => Number.isFinite(y)) }));
  const [across, up] = [0, 1].map((i) => rangeOf(lines.flatMap(({ points }) => points.map((point) => point[i]!))));
  if (across === undefined || up === undefined) return inWords(titles.title, "no values");
  if (lines.every(({ points }) => points.length < 2)) {
    const told = lines.flatMap(({ name, points }) =>
      points.map(([x, y]) => `${lines.length > 1 ? `${name}: ` : ""}${shortly(y)} at ${titles.across} ${x}`)
    );
    return inWords(titles.title, told.join("; "));
  }
  const frame: Frame = { ...titles, x: axisOf([Math.min(0, across[0]), across[1]], 5, true), y: axisOf(up) };
  const at = placeIn(frame);
  const drawn = lines.map(({ points }, i) => {
    const [colour, dash] = LINES[i % LINES.length]!;
    const dots = points.length > 40 ? [] : points.map((point) => {
      const [cx, cy] = at(point);
      return `<circle r="2.5" cx="${cx}" cy="${cy}" fill="var(--${colour})"><title>${point[0]}: ${
        shortly(point[1])
      }</title></circle>`;
    });
    return `<polyline fill="none" stroke="var(--${colour})" stroke-width="2" stroke-dasharray="${dash}" points="${
      points.map((point) => at(point).join()).join(" ")
    }"/>${dots.join("")}`;
  });
  const told = lines.filter(({ points }) => points.length > 0).map(({ name, points }) =>
    `${name}, from ${shortly(points[0]![1])} at ${points[0]![0]} to ${shortly(points.at(-1)![1])} at ${
      points.at(-1)![0]
    }`
  );
  return figure(titles.title, told.join("; "), axes(frame) + drawn.join(""), key(lines.map(({ name }) => name)));
}

/** Points, on axes that reach as far as they do; `ranges` widens them, for charts that are to be compared. */
export function scatterPlot(
  titles: ChartTitles,
  points: readonly Point[],
  ranges: { readonly x?: readonly [number, number]; readonly y?: readonly [number, number] } = {},
): string {
  const over = (i: 0 | 1, range: readonly [number, number] | undefined) =>
    rangeOf([...points.map((point) => point[i]), ...range ?? []]) ?? [0, 1] as const;
  const frame: Frame = { ...titles, x: axisOf(over(0, ranges.x), 5), y: axisOf(over(1, ranges.y), 5) };
  const at = placeIn(frame);
  const dots = points.filter((point) => point.every(Number.isFinite)).map((point) => {
    const [cx, cy] = at(point);
    return `<circle r="2.2" cx="${cx}" cy="${cy}"/>`;
  });
  const [low, high] = rangeOf(points.map(([, y]) => y)) ?? [NaN, NaN];
  return figure(
    titles.title,
    `${points.length} points, ${titles.up} from ${shortly(low)} to ${shortly(high)}`,
    `${axes(frame)}<g fill="var(--a)" fill-opacity="${points.length > 400 ? ".3" : ".55"}">${dots.join("")}</g>`,
  );
}

/** Histograms over each other, each as a share of its own values, as steps: how distributions differ. */
export function histogramChart(
  titles: ChartTitles,
  groups: readonly { readonly name: string; readonly histogram: Histogram }[],
): string {
  const shown = groups.filter(({ histogram }) => histogram.counts.some((count) => count > 0));
  const ends = rangeOf(shown.flatMap(({ histogram: { low, high } }) => [low, high]));
  if (ends === undefined) return inWords(titles.title, "no values");
  const shares = shown.map(({ name, histogram }) => {
    const all = histogram.counts.reduce((sum, count) => sum + count, 0);
    return { name, histogram, all, shares: histogram.counts.map((count) => 100 * count / all) };
  });
  const top = Math.max(...shares.flatMap(({ shares }) => shares));
  const frame: Frame = { ...titles, x: axisOf(ends, 5), y: axisOf([0, top]) };
  const at = placeIn(frame);
  const drawn = shares.map(({ histogram: { low, high, counts }, shares }, i) => {
    const [colour, dash] = LINES[i % LINES.length]!;
    const edge = (bin: number) => low + (high - low || 1) * bin / counts.length;
    const outline = shares.flatMap((share, bin) => [at([edge(bin), share]), at([edge(bin + 1), share])]);
    const [[first, floor], [last]] = [at([edge(0), 0]), at([edge(counts.length), 0])];
    return `<path fill="var(--${colour})" fill-opacity=".18" stroke="var(--${colour})" stroke-width="1.6" stroke-dasharray="${dash}" d="M${first} ${floor}L${
      outline.map((point) => point.join(" ")).join("L")
    }L${last} ${floor}"/>`;
  });
  const told = shares.map(({ name, all, histogram, shares }) => {
    const most = shares.indexOf(Math.max(...shares));
    const middle = histogram.low + (histogram.high - histogram.low) * (most + 0.5) / shares.length;
    return `${name}, ${counted(all, "value")}, most of them near ${shortly(middle)}`;
  });
  return figure(titles.title, told.join("; "), axes(frame) + drawn.join(""), key(shown.map(({ name }) => name)));
}
