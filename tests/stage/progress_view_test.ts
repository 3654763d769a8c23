import assert from "node:assert/strict";
import { columnsInWords, type ProgressEvent } from "../../lib/stage/progress.ts";
import { duration, makeProgress } from "../../lib/stage/progress_view.ts";

/** What is written for events, each so many milliseconds after the one before. */
function shown(columns: (at: number) => number | undefined, events: readonly (readonly [number, ProgressEvent])[]) {
  let [now, written] = [0, ""];
  const progress = makeProgress(false, {
    write: (text) => void (written += text),
    columns: () => columns(now),
    now: () => now,
  });
  for (const [wait, event] of events) {
    now += wait;
    progress.emit(event);
  }
  return written;
}

const step = (step: number, totalSteps = 100): ProgressEvent => ({
  _tag: "step",
  step,
  totalSteps,
  loss: 1.23456,
  learningRate: 2e-5,
  gradientNorm: 1,
  seconds: 0.1,
  tokensPerSecond: 12345.6,
});

// deno-lint-ignore no-control-regex -- what a terminal is told
const states = (written: string) => written.split(/\r\x1b\[2K|\n/).filter((line) => line !== "");

Deno.test("every state of the bar fits into one line, at any width, and follows the terminal's size", () => {
  for (const columns of [10, 20, 40, 60, 80, 200]) {
    const events = Array.from({ length: 100 }, (_, i) => [200, step(i + 1)] as const);
    const written = shown(() => columns, [
      [0, { _tag: "stage", stage: "train", part: "control-equal-steps" }],
      [0, { _tag: "phase", name: "training" }],
      ...events,
    ]);
    const [heading, ...bars] = states(written);
    assert.equal(heading, "training: control-equal-steps");
    assert.equal(bars.length, 100);
    for (const bar of bars) assert.ok(bar.length < columns, `${bar.length} of ${columns}: ${bar}`);
    assert.ok(columns < 15 || bars.at(-1)!.includes("100/100"), bars.at(-1));
  }
  const wide = shown((at) => at < 500 ? 80 : 40, [[0, { _tag: "phase", name: "training" }], [100, step(1)], [
    900,
    step(50),
  ]]);
  const [, before, after] = states(wide);
  assert.ok(before!.length > 40 && after!.length < 40);
});

Deno.test("the remaining time is that of the phase, from where it began", () => {
  const resumed = states(shown(() => 100, [
    [60_000, { _tag: "phase", name: "training" }],
    [1000, step(51)], // the first of this run
    [1000, step(52)],
  ]));
  assert.match(resumed.at(-1)!, /48 s left/);
});

Deno.test("without a terminal there is a plain line now and then, and none of a terminal's signs", () => {
  const written = shown(() => undefined, [
    [0, { _tag: "phase", name: "training" }],
    ...Array.from({ length: 100 }, (_, i) => [250, step(i + 1)] as const),
    [0, { _tag: "saved", step: 100, totalSteps: 100 }],
    [0, { _tag: "warning", text: "loss rises" }],
    [0, { _tag: "waiting", text: "another process" }],
    [0, { _tag: "note", text: "done" }],
  ]);
  assert.deepEqual(written.split("\n").map((line) => line.split("  ").slice(0, 2).join(" ")), [
    "training",
    "training 40/100",
    "training 80/100",
    "training 100/100",
    "warning: loss rises",
    "waiting: another process",
    "done",
    "",
  ]);
  assert.ok(!written.includes("\x1b") && !written.includes("\r"));
});

Deno.test("a line in between leaves no rest of the bar behind", () => {
  const written = shown(() => 80, [[0, { _tag: "phase", name: "training" }], [100, step(1)], [0, {
    _tag: "note",
    text: "hello",
  }]]);
  assert.ok(written.endsWith("\r\x1b[2Khello\n"));
});

Deno.test("durations are read at a glance", () => {
  assert.deepEqual([4.4, 59.6, 185, 3729].map(duration), ["4 s", "1:00", "3:05", "1:02:09"]);
});

Deno.test("a file none of whose columns is used is told as such", () => {
  assert.equal(columnsInWords({ columns: {}, of: 2 }), "none of its columns (of 2 columns)");
  assert.equal(columnsInWords({ columns: { text: "said" }, of: 1 }), "text = said (of 1 column)");
  assert.equal(columnsInWords({ columns: { text: "said, by" }, of: 2 }), 'text = "said, by" (of 2 columns)');
});
