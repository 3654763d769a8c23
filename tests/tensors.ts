import type { Engine, Handle } from "../lib/engine/engine.ts";
import { readParameters } from "../lib/model/parameters.ts";
import type { Parameters, Tensor } from "../lib/tensor/tensor.ts";

/** What stands on the device for each tensor of the checkpoint: its values, or what `of` names. */
export async function tensorsOf(
  engine: Engine,
  parameters: Parameters,
  of?: (tensor: Tensor) => Handle,
): Promise<Map<string, Float32Array>> {
  return new Map((await readParameters(engine, parameters, of)).map(({ name, data }) => [name, data as Float32Array]));
}

/** The gradient of each tensor of the checkpoint. */
export async function gradientsOf(engine: Engine, parameters: Parameters): Promise<Map<string, Float32Array>> {
  return await tensorsOf(engine, parameters, ({ gradient }) => gradient!);
}
