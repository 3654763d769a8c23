/**
 * Text generation: a service that answers prompts, over any endpoint that speaks OpenAI's chat completions.
 *
 * @module
 */
export * from "./generator.ts";
export * from "./openai.ts";
