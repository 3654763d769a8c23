import { Effect, Layer } from "effect";
import assert from "node:assert/strict";
import { sampleBaseModel } from "../../lib/data/sample/models.ts";
import { TensorEngine } from "../../lib/stage/engine.ts";
import { openBiEncoder, openOnEngine } from "../../lib/stage/models.ts";
import { Progress, type ProgressEvent } from "../../lib/stage/progress.ts";
import { StageRunner } from "../../lib/stage/stage.ts";
import { goldenPath } from "../golden/golden.ts";

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

Deno.test("it is said where a precision changes nothing, and there alone", async () => {
  const warned = async (folder: string, precision: "fp32" | "int8") => {
    const events: ProgressEvent[] = [];
    const layer = TensorEngine.layer({ kernels: "wasm", threads: 1, precision }).pipe(
      Layer.provideMerge(Progress.layer((event) => events.push(event))),
    );
    await Effect.runPromise(openBiEncoder(folder).pipe(Effect.scoped, Effect.provide(layer)));
    return events.flatMap((event) => event._tag === "warning" ? [event.text] : []);
  };
  const table = goldenPath("folders/static");
  assert.deepEqual(await warned(table, "fp32"), []);
  assert.match((await warned(table, "int8")).join(), /^--precision int8 changes nothing: a static model/);
  assert.deepEqual(await warned(await sampleBaseModel(), "int8"), []);
});
