/**
 * From files to tensors on the device, and back.
 *
 * @module
 */
import type { TensorReader, TensorToWrite } from "../checkpoint/safetensors.ts";
import { blockLayout, type Engine, type Handle, sizeOf } from "../engine/engine.ts";
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { CheckpointError, EngineError, UsageError } from "../error.ts";
import { parameter, type Parameters, type Tensor } from "../tensor/tensor.ts";
import type { Initial, Joined, TensorSpecs } from "./tensor_specs.ts";

/**
 * Which tensors are trained, by their names; undefined: none, nor is anything that comes before them, so that an engine may keep
 * the weights of linear layers in the order of products.
 */
export type Trained = ((name: string) => boolean) | undefined;

/**
 * Makes parameters. Tensors of `joined` become one, under its name, one below the other: that is how one product gives
 * queries, keys and values. What is trained lies in two blocks, one for each kind of weight decay, but for embedding
 * tables, of which a step touches few rows. On an engine of precision int8 the weights of linear layers have 8 bits, and
 * nothing is trained.
 */
export async function makeParameters(
  engine: Engine,
  specs: TensorSpecs,
  initial: Initial,
  trained: Trained,
  joined: Joined = new Map(),
): Promise<Parameters> {
  const parameters = layOut(engine, specs, trained, joined);
  const places = new Map<string, { readonly handle: Handle; readonly offset: number }>();
  for (const [name, { value, parts = [{ name }] }] of Object.entries(parameters)) {
    let offset = 0;
    for (const part of parts) {
      places.set(part.name, { handle: value, offset });
      offset += sizeOf(specs.get(part.name)!.shape);
    }
  }
  for (const [name, spec] of specs) { // in this order: values at random depend on it
    const { handle, offset } = places.get(name)!;
    await eachPiece(await initial(name, spec), (piece, at) => engine.write(handle, piece, offset + at));
  }
  return parameters;
}

/** What an initial gives. */
type Values = Awaited<ReturnType<Initial>>;

/** Takes each piece, with the number of elements before it. */
async function eachPiece(values: Values, take: (piece: Float32Array, at: number) => void): Promise<void> {
  let at = 0;
  for await (const piece of values instanceof Float32Array ? [values] : values) {
    take(piece, at);
    at += piece.length;
  }
}

/** Values of `size` elements in one array. */
export async function wholeOf(values: Values, size: number): Promise<Float32Array> {
  if (values instanceof Float32Array) return values;
  const whole = new Float32Array(size);
  await eachPiece(values, (piece, at) => whole.set(piece, at));
  return whole;
}

/** The parameters, filled with 0. */
function layOut(
  engine: Engine,
  specs: TensorSpecs,
  trained: Trained,
  joined: Joined,
): Parameters {
  const wholes = new Map([...joined].flatMap(([whole, parts]) => parts.map((part) => [part, whole] as const)));
  const isInt8 = engine.info.precision === "int8";
  const names = new Set([...specs.keys()].map((name) => wholes.get(name) ?? name));
  const parameters: Record<string, Tensor> = {};
  type Member = { readonly name: string; readonly shape: readonly number[]; readonly parts: Tensor["parts"] };
  const groups: readonly [still: Member[], decayed: Member[]] = [[], []];
  for (const name of names) {
    const members = joined.get(name) ?? [name];
    const { shape: first, kind } = specs.get(members[0]!)!;
    const rows = members.map((member) => specs.get(member)!.shape[0]!);
    const shape = [rows.reduce((sum, count) => sum + count, 0), ...first.slice(1)];
    const parts = members.length === 1 ? undefined : members.map((member, i) => ({ name: member, rows: rows[i]! }));
    const isWanted = trained !== undefined && isTrained(name, members, trained);
    if (isWanted && isInt8) {
      throw new EngineError("--precision int8 is for inference: nothing is trained in it", {
        hint: "--precision fp32",
      });
    }
    if (isWanted && kind !== "table") {
      groups[kind === "matrix" || kind === "linear" ? 1 : 0].push({ name, shape, parts });
      continue;
    }
    const dtype = isInt8 && kind === "linear" ? "i8" : "f32";
    parameters[name] = parameter(engine, shape, undefined, {
      trained: isWanted,
      table: kind === "table",
      parts,
      dtype,
      ...(trained === undefined && kind === "linear" && { storage: "packed" }),
    });
  }
  for (const [decays, group] of groups.entries()) {
    if (group.length === 0) continue;
    const shapes = group.map(({ shape }) => shape);
    const [weights, gradients] = [engine.block(shapes), engine.block(shapes)];
    const { offsets } = blockLayout(shapes);
    for (const [i, { name, parts }] of group.entries()) {
      const [value, gradient] = [weights.parts[i]!, gradients.parts[i]!];
      const block = { weights: weights.all, gradients: gradients.all, decays: decays === 1, offset: offsets[i]! };
      parameters[name] = { value, gradient, needsGradient: true, isParameter: true, block, ...(parts && { parts }) };
    }
  }
  return Object.fromEntries([...names].map((name) => [name, parameters[name]!]));
}

function isTrained(name: string, parts: readonly string[], trained: NonNullable<Trained>): boolean {
  const wanted = parts.map(trained);
  if (wanted.every((each) => each === wanted[0])) return wanted[0]!;
  throw new UsageError("--freeze names a part of what is trained as one", {
    where: name,
    expected: `all or none of ${parts.join(", ")}`,
    found: parts.filter((_, i) => !wanted[i]).join(", "),
  });
}

/** What a checkpoint calls a tensor: with or without a prefix of whole models; undefined if it is not there. */
export function storedName(reader: TensorReader, prefixes: readonly string[], name: string): string | undefined {
  // Old checkpoints, bert-base-uncased among them, call γ and β by these names.
  const old = name.replace(/LayerNorm\.weight$/, "LayerNorm.gamma").replace(/LayerNorm\.bias$/, "LayerNorm.beta");
  const candidates = ["", ...prefixes].flatMap((prefix) => [prefix + name, prefix + old]);
  return candidates.find((candidate) => reader.tensors.has(candidate));
}

/** Values from a checkpoint, with or without a prefix of whole models; shapes and finiteness are checked. */
export function fromCheckpoint(reader: TensorReader, prefixes: readonly string[], where: string): Initial {
  return async function* (name, { shape }) {
    const found = storedName(reader, prefixes, name);
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
    let before = 0;
    for await (const values of reader.piecesF32(found)) {
      if (!areFinite(values)) {
        const bad = values.findIndex((value) => !Number.isFinite(value));
        throw new CheckpointError("a weight is not a finite number", {
          where: `${where}, tensor ${found}, element ${before + bad}`,
          found: String(values[bad]),
        });
      }
      yield values;
      before += values.length;
    }
  };
}

/** Σ 0 · x is 0, or NaN: to look at each number takes twice as long. */
function areFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += 0 * values[i]!;
  return sum === 0;
}

/** BERT's initialisation: N(0, σ) for tables and matrices, 1 for scales of normalisations, 0 for what is added. */
export function randomInitial(seed: number, deviation = 0.02): Initial {
  let count = 0;
  return (_, { shape, kind }) => {
    const values = new Float32Array(sizeOf(shape));
    const stream = randomStream(seed, randomPurpose("model-init"), count++);
    if (kind === "norm") return values.fill(1);
    return kind === "bias" ? values : values.map(() => deviation * stream.normal());
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
