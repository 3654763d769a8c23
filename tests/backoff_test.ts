import { Clock, Effect, Fiber, Random } from "effect";
import { TestClock } from "effect/testing";
import assert from "node:assert/strict";
import { backoff } from "../lib/backoff.ts";
import { type Passing, retryAfter } from "../lib/pause.ts";

/** When each attempt began, and how the last one ended, on a clock of its own. */
const attempts = (failures: readonly Passing[], patience: Parameters<typeof backoff>[0]) =>
  Effect.runPromise(
    Effect.gen(function* () {
      const times: number[] = [];
      const work = Effect.gen(function* () {
        const failure = failures[times.length];
        times.push(yield* Clock.currentTimeMillis);
        return failure === undefined ? "done" : yield* Effect.fail(failure);
      });
      const running = yield* Effect.forkChild(Effect.exit(Effect.retry(work, backoff(patience))));
      yield* TestClock.adjust("1 hour");
      const exit = yield* Fiber.join(running);
      return { times, done: exit._tag === "Success" };
    }).pipe(Random.withSeed("pauses"), Effect.provide(TestClock.layer())),
  );

Deno.test("the pauses double, stay in the upper half of what they may be, and end with the attempts", async () => {
  const patience = { attempts: 6, pauseMilliseconds: 1000, maxPauseMilliseconds: 5000 };
  const { times, done } = await attempts(Array(9).fill({}), patience);
  assert.ok(!done);
  assert.equal(times.length, 6);
  const pauses = times.slice(1).map((time, i) => time - times[i]!);
  [1000, 2000, 4000, 5000, 5000].forEach((longest, i) => {
    assert.ok(pauses[i]! >= longest / 2 && pauses[i]! <= longest, `${pauses}`);
  });
  assert.equal(new Set(pauses.map((pause, i) => pause / 2 ** i)).size, 5, "each is drawn");
});

Deno.test("what the server asks for is kept to, as far as the longest pause; attempts may depend on the failure", async () => {
  const patience = { attempts: 5, pauseMilliseconds: 10, maxPauseMilliseconds: 60_000 };
  const asked = await attempts([{ retryAfter: 7000 }, { retryAfter: 0 }, { retryAfter: 3_600_000 }], patience);
  assert.deepEqual(asked, { times: [0, 7000, 7000, 67_000], done: true });
  const fewer = { ...patience, attempts: ({ retryAfter }: Passing) => retryAfter === 0 ? 2 : 5 };
  assert.deepEqual(await attempts(Array(9).fill({ retryAfter: 0 }), fewer), { times: [0, 0], done: false });
});

Deno.test("Retry-After names seconds or a date", () => {
  const now = Date.parse("2026-11-26T12:00:00Z");
  assert.equal(retryAfter("7", now), 7000);
  assert.equal(retryAfter("Thu, 26 Nov 2026 12:00:30 GMT", now), 30_000);
  assert.equal(retryAfter("Thu, 26 Nov 2026 11:00:00 GMT", now), 0);
  for (const nothing of [null, "", " ", "soon"]) assert.equal(retryAfter(nothing, now), undefined);
});
