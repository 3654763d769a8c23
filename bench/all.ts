/**
 * Kindred beside other libraries: each work by both sides in turn, in processes of their own, and the ratio within each run;
 * the median of the ratios stands in bench/RESULTS.md.
 *
 *     deno run -A bench/all.ts --model MINILM --python PYTHON [--python-int8 PYTHON] [--only GROUP,…|NAME] [--runs 3] [--write]
 *
 * PYTHON has sentence-transformers 6; the other one, for OpenVINO and onnxruntime in int8, has what
 * `pip install "sentence-transformers[onnx,openvino]==5.7.*" "datasets<5" "huggingface-hub<1"` installs. Groups
 * and names are those of `rows.ts`. `--scale .02` makes everything small, to see whether it runs. What cannot be measured on a
 * machine stays open.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { SOURCES, sourcesOf } from "./inputs.ts";
import { line, type Measured, median, processor, say } from "./measure.ts";
import { type ResultTable, wantedRows, writeRows } from "./results.ts";
import { type Row, ROWS } from "./rows.ts";
import { runOne, type Side } from "./sides.ts";

const { values } = parseArgs({
  options: {
    ...SOURCES,
    only: { type: "string", default: "" },
    runs: { type: "string", default: "3" },
    write: { type: "boolean", default: false },
  },
});
const sources = sourcesOf(values);

/** How busy the machine was before. */
const load = Deno.loadavg()[0]!.toFixed(1);
const keyOf = (side: Side) => JSON.stringify(side);

/** All sides of a group in turn, so many times; of a side that fails, why. */
async function measureGroup(rows: readonly Row[]): Promise<ReadonlyMap<string, readonly Measured[] | string>> {
  const sides = new Map(rows.flatMap(({ ours, theirs }) => [ours, theirs]).map((side) => [keyOf(side), side]));
  const found = new Map<string, Measured[] | string>();
  for (let run = 0; run < Number(values.runs); run++) {
    for (const [key, side] of sides) {
      const before = found.get(key) ?? [];
      if (typeof before === "string") continue;
      const mine = rows.filter(({ theirs }) => keyOf(theirs) === key).map(({ ours }) => found.get(keyOf(ours)));
      if (mine.length > 0 && mine.every((measured) => typeof measured === "string")) {
        found.set(key, "there is nothing of ours to set beside it");
        continue;
      }
      try {
        const measured = await runOne(sources, side);
        found.set(key, [...before, measured]);
        say(`  ${measured.by}: ${side.work} ${JSON.stringify(measured)}`);
      } catch (error) {
        found.set(key, (error as Error).message);
        Deno.exitCode = 1;
        say(`  ${side.by} ${side.work} ${JSON.stringify(side.flags)}: ${(error as Error).message}`);
      }
    }
  }
  return found;
}

const MEASURES: Readonly<Record<Row["measure"], readonly [value: (side: Measured) => number, unit: string]>> = {
  rate: [({ rate }) => rate!, "/s"],
  "to first step": [({ to_first_step }) => to_first_step!, " s"],
  start: [({ first_step_seconds }) => first_step_seconds!, " s"],
  memory: [({ peak_bytes }) => peak_bytes / 2 ** 20, " MiB"],
};
const digits = (x: number) => x.toFixed(x < 100 ? 2 : 0);

/** The cells of a row, or undefined if a side could not be measured. */
function cellsOf({ name, measure, goal, ours, theirs }: Row, found: ReadonlyMap<string, readonly Measured[] | string>) {
  const [mine, other] = [found.get(keyOf(ours))!, found.get(keyOf(theirs))!];
  if (typeof mine === "string" || typeof other === "string") return undefined;
  const [value, unit] = MEASURES[measure];
  const ratios = mine.map((side, run) => {
    const ratio = value(side) / value(other[run]!);
    return measure === "rate" || measure === "memory" ? ratio : 1 / ratio;
  });
  const [a, b] = [mine[0]!.check, other[0]!.check];
  const isInt8 = ours.flags["precision"] === "int8";
  if (a !== undefined && b !== undefined && !isInt8 && Math.abs(a - b) > 1e-3 * Math.abs(a)) {
    say(`  ${name}: the sides differ in what they give: ${a} and ${b}`);
  }
  const middle = median(ratios);
  const isMet = measure === "memory" ? middle <= goal : middle >= goal;
  return [
    name,
    `${digits(median(mine.map(value)))}${unit}`,
    `${digits(median(other.map(value)))}${unit}`,
    digits(middle),
    ratios.length === 1 ? "–" : `${digits(Math.min(...ratios))} … ${digits(Math.max(...ratios))}`,
    `${measure === "memory" ? "≤" : "≥"} ${goal}${isMet ? "" : ", missed"}`,
    `${mine[0]!.by}; ${other[0]!.by}`,
    `${new Date().toISOString().slice(0, 10)}, load ${load}`,
  ];
}

const table: ResultTable = {
  title: `Beside other libraries: ${await processor()}`,
  story:
    `\`deno run -A bench/all.ts --model MINILM --python PYTHON --python-int8 PYTHON --write\`: both sides in turn in \
processes of their own, ratios within a run; medians of three runs where the least and the most stand beside them, else one \
run. Rates are of samples, texts or rows, tokens included; their side runs in its fastest batch where a work has one to choose.`,
  columns: ["work", "Kindred", "theirs", "ratio", "least … most", "goal", "by", "measured"],
  names: ROWS.map(({ name }) => name),
};
say(`${table.title}; load ${load}`);
const rows = wantedRows(values.only, ROWS);
for (const group of new Set(rows.map(({ group }) => group))) {
  const part = rows.filter((row) => row.group === group);
  say(group);
  const found = await measureGroup(part);
  const lines = part.map((row) => [row.name, cellsOf(row, found)] as const);
  for (const [name, cells] of lines) say(line(cells ?? [name, "open"]));
  if (values.write && sources.scale === 1) await writeRows(table, lines);
}
