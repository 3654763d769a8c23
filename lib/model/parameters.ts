/**
 * From files to tensors on the device, and back.
 *
 * @module
 */
import type { TensorReader, TensorToWrite } from "../checkpoint/safetensors.ts";
import type { Engine } from "../engine/engine.ts";
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { CheckpointError } from "../error.ts";
import { parameter, type Parameters, type Tensor } from "../tensor/tensor.ts";

/** Where the values of parameters come from. */
export type Initial = (name: string, shape: readonly number[]) => Promise<Float32Array> | Float32Array;

/** Makes parameters of the given shapes. */
export async function makeParameters(
  engine: Engine,
  shapes: ReadonlyMap<string, readonly number[]>,
  initial: Initial,
  trained: (name: string) => boolean,
): Promise<Parameters> {
  const parameters: Record<string, Tensor> = {};
  for (const [name, shape] of shapes) {
    const table = name === "embeddings.word_embeddings.weight";
    parameters[name] = parameter(engine, shape, await initial(name, shape), { trained: trained(name), table });
  }
  return parameters;
}

/** What a checkpoint calls a tensor: with or without the prefix of a whole model; undefined if it is not there. */
export function storedName(reader: TensorReader, prefix: string, name: string): string | undefined {
  // Old checkpoints, bert-base-uncased among them, call γ and β by these names.
  const old = name.replace(/LayerNorm\.weight$/, "LayerNorm.gamma").replace(/LayerNorm\.bias$/, "LayerNorm.beta");
  return [name, prefix + name, old, prefix + old].find((candidate) => reader.tensors.has(candidate));
}

/** Values from a checkpoint, with or without the prefix of a whole model; shapes and finiteness are checked. */
export function fromCheckpoint(reader: TensorReader, prefix: string, where: string): Initial {
  return async (name, shape) => {
    const found = storedName(reader, prefix, name);
    if (found === undefined) {
      throw new CheckpointError("a tensor is missing", { where, expected: `${name} [${shape}]` });
    }
    const info = reader.tensors.get(found)!;
    if (info.shape.join() !== shape.join()) {
      throw new CheckpointError("a tensor has the wrong shape", {
        where: `${where}, tensor ${found}`,
        expected: `[${shape}]`,
        found: `[${info.shape}]`,
        hint: "config.json and the weights belong to different models",
      });
    }
    const values = await reader.readF32(found);
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) {
      throw new CheckpointError("a weight is not a finite number", {
        where: `${where}, tensor ${found}, element ${bad}`,
        found: String(values[bad]),
      });
    }
    return values;
  };
}

/** BERT's initialisation: N(0, σ) for tables and matrices, 1 and 0 for normalisations, 0 for biases. */
export function randomInitial(seed: number, deviation = 0.02): Initial {
  let count = 0;
  return (name, shape) => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    const stream = randomStream(seed, randomPurpose("model-init"), count++);
    if (/(LayerNorm|layer_norm)\.weight$/.test(name)) return values.fill(1);
    if (name.endsWith("bias")) return values;
    return values.map(() => deviation * stream.normal());
  };
}

/** Reads tensors back from the device. */
export async function readParameters(engine: Engine, parameters: Parameters): Promise<TensorToWrite[]> {
  const tensors: TensorToWrite[] = [];
  for (const [name, { value }] of Object.entries(parameters)) {
    tensors.push({ name, shape: value.shape, data: await engine.read(value) });
  }
  return tensors;
}

/** Gives the memory of parameters back. */
export function freeParameters(engine: Engine, parameters: Parameters): void {
  for (const { value, gradient } of Object.values(parameters)) {
    engine.free(value);
    if (gradient !== undefined) engine.free(gradient);
  }
}
