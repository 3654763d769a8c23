/**
 * Text generation: a service that answers prompts, over any endpoint that speaks OpenAI's chat completions.
 *
 * @module
 */
export {
  type ChatMessage,
  fixedGenerator,
  generateAll,
  type GenerateAllOptions,
  type GeneratedText,
  type GenerateFunction,
  generateFunction,
  type GenerateRequest,
  type GeneratorTotals,
  layerFixed,
  TextGenerator,
  type TokenUsage,
} from "./generator.ts";
export { answerFileName } from "./answer_file.ts";
export { layerOpenAi, openAiGenerator, type OpenAiOptions } from "./openai.ts";
