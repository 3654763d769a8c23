/**
 * From files to tensors on the device, and back.
 *
 * @module
 */
import type { TensorReader, TensorToWrite } from "../checkpoint/safetensors.ts";
import { type Block, blockLayout, type Engine, type Handle, sizeOf } from "../engine/engine.ts";
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { CheckpointError, UsageError } from "../error.ts";
import { parameter, type Parameters, type Tensor } from "../tensor/tensor.ts";

/** Where the values of parameters come from. */
export type Initial = (name: string, shape: readonly number[]) => Promise<Float32Array> | Float32Array;

/**
 * Makes parameters of the given shapes. Tensors of `joined` become one, under its name, one below the other: that is how
 * one product gives queries, keys and values. What is trained lies in two blocks, one for each kind of weight decay, but
 * for embedding tables, of which a step touches few rows.
 */
export async function makeParameters(
  engine: Engine,
  shapes: ReadonlyMap<string, readonly number[]>,
  initial: Initial,
  trained: (name: string) => boolean,
  joined: Joined = new Map(),
): Promise<Parameters> {
  const parameters = layOut(engine, shapes, trained, joined);
  const places = new Map<string, { readonly handle: Handle; readonly offset: number }>();
  for (const [name, { value, parts = [{ name }] }] of Object.entries(parameters)) {
    let offset = 0;
    for (const part of parts) {
      places.set(part.name, { handle: value, offset });
      offset += sizeOf(shapes.get(part.name)!);
    }
  }
  for (const [name, shape] of shapes) { // in this order: values at random depend on it
    const { handle, offset } = places.get(name)!;
    engine.write(handle, await initial(name, shape), offset);
  }
  return parameters;
}

/** The parameters, filled with 0. */
function layOut(
  engine: Engine,
  shapes: ReadonlyMap<string, readonly number[]>,
  trained: (name: string) => boolean,
  joined: Joined,
): Parameters {
  const wholes = new Map([...joined].flatMap(([whole, parts]) => parts.map((part) => [part, whole] as const)));
  const names = new Set([...shapes.keys()].map((name) => wholes.get(name) ?? name));
  const parameters: Record<string, Tensor> = {};
  const groups: { readonly name: string; readonly shape: readonly number[]; readonly parts: Tensor["parts"] }[][] = [
    [],
    [],
  ];
  for (const name of names) {
    const members = joined.get(name) ?? [name];
    const [first, rest] = [shapes.get(members[0]!)!, members.slice(1)];
    const rows = members.map((member) => shapes.get(member)![0]!);
    const shape = [rows.reduce((sum, count) => sum + count, 0), ...first.slice(1)];
    const parts = rest.length === 0 ? undefined : members.map((member, i) => ({ name: member, rows: rows[i]! }));
    const table = name === "embeddings.word_embeddings.weight";
    const isWanted = isTrained(name, members, trained);
    if (isWanted && !table) groups[decays(name) ? 1 : 0]!.push({ name, shape, parts });
    else parameters[name] = parameter(engine, shape, undefined, { trained: isWanted, table, parts });
  }
  for (const [kind, group] of groups.entries()) {
    if (group.length === 0) continue;
    const [weights, gradients] = [0, 1].map(() => engine.block(group.map(({ shape }) => shape))) as [Block, Block];
    const { offsets } = blockLayout(group.map(({ shape }) => shape));
    for (const [i, { name, parts }] of group.entries()) {
      const [value, gradient] = [weights.parts[i]!, gradients.parts[i]!];
      const block = { weights: weights.all, gradients: gradients.all, decays: kind === 1, offset: offsets[i]! };
      parameters[name] = { value, gradient, needsGradient: true, isParameter: true, block, ...(parts && { parts }) };
    }
  }
  return Object.fromEntries([...names].map((name) => [name, parameters[name]!]));
}

/** Biases and normalisations are not decayed: the rule of transformers' trainer. */
export function decays(name: string): boolean {
  return !/bias|layernorm|rmsnorm|(^|\.)norm($|\.)|_norm($|\.)/.test(name.toLowerCase());
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
  const handles = new Set<Handle>();
  for (const { value, gradient, block } of Object.values(parameters)) {
    if (block !== undefined) handles.add(block.weights).add(block.gradients);
    else {
      handles.add(value);
      if (gradient !== undefined) handles.add(gradient);
    }
  }
  for (const handle of handles) engine.free(handle);
}
