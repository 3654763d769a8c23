/**
 * The charts of the report page, as SVG text.
 *
 * @module
 */

/** A point [x, y]. */
export type Point = readonly [number, number];

/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

/** Maps the range of the values to [0, 1]. */
export function scaleOf(values: Iterable<number>): (value: number) => number {
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return (value) => high > low ? (value - low) / (high - low) : 0.5;
}

/** A curve. */
export function lineChart(points: readonly Point[]): string {
  if (points.length === 0) return "<p>no values</p>";
  const ys = points.map(([, y]) => y);
  const [x, y] = [scaleOf(points.map(([x]) => x)), scaleOf(ys)];
  const at = ([a, b]: Point) => [(40 + 340 * x(a)).toFixed(1), (150 - 130 * y(b)).toFixed(1)] as const;
  const dots = points.length < 40
    ? points.map(([a, b]) => {
      const [cx, cy] = at([a, b]);
      return `<circle r="2.5" fill="var(--a)" cx="${cx}" cy="${cy}"><title>${a}: ${b.toPrecision(4)}</title></circle>`;
    })
    : [];
  return `<svg viewBox="0 0 400 180" role="img"><g fill="var(--soft)" font-size="11"><text x="2" y="24">${
    Math.max(...ys).toPrecision(3)
  }</text><text x="2" y="154">${Math.min(...ys).toPrecision(3)}</text><text x="40" y="174">${
    points[0]![0]
  }</text><text x="380" y="174" text-anchor="end">${
    points.at(-1)![0]
  }</text></g><path d="M40 155H385M40 155V15" stroke="var(--line)" fill="none"/><polyline fill="none" stroke="var(--a)" stroke-width="2" points="${
    points.map((point) => at(point).join()).join(" ")
  }"/>${dots.join("")}</svg>`;
}

/** Points over [0, 1] × [0, 1], with names of the axes. */
export function scatterPlot(points: readonly Point[], across: string): string {
  const dots = points.map(([x, y]) =>
    `<circle r="2" cx="${(30 + 340 * x).toFixed(1)}" cy="${(230 - 200 * Math.max(0, Math.min(1, y))).toFixed(1)}"/>`
  );
  return `<svg viewBox="0 0 400 260" role="img"><path d="M30 230H375M30 230V25" stroke="var(--line)" fill="none"/><g fill="var(--a)" fill-opacity=".35">${
    dots.join("")
  }</g><g fill="var(--soft)" font-size="11"><text x="200" y="252" text-anchor="middle">${
    escapeHtml(across)
  }</text><text x="2" y="30">1</text><text x="2" y="234">0</text></g></svg>`;
}

/** A point of a map. */
export interface MapPoint {
  /** Across. */
  readonly x: number;
  /** Up. */
  readonly y: number;
  /** What it is: shown when it is pointed at. */
  readonly text: string;
  /** Which class it belongs to, if there are classes: its colour. */
  readonly group?: number | undefined;
}

/** Colour of a class: hues as far apart as possible, two lightnesses. */
function colourOf(group: number, groups: number): string {
  return `oklch(${group % 2 === 0 ? 0.62 : 0.74} 0.16 ${((group * 360) / Math.max(1, groups)).toFixed(0)})`;
}

/** A map of texts in two dimensions; classes are coloured and named. */
export function mapPlot(points: readonly MapPoint[], groups: readonly string[] = []): string {
  const [x, y] = [scaleOf(points.map((point) => point.x)), scaleOf(points.map((point) => point.y))];
  const dots = points.map((point) => {
    const colour = point.group === undefined ? "var(--a)" : colourOf(point.group, groups.length);
    const [cx, cy] = [(10 + 380 * x(point.x)).toFixed(1), (290 - 280 * y(point.y)).toFixed(1)];
    return `<circle r="2.6" cx="${cx}" cy="${cy}" fill="${colour}"><title>${escapeHtml(point.text)}</title></circle>`;
  });
  const legend = groups.map((name, i) =>
    `<span style="white-space:nowrap"><span style="color:${colourOf(i, groups.length)}">●</span> ${
      escapeHtml(name)
    }</span>`
  ).join(" ");
  return `<svg viewBox="0 0 400 300" role="img"><g fill-opacity=".6">${dots.join("")}</g></svg>${
    legend === "" ? "" : `<p>${legend}</p>`
  }`;
}
