/**
 * `--profile`: what the kernels of the engine did, how near they came to what the machine can, and what a device beside
 * the process was asked for.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { attempt } from "../attempt.ts";
import { counted } from "../counted.ts";
import type { DeviceWork, KernelTime } from "../engine/engine.ts";
import { measureRoofline, type Roofline } from "../engine/roofline.ts";
import type { KindredError } from "../error.ts";
import { TensorEngine } from "../stage/engine.ts";
import { note, type Progress } from "../stage/progress.ts";
import type { FlagValues } from "./flags.ts";
import { type ReportTable, tableLines } from "./table_lines.ts";

const TIMES = "where the time of the kernels went";
/** Of a device without a clock. */
const CALLS = "how often the kernels ran";
/** Characters of a kernel's name that a line has room for. */
const NAME = 40;

/** The tables of a run that was asked for them; none where nothing was computed. */
export const profileTables: (
  values: FlagValues,
) => Effect.Effect<readonly ReportTable[], KindredError, TensorEngine> = Effect.fnUntraced(function* (values) {
  if (values["profile"] !== true) return [];
  const engine = yield* (yield* TensorEngine).open;
  const { work } = engine;
  const times = engine.times?.() ?? [];
  if (times.length === 0) return [];
  if (work !== undefined) return [deviceTable(times), workTable(work)];
  return [profileTable(times, yield* attempt(() => measureRoofline(engine)))];
});

/** Says it, where there is no report that shows it. */
export const tellProfile: (
  values: FlagValues,
) => Effect.Effect<void, KindredError, TensorEngine | Progress> = Effect.fnUntraced(function* (values) {
  if (values["profile"] !== true) return;
  const tables = yield* profileTables(values);
  const nothing = "--profile: nothing was computed: it was in the cache (--no-cache), or the engine keeps no count";
  yield* note(tables.length === 0 ? nothing : tables.flatMap(tableLines).join("\n"));
});

/** Whether a report shows it already. */
export const isProfiled = (report: unknown): boolean =>
  (report as { readonly tables?: readonly ReportTable[] } | undefined)?.tables?.some(({ title }) =>
    title === TIMES || title === CALLS
  ) === true;

/** Kernels by their time, with what they reached of the roof above them. */
export function profileTable(times: readonly KernelTime[], roof: Roofline): ReportTable {
  const share = sharesOf(times);
  const rows = times.map(({ kernel, calls, seconds = 0, operations, bytes }) => {
    const [work, most, unit] = operations > 0 ? [operations, roof.operations, "GFLOP/s"] : [bytes, roof.bytes, "GB/s"];
    const speed = work / seconds;
    return [
      kernel,
      calls,
      seconds.toFixed(3),
      share(seconds),
      work === 0 ? "" : `${(speed / 1e9).toFixed(1)} ${unit}`,
      work === 0 ? "" : `${(100 * speed / most).toFixed(0)} %`,
    ];
  });
  return { title: TIMES, columns: ["kernel", "calls", "seconds", "share", "speed", "of the roof"], rows };
}

/** Kernels of a device by their time; by their calls, where it has no clock. */
export function deviceTable(times: readonly KernelTime[]): ReportTable {
  const named = (kernel: string) => kernel.length > NAME ? `${kernel.slice(0, NAME - 1)}…` : kernel;
  if (times[0]?.seconds === undefined) {
    return {
      title: CALLS,
      columns: ["kernel", "calls"],
      rows: times.map(({ kernel, calls }) => [named(kernel), calls]),
    };
  }
  const share = sharesOf(times);
  const rows = times.map(({ kernel, calls, seconds = 0, operations }) => [
    named(kernel),
    calls,
    seconds.toFixed(3),
    share(seconds),
    operations === 0 ? "" : (operations / seconds / 1e9).toFixed(1),
  ]);
  return { title: TIMES, columns: ["kernel", "calls", "seconds", "share", "GFLOP/s"], rows };
}

function sharesOf(times: readonly KernelTime[]): (seconds: number) => string {
  const total = times.reduce((sum, { seconds = 0 }) => sum + seconds, 0);
  return (seconds) => `${(100 * seconds / total).toFixed(1)} %`;
}

/** What a device was asked for, in all and by each step of a training. */
export function workTable({ steps, ...all }: DeviceWork): ReportTable {
  const each = (value: number) => steps.count === 0 ? [] : [(value / steps.count).toFixed(2)];
  const rows = ([["kernels", "dispatches", 1], ["submissions", "submits", 1], ["KiB written", "uploaded", 1024], [
    "waits for values",
    "reads",
    1,
  ]] as const).map(([name, kind, unit]) => [name, Math.round(all[kind] / unit), ...each(steps[kind] / unit)]);
  return {
    title: "what the device was asked for",
    columns: ["", "in all", ...(steps.count === 0 ? [] : [`each of ${counted(steps.count, "step")}`])],
    rows,
  };
}
