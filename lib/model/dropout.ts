/**
 * Dropout of an encoder: whether it has any, and another rate for a training.
 *
 * @module
 */
import type { EncoderConfig } from "./config.ts";

/** Fields of a configuration that are rates of dropout, a family's own as well. */
const isRate = (name: string) => /dropout$/i.test(name);

/** Whether the encoder gives a text another embedding with each mask. Static embeddings have no place for dropout. */
export function hasDropout(config: EncoderConfig): boolean {
  return config.layers > 0 && Object.entries(config).some(([name, rate]) => isRate(name) && rate > 0);
}

/** The same encoder with this rate wherever it has dropout. */
export function withDropout<C extends EncoderConfig>(config: C, rate: number | undefined): C {
  if (rate === undefined) return config;
  const entries = Object.entries(config).map(([name, value]) => [name, isRate(name) ? rate : value]);
  return Object.fromEntries(entries) as C;
}
