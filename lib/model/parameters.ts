/**
 * From files to tensors on the device, and back.
 *
 * @module
 */
import type { TensorReader, TensorToWrite } from "../checkpoint/safetensors.ts";
import { type Engine, type Handle, sizeOf } from "../engine/engine.ts";
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { CheckpointError, UsageError } from "../error.ts";
import { parameter, type Parameters, type Tensor } from "../tensor/tensor.ts";

/** Where the values of parameters come from. */
export type Initial = (name: string, shape: readonly number[]) => Promise<Float32Array> | Float32Array;

/**
 * Makes parameters of the given shapes. Tensors of `joined` become one, under its name, one below the other: that is how
 * one product gives queries, keys and values.
 */
export async function makeParameters(
  engine: Engine,
  shapes: ReadonlyMap<string, readonly number[]>,
  initial: Initial,
  trained: (name: string) => boolean,
  joined: Joined = new Map(),
): Promise<Parameters> {
  const parameters: Record<string, Tensor> = {};
  const wholes = new Map([...joined].flatMap(([whole, parts]) => parts.map((part) => [part, whole] as const)));
  const waiting = new Map<string, Float32Array>(); // what is joined, until all of it is there
  for (const [part, shape] of shapes) { // in this order: values at random depend on it
    const name = wholes.get(part) ?? part;
    const parts = joined.get(name) ?? [part];
    const rows = parts.map((each) => shapes.get(each)![0]!);
    const width = sizeOf(shape.slice(1));
    const count = rows.reduce((sum, each) => sum + each, 0);
    const values = waiting.get(name) ?? (parts.length === 1 ? undefined : new Float32Array(count * width));
    const own = await initial(part, shape);
    const place = parts.indexOf(part);
    values?.set(own, width * rows.slice(0, place).reduce((sum, each) => sum + each, 0));
    if (place < parts.length - 1) waiting.set(name, values!);
    else {
      waiting.delete(name);
      parameters[name] = parameter(engine, [count, ...shape.slice(1)], values ?? own, {
        trained: isTrained(name, parts, trained),
        table: name === "embeddings.word_embeddings.weight",
        ...(values !== undefined && { parts: parts.map((each, i) => ({ name: each, rows: rows[i]! })) }),
      });
    }
  }
  return parameters;
}

/** Names of tensors that are kept as one, by the name of the whole. */
export type Joined = ReadonlyMap<string, readonly string[]>;

function isTrained(name: string, parts: readonly string[], trained: (name: string) => boolean): boolean {
  const wanted = parts.map(trained);
  if (wanted.every((each) => each === wanted[0])) return wanted[0]!;
  throw new UsageError("--freeze names a part of what is trained as one", {
    where: name,
    expected: `all or none of ${parts.join(", ")}`,
    found: parts.filter((_, i) => !wanted[i]).join(", "),
  });
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

/** Reads tensors back from the device, under the names of the checkpoint: their values, or what `of` says. */
export async function readParameters(
  engine: Engine,
  parameters: Parameters,
  of: (tensor: Tensor) => Handle = ({ value }) => value,
): Promise<TensorToWrite[]> {
  const tensors: TensorToWrite[] = [];
  for (const [name, tensor] of Object.entries(parameters)) {
    const { value, parts } = tensor;
    const [count, ...rest] = value.shape as [number, ...number[]];
    const data = await engine.read(of(tensor));
    const width = data.length / count;
    let row = 0;
    for (const part of parts ?? [{ name, rows: count }]) {
      const values = data.subarray(row * width, (row + part.rows) * width);
      tensors.push({ name: part.name, shape: [part.rows, ...rest], data: values });
      row += part.rows;
    }
  }
  return tensors;
}

/** The same tensors under names that begin with `prefix`, in the checkpoint as well. */
export function prefixed(parameters: Parameters, prefix: string): Parameters {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, tensor]) => {
      const parts = tensor.parts?.map((part) => ({ ...part, name: prefix + part.name }));
      return [prefix + name, parts === undefined ? tensor : { ...tensor, parts }];
    }),
  );
}

/** Gives the memory of parameters back. */
export function freeParameters(engine: Engine, parameters: Parameters): void {
  for (const { value, gradient } of Object.values(parameters)) {
    engine.free(value);
    if (gradient !== undefined) engine.free(gradient);
  }
}
