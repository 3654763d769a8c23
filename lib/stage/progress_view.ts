/**
 * Progress on standard error: a bar that fits the terminal, or plain lines now and then where there is none.
 *
 * @module
 */
import { columnsInWords, type ProgressEvent, type ProgressShape, progressTo } from "./progress.ts";

/** Where progress is shown, and how wide that is. */
export interface ProgressScreen {
  /** Writes text as it is. */
  readonly write: (text: string) => void;
  /** Columns of a terminal, asked anew for every line; undefined: no terminal. */
  readonly columns: () => number | undefined;
  /** Milliseconds, from any zero. */
  readonly now: () => number;
}

/** Standard error. */
export function standardError(): ProgressScreen {
  const terminal = Deno.stderr.isTerminal();
  return {
    write: (text) => void Deno.stderr.writeSync(new TextEncoder().encode(text)),
    columns: () => terminal ? columnsOfTerminal() : undefined,
    now: () => performance.now(),
  };
}

/** Some terminals that tell no size have this one. */
const USUAL = 80;

/** How wide the terminal is. */
export function columnsOfTerminal(): number {
  try {
    return Deno.consoleSize().columns || USUAL;
  } catch {
    return USUAL;
  }
}

/** Milliseconds between two states of a bar. */
const BAR_EVERY = 100;
/** And between two plain lines. */
const LINE_EVERY = 10_000;

/** Progress to standard error; when quiet, warnings alone. */
export function makeProgress(quiet: boolean, screen: ProgressScreen = standardError()): ProgressShape {
  if (quiet) {
    return progressTo((event) => event._tag === "warning" && screen.write(`warning: ${event.text}\n`));
  }
  let part: string | undefined;
  let label = "";
  let started = screen.now();
  let shown = -Infinity;
  /** The first state of a phase, from which its speed is measured: a resumed training does not begin at 0. */
  let first: { readonly done: number; readonly at: number } | undefined;
  let open = false; // whether a bar stands in the last line

  const line = (text: string) => {
    screen.write(`${open ? "\r\x1b[2K" : ""}${text}\n`);
    open = false;
  };
  const begin = (name: string) => {
    label = part === undefined ? name : `${name}: ${part}`;
    started = screen.now();
    first = undefined;
    shown = screen.columns() === undefined ? started : -Infinity;
  };
  const advance = (done: number, total: number | undefined, details: readonly string[]) => {
    const now = screen.now();
    const columns = screen.columns();
    first ??= { done: done - 1, at: started };
    const last = done === total;
    if (!last && now - shown < (columns === undefined ? LINE_EVERY : BAR_EVERY)) return;
    shown = now;
    const rest = total === undefined || last
      ? undefined
      : (now - first.at) / Math.max(1, done - first.done) * (total - done) / 1000;
    const times = last ? [duration((now - started) / 1000)] : rest === undefined ? [] : [`${duration(rest)} left`];
    if (columns === undefined) return line([label, ratio(done, total), ...times, ...details].join("  "));
    screen.write(`\r\x1b[2K${bar(label, done, total, [...times, ...details], columns - 1)}`);
    open = true;
    if (last) {
      screen.write("\n");
      open = false;
    }
  };

  const emit = (event: ProgressEvent): void => {
    switch (event._tag) {
      case "stage":
        part = event.part;
        return;
      case "done":
        part = undefined;
        return;
      case "phase":
        begin(event.name);
        return line(label);
      case "step": {
        const { step, totalSteps, loss, learningRate, tokensPerSecond } = event;
        return advance(step, totalSteps, [
          `loss ${loss.toFixed(4)}`,
          `lr ${learningRate.toExponential(2)}`,
          `${Math.round(tokensPerSecond)} tokens/s`,
        ]);
      }
      case "count":
        return advance(event.done, event.total, [event.unit]);
      case "saved":
        return;
      case "columns":
        return line(`${event.source}: ${columnsInWords(event)}`);
      case "note":
        return line(event.text);
      case "warning":
        return line(`warning: ${event.text}`);
      case "waiting":
        return line(`waiting: ${event.text}`);
    }
  };
  return { emit };
}

const ratio = (done: number, total: number | undefined) => total === undefined ? `${done}` : `${done}/${total}`;

/** Narrower bars say nothing. */
const NARROWEST = 6;
const WIDEST = 24;

/** One line of at most so many columns: what does not fit is left out from the right, then the bar shrinks and goes. */
function bar(
  label: string,
  done: number,
  total: number | undefined,
  details: readonly string[],
  columns: number,
): string {
  const count = ratio(done, total);
  const kept = [...details];
  const length = () => [label, count, ...kept].join("  ").length;
  while (kept.length > 0 && length() + 2 + NARROWEST > columns) kept.pop();
  const words = (name: string) => [name, count, ...kept].filter((word) => word !== "").join("  ");
  const room = Math.min(WIDEST, columns - length() - 2);
  if (total === undefined || room < NARROWEST) {
    const spare = columns - count.length - 2;
    return words(label.length > spare ? label.slice(0, Math.max(0, spare)) : label).slice(0, Math.max(0, columns));
  }
  const full = Math.round(room * Math.min(1, done / total));
  return `${label}  ${"█".repeat(full)}${"·".repeat(room - full)}  ${[count, ...kept].join("  ")}`;
}

/** 47 s, 3:05, 1:02:09 */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => `${value}`.padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
