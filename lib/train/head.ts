/**
 * Tensors that a loss trains beside the model, on the device.
 *
 * @module
 */
import type { Engine } from "../engine/engine.ts";
import type { Loss } from "../loss/loss.ts";
import { parameter, type Parameters, type Tensor } from "../tensor/tensor.ts";

/** The tensors of a loss with their first values, for embeddings of this width; none, if it has none. */
export function makeHead(engine: Engine, loss: Loss, width: number, seed: number): Parameters {
  const head: Record<string, Tensor> = {};
  for (const [name, { shape, data, trained }] of Object.entries(loss.head?.(width, seed) ?? {})) {
    head[name] = parameter(engine, shape, data, { trained });
  }
  return head;
}
