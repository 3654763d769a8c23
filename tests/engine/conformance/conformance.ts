/** Runs the table on an engine: as it is, and with tensors that move. */
import assert from "node:assert/strict";
import type { Engine } from "../../../lib/engine/engine.ts";
import { moving } from "../moving.ts";
import { type Case, check, type Values } from "./case.ts";
import { checkBlocks, checkFree, checkOrder, checkRelease, checkTypes, hasInt8 } from "./protocol.ts";
import { refusals } from "./refusals.ts";

/** What an engine is told, or tells of itself, and no value depends on. */
const TOLD = new Set(["beginStep", "held"]);

/**
 * Runs every case and closes the engine.
 *
 * @param opened Where.
 * @param step Reports a subject: rejects with all that is wrong with it.
 * @param table Cases by subject.
 * @param known What another engine gave, whose every bit this one has to give: filled in where it is missing.
 */
export async function conformance(
  opened: Engine,
  step: (subject: string, run: () => Promise<void>) => Promise<void>,
  table: Readonly<Record<string, readonly Case[]>>,
  known?: Map<Case, Values>,
): Promise<void> {
  const { called, engine } = watched(opened);
  const displaced = moving(engine);
  const left = engine.variable([64]);
  try {
    const isThere = hasInt8(engine);
    for (const [subject, all] of Object.entries(table)) {
      const cases = all.filter(({ needs }) => needs === undefined || isThere);
      await step(subject, async () => {
        const faults: string[] = [];
        for (const each of cases) {
          try {
            const values = await check(engine, each);
            const live = engine.memory().live; // with the room that kernels have taken for what lies between
            assert.deepEqual(await check(displaced, each, true), values, "a kernel looks at a handle late");
            assert.equal(engine.memory().live, live, "what was made in an arena is given back");
            assert.deepEqual(values, known?.get(each) ?? values, "another engine of the same bits gives others");
            known?.set(each, values);
          } catch (error) {
            faults.push(`${each.name}: ${error instanceof assert.AssertionError ? error.message : error}`);
          }
        }
        if (faults.length > 0) assert.fail(`${faults.length} of ${cases.length} cases\n${faults.join("\n")}`);
      });
    }
    await step("blocks", () => checkBlocks(engine));
    await step("order", () => checkOrder(engine));
    await step("what is given back", () => checkRelease(engine));
    await step("variables that are given back", () => checkFree(engine));
    await step("types of elements", () => checkTypes(engine));
    await step("what does not fit is refused", () => {
      engine.enter();
      for (const [message, attempt] of refusals) {
        assert.throws(
          () => attempt(engine),
          (error) => (error as { _tag?: string })._tag === "EngineError" && message.test((error as Error).message),
          String(attempt),
        );
      }
      engine.exit();
      return Promise.resolve();
    });
  } finally {
    engine.close();
  }
  engine.free(left); // who cleans up afterwards has nothing left to do
  assert.equal(engine.memory().live, 0, "nothing is held after closing");
  const kernels = Object.keys(opened).filter((name) =>
    typeof opened[name as keyof Engine] === "function" && !TOLD.has(name)
  );
  assert.deepEqual(kernels.filter((name) => !called.has(name)), [], "every kernel has a case");
}

/** The same engine, and which of its kernels were called. */
function watched(engine: Engine): { readonly engine: Engine; readonly called: ReadonlySet<string> } {
  const called = new Set<string>();
  const watch = (name: string, kernel: (...args: unknown[]) => unknown) => (...args: unknown[]) => {
    called.add(name);
    return kernel(...args);
  };
  const kernels = Object.entries(engine).map(([name, value]) => [
    name,
    typeof value === "function" ? watch(name, value) : value,
  ]);
  return { engine: Object.fromEntries(kernels), called };
}
