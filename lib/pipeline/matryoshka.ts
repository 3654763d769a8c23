/**
 * Matryoshka on the command line: at which lengths the first numbers of an embedding shall do, and what they are worth there
 * before and after training, as a table and as a plot.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import { embeddingWidth } from "../checkpoint/modules.ts";
import { readFolder } from "../checkpoint/sentence_transformers.ts";
import { type KindredError, UsageError } from "../error.ts";
import { matryoshka, type MatryoshkaOptions } from "../loss/matryoshka.ts";
import { multipleNegativesRanking } from "../loss/multiple_negatives_ranking.ts";
import type { CutMetrics, ModelFolder } from "../stage/artifact.ts";
import { type Artifact, valueOf } from "../stage/stage.ts";
import type { Metrics } from "../train/record.ts";
import { lineChart } from "./charts.ts";
import { type FlagValues, MATRYOSHKA } from "./flags.ts";
import { numberList, optional } from "./settings.ts";
import type { ReportTable } from "./table_lines.ts";

/** What so many first numbers of embeddings are worth. */
export interface DimensionReport {
  /** How many. */
  readonly dimensions: number;
  /** Before training. */
  readonly before: Metrics;
  /** After it. */
  readonly metrics: Metrics;
}

/** What `--matryoshka` says, checked with the model that is trained; undefined without the flag. */
export const matryoshkaOf: (
  values: FlagValues,
  model: Artifact<ModelFolder>,
) => Effect.Effect<MatryoshkaOptions | undefined, KindredError> = Effect.fnUntraced(function* (values, model) {
  const { folder } = yield* valueOf(model);
  return yield* attempt(async () => {
    const dimensions = numberList(values, "matryoshka");
    const weights = numberList(values, "matryoshka-weights");
    if (dimensions === undefined) {
      const idle = MATRYOSHKA.find((flag) => values[flag] !== undefined);
      if (idle === undefined) return undefined;
      throw new UsageError(`--${idle} is for lengths of embeddings, and none are given`, {
        hint: "--matryoshka 384,192,96 names some",
      });
    }
    const options = {
      dimensions,
      ...(weights !== undefined && { weights }),
      ...(values["matryoshka-per-step"] !== undefined && {
        dimensionsPerStep: optional(values, "matryoshka-per-step")!,
      }),
    };
    matryoshka(multipleNegativesRanking(), options); // refuses what no loss can use
    const width = embeddingWidth((await readFolder(folder)).modules);
    const wrong = options.dimensions.find((d, i) => d > width || options.dimensions.indexOf(d) < i);
    if (wrong !== undefined) {
      throw new UsageError("--matryoshka names a length that the embeddings have not, or one twice", {
        expected: `each once, at most ${width}`,
        found: `${wrong}`,
      });
    }
    return options;
  });
});

/** The same lengths before and after, side by side; undefined where none were measured. */
export function dimensionReports(
  before: { readonly cut?: readonly CutMetrics[] | undefined } | undefined,
  after: { readonly cut?: readonly CutMetrics[] | undefined } | undefined,
): readonly DimensionReport[] | undefined {
  return after?.cut?.map(({ dimensions, metrics }) => ({
    dimensions,
    before: before?.cut?.find((one) => one.dimensions === dimensions)?.metrics ?? {},
    metrics,
  }));
}

/** What each length is worth by one metric, in a table. */
export function dimensionTable(metric: string, reports: readonly DimensionReport[]): ReportTable {
  return {
    title: `Embeddings cut to their first numbers: ${metric}`,
    columns: ["numbers", "before", "after", "change"],
    rows: reports.map(({ dimensions, before, metrics }) => {
      const [was, is] = [before[metric] ?? null, metrics[metric] ?? null];
      return [`${dimensions}`, was, is, was === null || is === null ? null : is - was];
    }),
  };
}

/** The same as curves, from the shortest to the longest. */
export function dimensionChart(metric: string, reports: readonly DimensionReport[]): string {
  const sorted = reports.toSorted((a, b) => a.dimensions - b.dimensions);
  const curve = (name: string, of: (report: DimensionReport) => Metrics) => ({
    name,
    points: sorted.map((report) => [report.dimensions, of(report)[metric] ?? NaN] as const),
  });
  return lineChart({ title: `${metric} by length`, across: "first numbers of an embedding", up: metric }, [
    curve("before", ({ before }) => before),
    curve("after", ({ metrics }) => metrics),
  ]);
}

/** What a model's card says of it. */
export const dimensionFacts = ({ dimensions }: MatryoshkaOptions): string =>
  `${dimensions.join(", ")} numbers (Matryoshka, Kusupati et al. 2022, arXiv 2205.13147)`;
