/**
 * guide: what another model says of the texts of a dataset, its embeddings, made once before training.
 *
 * @module
 */
import * as Effect from "effect/Effect";
import { join } from "node:path";
import { attempt } from "../../attempt.ts";
import { openTensors, writeSafetensors } from "../../checkpoint/safetensors.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { Columns } from "../../data/rows.ts";
import { encodeTexts } from "../../embed/encode.ts";
import type { Embeddings } from "../../embed/pairwise.ts";
import type { Guide } from "../../loss/loss.ts";
import { datasetFormat, type ModelFolder, modelFormat } from "../../stage/artifact.ts";
import { TensorEngine } from "../../stage/engine.ts";
import { openBiEncoder } from "../../stage/models.ts";
import { phase } from "../../stage/progress.ts";
import { defineStage, type Format, type Stage } from "../../stage/stage.ts";

/** Embeddings by column, in the order of columns. */
export type Guides = readonly Embeddings[];

/** The form of what a guide says: one tensor `column.N` for each column. */
export const guidesFormat: Format<Guides> = {
  read: async ([path]) => {
    const reader = await openTensors(join(path!, "guides.safetensors"));
    try {
      const guides: Embeddings[] = [];
      for (let at = 0; reader.tensors.has(`column.${at}`); at++) {
        const [rows, width] = reader.tensors.get(`column.${at}`)!.shape as [number, number];
        guides.push({ data: await reader.readF32(`column.${at}`), rows, width });
      }
      return guides;
    } finally {
      reader.close();
    }
  },
};

/** Embeds the texts of each column, or of the first, with the model's own prompt if it has a default one. */
export const guideColumns: Stage<
  Pick<Guide, "columns">,
  { readonly guide: ModelFolder; readonly data: Dataset<Columns> },
  Guides
> = defineStage<Pick<Guide, "columns">, { guide: ModelFolder; data: Dataset<Columns> }, Guides>({
  name: "guide",
  version: 1,
  inputs: { guide: modelFormat, data: datasetFormat<Columns>() },
  output: guidesFormat,
  computes: true,
  run: Effect.fnUntraced(function* ({ parameters, inputs, scratch }) {
    yield* phase("embedding by the guide");
    const engine = yield* (yield* TensorEngine).open;
    const model = yield* openBiEncoder(inputs.guide);
    yield* attempt(async () => {
      const { columns } = await inputs.data.read();
      const texts = Object.values(columns).filter((column) => Array.isArray(column));
      const tensors = [];
      for (const [at, column] of (parameters.columns === "first" ? texts.slice(0, 1) : texts).entries()) {
        const { data, rows, width } = await encodeTexts(engine, model, column);
        tensors.push({ name: `column.${at}`, shape: [rows, width], data });
      }
      await writeSafetensors(join(scratch, "guides.safetensors"), tensors);
    });
  }),
});
