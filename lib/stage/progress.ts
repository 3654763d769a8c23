/**
 * Progress on standard error: a bar on a terminal, a line now and then elsewhere.
 *
 * @module
 */
import { Context } from "effect";
import type { StepProgress } from "../train/trainer.ts";

/** Where progress goes. */
export interface Progress {
  /** A stage begins, or something is worth a line. */
  readonly note: (text: string) => void;
  /** A training step is done. */
  readonly step: (progress: StepProgress) => void;
}

/** The service for progress. */
export const Progress: Context.Service<Progress, Progress> = Context.Service<Progress>("kindred/Progress");

/** Progress to standard error, or none. */
export function makeProgress(quiet: boolean): Progress {
  if (quiet) return { note() {}, step() {} };
  const terminal = Deno.stderr.isTerminal();
  const write = (text: string) => void Deno.stderr.writeSync(new TextEncoder().encode(text));
  let last = performance.now();
  const started = performance.now();
  return {
    note: (text) => write(`${text}\n`),
    step({ step, totalSteps, loss, learningRate, tokensPerSecond }) {
      const now = performance.now();
      if (now - last < (terminal ? 100 : 10_000) && step !== totalSteps) return;
      last = now;
      const rest = Math.round((now - started) / step * (totalSteps - step) / 1000);
      const line = `step ${step}/${totalSteps}  loss ${loss.toFixed(4)}  lr ${learningRate.toExponential(2)}  ${
        Math.round(tokensPerSecond)
      } tokens/s  ${rest} s left`;
      if (!terminal) return write(`${line}\n`);
      const done = Math.round(20 * step / totalSteps);
      write(`\r\x1b[2K[${"█".repeat(done)}${"·".repeat(20 - done)}] ${line}${step === totalSteps ? "\n" : ""}`);
    },
  };
}
