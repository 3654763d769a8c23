import { Effect, Layer } from "effect";
import assert from "node:assert/strict";
import { sampleBaseModel } from "../../lib/data/sample/models.ts";
import { TensorEngine } from "../../lib/stage/engine.ts";
import { openBiEncoder, openOnEngine } from "../../lib/stage/models.ts";
import { Progress } from "../../lib/stage/progress.ts";
import { StageRunner } from "../../lib/stage/stage.ts";

const services = Layer.mergeAll(TensorEngine.layerTest(), StageRunner.layerTest()).pipe(
  Layer.provideMerge(Progress.layerSilent),
);

Deno.test("a model is open until its scope closes, also where what follows fails", () =>
  Effect.runPromise(
    Effect.gen(function* () {
      const { folder: cacheDir } = yield* StageRunner;
      const folder = yield* Effect.promise(() => sampleBaseModel({ cacheDir }));
      const engine = yield* (yield* TensorEngine).open;
      const freed: string[] = [];
      const given = new Set<unknown>(); // handles that were given back
      const free = engine.free.bind(engine);
      engine.free = (...handles) => (handles.forEach((handle) => given.add(handle)), free(...handles));
      const work = Effect.gen(function* () {
        const model = yield* openBiEncoder({ read: () => Promise.resolve({ folder }) });
        assert.equal(model.width, 128);
        yield* openOnEngine(() => "inner", (_, name) => freed.push(name));
        return Object.values(model.parameters).map(({ value }) => value);
      });
      const handles = yield* Effect.scoped(work);
      yield* Effect.ignore(Effect.scoped(Effect.andThen(work, Effect.fail("later"))));
      assert.deepEqual(freed, ["inner", "inner"]);
      assert.ok(handles.length > 10 && handles.every((handle) => given.has(handle)), "its memory was given back");
      assert.equal(given.size, 2 * handles.length);
    }).pipe(Effect.provide(services, { local: true })),
  ));
