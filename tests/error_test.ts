import { Effect } from "effect";
import assert from "node:assert/strict";
import { attempt } from "../lib/attempt.ts";
import {
  CacheError,
  DatasetError,
  EngineError,
  explain,
  GeneratorError,
  KindredError,
  knownError,
  PermissionError,
} from "../lib/error.ts";
import { note } from "../lib/stage/progress.ts";
import { runStages } from "../lib/stage/run.ts";
import { withFolder } from "./folder.ts";

const details = { where: "a.csv:3", expected: "a number", found: "seven", hint: "mend the row" };

Deno.test("a tag that is caught is gone from the type", async () => {
  const work: Effect.Effect<number, KindredError> = Effect.fail(new DatasetError("no rows"));
  const mended: Effect.Effect<number, Exclude<KindredError, DatasetError>> = work.pipe(
    Effect.catchTag("DatasetError", ({ summary }) => Effect.succeed(summary.length)),
  );
  assert.equal(await Effect.runPromise(mended), 7);
  const kind = new GeneratorError("no answer", { kind: "budget" }) as KindredError;
  assert.equal(kind._tag === "GeneratorError" && kind.kind, "budget");
});

Deno.test("the details stand in the message and once in what is printed, field by field in JSON", () => {
  const error = new DatasetError("a score is none", details);
  for (const text of [error.message, String(error), Deno.inspect(error), explain(error), error.stack!]) {
    for (const detail of ["a score is none", ...Object.values(details)]) {
      assert.equal(text.split(detail).length, 2, `${detail} in ${text}`);
    }
  }
  assert.match(explain(error), /^DatasetError: a score is none\n {2}where: {4}a\.csv:3\n/);
  assert.deepEqual(JSON.parse(JSON.stringify(error)), { tag: "DatasetError", message: "a score is none", ...details });
  assert.ok(error instanceof KindredError && error instanceof Error && !(error instanceof CacheError));
  assert.equal(error.name, "DatasetError");
});

Deno.test("an array that came into an error by mistake is not printed whole, its two ends are", () => {
  const million = Array.from({ length: 1e6 }, (_, i) => i);
  const error = new EngineError(`no such shape ${million}`, {
    where: `${million}`,
    expected: million as unknown as string, // of a caller without types
    found: `[${million}]`,
    hint: `leave out ${million.join(", ")}`,
  });
  for (const text of [error.message, explain(error), JSON.stringify(error)]) assert.ok(text.length < 6000);
  assert.match(error.found!, /^\[0,1,2,.*\d … \d.*,999998,999999\] \(6888891 characters\)$/);
});

Deno.test("who sees only an uncaught error sees its details", async () => {
  const at = new URL("../lib/error.ts", import.meta.url);
  const { stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      `import { DatasetError } from ${JSON.stringify(at.href)};
      await Promise.reject(new DatasetError("a score is none", ${JSON.stringify(details)}));`,
    ],
    env: { NO_COLOR: "1" },
  }).output();
  assert.match(
    new TextDecoder().decode(stderr),
    /DatasetError: a score is none\n.*a\.csv:3\n.*a number\n.*seven\n.*mend/,
  );
});

Deno.test("a missing permission and a full disk have tags of their own, and fail instead of being defects", async () => {
  const failing = (error: unknown) => Effect.runPromise(Effect.flip(attempt(() => Promise.reject(error))));
  const denied = new Deno.errors.NotCapable('Requires read access to "a", run again with the --allow-read flag');
  const permission = await failing(denied);
  assert.equal(permission._tag, "PermissionError");
  assert.match(permission.summary, /--allow-read/);
  assert.equal((await failing(new Deno.errors.PermissionDenied("(os error 13)")))._tag, "PermissionError");
  assert.equal((await failing(new Error("write: No space left on device (os error 28)")))._tag, "DiskFullError");
  assert.equal((await failing(new Deno.errors.NotADirectory("(os error 20)")))._tag, "UsageError");
  assert.equal(knownError(new TypeError("a bug")), undefined);
  const known = new PermissionError("no");
  assert.equal(knownError(known), known);
});

Deno.test("an abort is an AbortError, and an error of the work is the work's own", () =>
  withFolder(async (cacheDir) => {
    const isAbort = (error: unknown) => error instanceof DOMException && error.name === "AbortError";
    await assert.rejects(runStages(Effect.never, { cacheDir, signal: AbortSignal.timeout(50) }), isAbort);
    await assert.rejects(runStages(note("no"), { cacheDir, signal: AbortSignal.abort() }), isAbort);
    const failed = runStages(Effect.fail(new DatasetError("no rows", details)), { cacheDir });
    await assert.rejects(failed, (error) => error instanceof DatasetError && /mend the row/.test(error.message));
  }));
