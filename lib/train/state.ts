/**
 * Checkpoints of a training run: everything that the next step depends on, in one safetensors file.
 *
 * A step is a function of (weights, moments, seed, number of the step), so weights, moments and the record of the run
 * are all there is to save: a resumed run goes on bit for bit.
 *
 * @module
 */
import { openTensors, type TensorToWrite, writeSafetensors } from "../checkpoint/safetensors.ts";
import { type Engine, type Handle, scope, sizeOf } from "../engine/engine.ts";
import { CheckpointError } from "../error.ts";
import type { Parameters } from "../tensor/tensor.ts";
import type { Optimizer } from "./adamw.ts";
import type { TrainingRecord } from "./record.ts";

/** Writes weights, moments and the record so far. */
export async function saveState(
  engine: Engine,
  path: string,
  parameters: Parameters,
  optimizer: Optimizer,
  record: TrainingRecord,
): Promise<void> {
  const tensors: TensorToWrite[] = [];
  const read = new Map<Handle, Float32Array>(); // moments of many parameters lie in one tensor
  const readOnce = async (handle: Handle) => {
    const values = read.get(handle) ?? await readFloats(engine, handle);
    read.set(handle, values);
    return values;
  };
  for (const [name, { m, v, offset }] of optimizer.moments) {
    const { value } = parameters[name]!;
    const { shape } = value;
    tensors.push({ name, shape, data: await readFloats(engine, value) });
    for (const [kind, handle] of [["m", m], ["v", v]] as const) {
      const data = (await readOnce(handle)).subarray(offset, offset + sizeOf(shape));
      tensors.push({ name: `${name}.${kind}`, shape, data });
    }
  }
  await writeSafetensors(path, tensors, { record: JSON.stringify(record) });
}

/** Reads what `saveState` wrote into the tensors on the device; undefined if there is no such file. */
export async function loadState(
  engine: Engine,
  path: string,
  parameters: Parameters,
  optimizer: Optimizer,
): Promise<TrainingRecord | undefined> {
  if (!(await exists(path))) return undefined;
  const reader = await openTensors(path);
  try {
    // What is frozen now was trained when this was written: it would not be as it was.
    const own = new Set([...optimizer.moments.keys()].flatMap((name) => [name, `${name}.m`, `${name}.v`]));
    for (const [name, { shape }] of reader.tensors) {
      if (!own.has(name)) throw foreign(path, name, "no such tensor", `shape [${shape}]`);
    }
    for (const [name, { m, v, offset }] of optimizer.moments) {
      const { value, gradient } = parameters[name]!;
      const second = await matching(reader, path, `${name}.v`, value);
      engine.write(value, await matching(reader, path, name, value));
      engine.write(m, await matching(reader, path, `${name}.m`, value), offset);
      engine.write(v, second, offset);
      if (parameters[name]!.block === undefined) touchRows(engine, gradient!, second);
    }
    const record = JSON.parse(reader.metadata["record"] ?? "null");
    if (Array.isArray(record?.log) && Array.isArray(record.warnings)) return record;
    throw new CheckpointError("the checkpoint is of another version of Kindred", {
      where: path,
      hint: "delete it to start anew",
    });
  } finally {
    reader.close();
  }
}

/** Writes the trained weights alone: the best so far. */
export async function saveWeights(engine: Engine, path: string, parameters: Parameters): Promise<void> {
  const tensors: TensorToWrite[] = [];
  for (const [name, { value, needsGradient }] of Object.entries(parameters)) {
    if (needsGradient) tensors.push({ name, shape: value.shape, data: await readFloats(engine, value) });
  }
  await writeSafetensors(path, tensors);
}

/** Puts the weights that `saveWeights` wrote back on the device. */
export async function loadWeights(engine: Engine, path: string, parameters: Parameters): Promise<void> {
  const reader = await openTensors(path);
  try {
    for (const [name, { value, needsGradient }] of Object.entries(parameters)) {
      if (needsGradient) engine.write(value, await matching(reader, path, name, value));
    }
  } finally {
    reader.close();
  }
}

/**
 * An engine may leave out rows of a table that never had a gradient. Rows with a second moment had one, before the run
 * was cut off: adding 0 to their gradient tells the engine so.
 */
function touchRows(engine: Engine, gradient: Handle, v: Float32Array): void {
  const [rows, width] = gradient.shape;
  if (rows === undefined || width === undefined) return;
  const touched: number[] = [];
  for (let row = 0; row < rows; row++) {
    if (v.subarray(row * width, (row + 1) * width).some((x) => x !== 0)) touched.push(row);
  }
  if (touched.length === 0) return;
  scope(engine, () => {
    const ids = engine.upload(Int32Array.from(touched), [touched.length]);
    engine.scatterAdd(gradient, ids, engine.zeros([touched.length, width]));
  });
}

async function matching(
  reader: Awaited<ReturnType<typeof openTensors>>,
  path: string,
  name: string,
  handle: Handle,
): Promise<Float32Array> {
  const info = reader.tensors.get(name);
  if (info === undefined || info.shape.join() !== handle.shape.join()) {
    const found = info === undefined ? "no such tensor" : `shape [${info.shape}]`;
    throw foreign(path, name, `shape [${handle.shape}]`, found);
  }
  return await reader.readF32(name);
}

function foreign(path: string, name: string, expected: string, found: string): CheckpointError {
  return new CheckpointError("the checkpoint belongs to another model", {
    where: `${path}, tensor ${name}`,
    expected,
    found,
    hint: "delete the checkpoint to start anew",
  });
}

async function readFloats(engine: Engine, handle: Handle): Promise<Float32Array> {
  return await engine.read(handle) as Float32Array;
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
