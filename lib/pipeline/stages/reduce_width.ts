/**
 * reduce-width: an encoder whose embeddings are as wide as another's, by the principal components of what it says of texts.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../../attempt.ts";
import type { ModuleSpec } from "../../checkpoint/modules.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { Columns } from "../../data/rows.ts";
import { encodeTexts } from "../../embed/encode.ts";
import { UsageError } from "../../error.ts";
import { saveBiEncoder } from "../../model/bi_encoder.ts";
import { datasetFormat, type ModelFolder, modelFormat } from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openBiEncoder, openOnEngine } from "../../stage/models.ts";
import { phase } from "../../stage/progress.ts";
import { defineStage, type Stage } from "../../stage/stage.ts";
import { principalAxes } from "../../static/components.ts";
import { parameter } from "../../tensor/tensor.ts";

/** Settings of {@linkcode reduceWidth}. */
export interface ReduceWidth {
  /** Features of the new embeddings. */
  readonly width: number;
}

/** Texts that components are found by, at most: as many as sentence-transformers' own example takes. */
const MOST_TEXTS = 20_000;

/**
 * e ↦ V e, V [width, D] the first principal components of the embeddings of the first column of texts: a dense layer without
 * bias behind the model, as in sentence-transformers' examples of distillation and of smaller embeddings. The mean is not
 * taken off.
 */
export const reduceWidth: Stage<ReduceWidth, { model: ModelFolder; texts: Dataset<Columns> }, ModelFolder> =
  defineStage<ReduceWidth, { model: ModelFolder; texts: Dataset<Columns> }, ModelFolder>({
    name: "reduce-width",
    version: 1,
    inputs: { model: modelFormat, texts: datasetFormat<Columns>() },
    output: { read: ([path]) => Promise.resolve({ folder: join(path!, "model") }) },
    computes: true,
    run: Effect.fnUntraced(function* ({ parameters: { width }, inputs, scratch }) {
      yield* phase("finding principal components");
      const engine = yield* (yield* TensorEngine).open;
      const model = yield* openBiEncoder(inputs.model);
      const texts = yield* attempt(async () => {
        const column = Object.values((await inputs.texts.read()).columns).find((column) => Array.isArray(column));
        return [...new Set(column)].slice(0, MOST_TEXTS);
      });
      const axes = yield* attempt(async () => {
        if (width > Math.min(model.width, texts.length)) {
          throw new UsageError("there are not so many principal components", {
            expected: `at most ${Math.min(model.width, texts.length)}: ${model.width} features, ${texts.length} texts`,
            found: `${width}`,
          });
        }
        const { data } = await encodeTexts(engine, { ...model, truncateDim: undefined }, texts);
        return Float32Array.from(await principalAxes(data, model.width, width));
      });
      const spec: ModuleSpec = {
        type: "dense",
        path: `${model.modules.length + 1}_Dense`,
        inFeatures: model.width,
        outFeatures: width,
        bias: false,
        activation: "identity",
      };
      const weight = yield* openOnEngine(
        (engine) => parameter(engine, [width, model.width], axes, { trained: false }),
        (engine, tensor) => engine.free(tensor.value),
      );
      const reduced = {
        ...model,
        modules: [...model.modules, spec],
        parameters: { ...model.parameters, [`${spec.path}/linear.weight`]: weight },
        width,
        truncateDim: undefined,
      };
      const card = `# A smaller embedding\n\nThe first ${width} principal components of another model's embeddings.\n`;
      yield* attempt(() => saveBiEncoder(engine, reduced, join(scratch, "model"), card));
    }),
  });
