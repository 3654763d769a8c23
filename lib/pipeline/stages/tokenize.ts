/**
 * tokenize: the columns of texts of a dataset, as a model reads them.
 *
 * @module
 */
import type * as Effect from "effect/Effect";
import { attempt } from "../../attempt.ts";
import { readFolder } from "../../checkpoint/sentence_transformers.ts";
import type { Dataset } from "../../data/dataset.ts";
import type { Columns } from "../../data/rows.ts";
import type { KindredError } from "../../error.ts";
import { folderTokenizer } from "../../model/model_tokenizer.ts";
import { type ColumnPrompts, trainedPrompts, trainingPrompt } from "../../model/prompts.ts";
import { datasetFormat, type ModelFolder, modelFormat, tokensFormat, writeTokens } from "../../stage/artifact.ts";
import { type Artifact, defineStage, type Services } from "../../stage/stage.ts";
import type { TokenizedTexts } from "../../text/packed.ts";
import { tokenize } from "../../text/tokenizer.ts";

/** A text column, by its values. */
const isTexts = (column: Columns[string]): column is readonly string[] => Array.isArray(column);

/** The text columns of a dataset, by name. */
export const textColumns = ({ columns }: Dataset<Columns>): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(Object.entries(columns).flatMap(([name, column]) => isTexts(column) ? [[name, column]] : []));

/** How texts are tokenised. */
interface TokenizeParameters {
  /** Instead of the model's own limit. */
  readonly maxSeqLength?: number | undefined;
  /** Texts before the columns, see {@linkcode trainingPrompt}. */
  readonly prompts?: ColumnPrompts | undefined;
}

/** Token ids of every text column, made once for a dataset, tokenizer and limit. */
export const tokenizeColumns: (
  inputs: { readonly model: Artifact<ModelFolder>; readonly data: Artifact<Dataset<Columns>> },
  parameters: TokenizeParameters,
) => Effect.Effect<Artifact<Readonly<Record<string, TokenizedTexts>>>, KindredError, Services> = defineStage<
  TokenizeParameters,
  { model: ModelFolder; data: Dataset<Columns> },
  Readonly<Record<string, TokenizedTexts>>
>({
  name: "tokenize",
  version: 4, // tokens as the reference has them, to the last bit of a score
  inputs: { model: modelFormat, data: datasetFormat<Columns>() },
  output: tokensFormat,
  run: ({ parameters, inputs, scratch }) =>
    attempt(async () => {
      const { folder } = await inputs.model.read();
      const read = await readFolder(folder);
      const { maxSeqLength, prompts, defaultPromptName } = read;
      const tokenizer = await folderTokenizer(read);
      const columns: Record<string, TokenizedTexts> = {};
      const texts = textColumns(await inputs.data.read());
      if (parameters.prompts !== undefined) {
        trainedPrompts({ prompts, defaultPromptName }, parameters.prompts, Object.keys(texts)); // refuses what fits no column
      }
      for (const [name, column] of Object.entries(texts)) {
        columns[name] = await tokenize(tokenizer, column, {
          maxLength: parameters.maxSeqLength ?? maxSeqLength,
          prompt: trainingPrompt({ prompts, defaultPromptName }, name, parameters.prompts),
        });
      }
      await writeTokens(scratch, columns);
    }),
});
