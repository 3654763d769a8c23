/**
 * `--profile`: what the kernels of the engine did, and how near they came to what the machine can.
 *
 * @module
 */
import { Effect } from "effect";
import { attempt } from "../attempt.ts";
import type { KernelTime } from "../engine/engine.ts";
import { measureRoofline, type Roofline } from "../engine/roofline.ts";
import type { KindredError } from "../error.ts";
import { TensorEngine } from "../stage/engine.ts";
import { note, type Progress } from "../stage/progress.ts";
import type { FlagValues } from "./flags.ts";
import { type ReportTable, tableLines } from "./table_lines.ts";

const TITLE = "where the time of the kernels went";

/** The table of a run that was asked for it; none where nothing was computed. */
export const profileTables: (
  values: FlagValues,
) => Effect.Effect<readonly ReportTable[], KindredError, TensorEngine> = Effect.fnUntraced(function* (values) {
  if (values["profile"] !== true) return [];
  const engine = yield* (yield* TensorEngine).open;
  const times = engine.times?.() ?? [];
  return times.length === 0 ? [] : [profileTable(times, yield* attempt(() => measureRoofline(engine)))];
});

/** Says it, where there is no report that shows it. */
export const tellProfile: (
  values: FlagValues,
) => Effect.Effect<void, KindredError, TensorEngine | Progress> = Effect.fnUntraced(function* (values) {
  if (values["profile"] !== true) return;
  const tables = yield* profileTables(values);
  const nothing = "--profile: nothing was computed, or not by the cpu engine";
  yield* note(tables.length === 0 ? nothing : tables.flatMap(tableLines).join("\n"));
});

/** Whether a report shows it already. */
export const isProfiled = (report: unknown): boolean =>
  (report as { readonly tables?: readonly ReportTable[] } | undefined)?.tables?.some(({ title }) => title === TITLE) ===
    true;

/** Kernels by their time, with what they reached of the roof above them. */
export function profileTable(times: readonly KernelTime[], roof: Roofline): ReportTable {
  const total = times.reduce((sum, { seconds }) => sum + seconds, 0);
  const rows = times.map(({ kernel, calls, seconds, operations, bytes }) => {
    const [work, most, unit] = operations > 0 ? [operations, roof.operations, "GFLOP/s"] : [bytes, roof.bytes, "GB/s"];
    const speed = work / seconds;
    return [
      kernel,
      calls,
      seconds.toFixed(3),
      `${(100 * seconds / total).toFixed(1)} %`,
      work === 0 ? "" : `${(speed / 1e9).toFixed(1)} ${unit}`,
      work === 0 ? "" : `${(100 * speed / most).toFixed(0)} %`,
    ];
  });
  return { title: TITLE, columns: ["kernel", "calls", "seconds", "share", "speed", "of the roof"], rows };
}
