/**
 * Progress as events: a bar, plain lines, a log and the report read the same ones.
 *
 * @module
 */
import * as Context from "effect/Context";
import * as Effect from "effect/Effect";
import * as Layer from "effect/Layer";
import { counted } from "../counted.ts";
import { columnText } from "../data/column_mapping.ts";
import type { StepProgress } from "../train/trainer.ts";

/** Something that happens while stages run. */
export type ProgressEvent =
  /** A stage begins to work; one that comes from the cache does not. `part` is what it plays: control, before, … */
  | { readonly _tag: "stage"; readonly stage: string; readonly part?: string | undefined }
  /** A stage has done its work, or failed. */
  | { readonly _tag: "done"; readonly stage: string; readonly part?: string | undefined }
  /** Within a stage something begins that takes its time: training, evaluating, … */
  | { readonly _tag: "phase"; readonly name: string }
  /** A training step is done. */
  | { readonly _tag: "step" } & StepProgress
  /** So many of what a phase works through are done: texts, pairs, bytes, … `total` where it is known. */
  | { readonly _tag: "count"; readonly done: number; readonly total?: number | undefined; readonly unit: string }
  /** A checkpoint was written: a run that is cut off now goes on from here. */
  | { readonly _tag: "saved"; readonly step: number; readonly totalSteps: number }
  /** Columns of a file were read as columns of ours, by our names; `of`: how many the file has. */
  | ({ readonly _tag: "columns" } & ReadColumns)
  /** Worth a line. */
  | { readonly _tag: "note"; readonly text: string }
  /** Worth a line in the report as well. */
  | { readonly _tag: "warning"; readonly text: string }
  /** Nothing goes on until something else does: another process holds what is needed. */
  | { readonly _tag: "waiting"; readonly text: string };

/** Which columns of a file are used, and for what. */
export interface ReadColumns {
  /** The file, folder or dataset, as it was named. */
  readonly source: string;
  /** Its columns by our names. */
  readonly columns: Readonly<Record<string, string>>;
  /** How many columns it has. */
  readonly of: number;
}

/**
 * Columns in words.
 *
 * @param read Which columns of a file are used.
 * @returns Such as `anchor = question, positive = "answer, long" (of 5 columns)`.
 */
export function columnsInWords(read: Pick<ReadColumns, "columns" | "of">): string {
  const { columns, of } = read;
  const used = Object.entries(columns).map(([ours, theirs]) => `${ours} = ${columnText(theirs)}`).join(", ");
  return `${used || "none of its columns"} (of ${counted(of, "column")})`;
}

/** Where events go. */
export interface ProgressShape {
  /** Takes an event, at once: what is slow to show must not slow down what it is about. */
  readonly emit: (event: ProgressEvent) => void;
}

const ProgressBase: Context.ServiceClass<Progress, "kindred/Progress", ProgressShape> = Context.Service<
  Progress,
  ProgressShape
>()("kindred/Progress");

/** The service for progress. */
export class Progress extends ProgressBase {
  /** Progress that nobody watches. */
  static readonly layerSilent: Layer.Layer<Progress> = Layer.succeed(ProgressBase, { emit() {} });

  /**
   * Progress that these take.
   *
   * @param listeners Each is given every event.
   * @returns The layer.
   */
  static layer(...listeners: readonly ((event: ProgressEvent) => unknown)[]): Layer.Layer<Progress> {
    return Layer.succeed(Progress, progressTo(...listeners));
  }
}

/** Progress that nobody watches. */
export const silentProgress: ProgressShape = { emit() {} };

/**
 * Gives every event to each of these.
 *
 * @param listeners Each is called with every event.
 * @returns To be provided as `Progress`.
 */
export function progressTo(...listeners: readonly ((event: ProgressEvent) => unknown)[]): ProgressShape {
  return { emit: (event) => listeners.forEach((listen) => listen(event)) };
}

/** Emits an event. */
export const emit = (event: ProgressEvent): Effect.Effect<void, never, Progress> =>
  Effect.map(Progress, (progress) => progress.emit(event));

/**
 * Says what a stage is about to do.
 *
 * @param name What is about to be done, as "training".
 * @returns An effect that reports it.
 */
export const phase = (name: string): Effect.Effect<void, never, Progress> => emit({ _tag: "phase", name });

/**
 * Says something worth a line.
 *
 * @param text One line.
 * @returns An effect that reports it.
 */
export const note = (text: string): Effect.Effect<void, never, Progress> => emit({ _tag: "note", text });
