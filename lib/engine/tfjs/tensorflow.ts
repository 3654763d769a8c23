/**
 * TensorFlow.js as far as the engine uses it, and how it is loaded: only when asked for.
 *
 * @module
 */
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { EngineError } from "../../error.ts";
import { findAddon } from "./addon.ts";

/** A tensor of TensorFlow.js. */
export interface TfTensor {
  readonly shape: number[];
  readonly size: number;
  dispose(): void;
  dataSync(): Float32Array | Int32Array | Uint8Array;
  data(): Promise<Float32Array | Int32Array | Uint8Array>;
}

type One = (x: TfTensor) => TfTensor;
type Two = (a: TfTensor, b: TfTensor) => TfTensor;
type Reduce = (x: TfTensor, axis?: number, keepDimensions?: boolean) => TfTensor;

/** The operations that the engine is made of. */
export interface TensorFlow {
  tensor(values: Float32Array | Int32Array, shape: readonly number[], dtype: "float32" | "int32"): TfTensor;
  scalar(value: number): TfTensor;
  zeros(shape: readonly number[], dtype?: "float32" | "int32"): TfTensor;
  fill(shape: readonly number[], value: number, dtype: "float32" | "int32"): TfTensor;
  tidy<A>(f: () => A): A;
  keep(x: TfTensor): TfTensor;
  reshape(x: TfTensor, shape: readonly number[]): TfTensor;
  transpose(x: TfTensor, permutation?: readonly number[]): TfTensor;
  slice(x: TfTensor, begin: readonly number[], size: readonly number[]): TfTensor;
  concat(parts: readonly TfTensor[], axis: number): TfTensor;
  gather(x: TfTensor, indices: TfTensor, axis?: number): TfTensor;
  scatterND(indices: TfTensor, updates: TfTensor, shape: readonly number[]): TfTensor;
  oneHot(indices: TfTensor, depth: number): TfTensor;
  matMul(a: TfTensor, b: TfTensor, transposeA?: boolean, transposeB?: boolean): TfTensor;
  where(condition: TfTensor, a: TfTensor, b: TfTensor): TfTensor;
  cast(x: TfTensor, dtype: "float32" | "int32" | "bool"): TfTensor;
  clone: One;
  abs: One;
  sign: One;
  exp: One;
  log: One;
  sqrt: One;
  square: One;
  reciprocal: One;
  erf: One;
  tanh: One;
  relu: One;
  sigmoid: One;
  add: Two;
  sub: Two;
  mul: Two;
  div: Two;
  maximum: Two;
  greater: Two;
  greaterEqual: Two;
  less: Two;
  sum: Reduce;
  mean: Reduce;
  max: Reduce;
  logSumExp: Reduce;
  softmax: (x: TfTensor, axis?: number) => TfTensor;
  argMax: (x: TfTensor, axis: number) => TfTensor;
  topk: (x: TfTensor, k: number, sorted: boolean) => { readonly values: TfTensor; readonly indices: TfTensor };
  enableProdMode(): void;
  setBackend(name: string): Promise<boolean>;
  getBackend(): string;
  ready(): Promise<void>;
  backend(): { readonly isUsingGpuDevice?: boolean; readonly binding?: { readonly TF_Version?: string } };
  readonly version_core?: string;
}

/** i32 [R] → f32 [R, depth] with 1 at each index; 0 where there is no such column. TensorFlow.js refuses a depth of 1. */
export function oneHotRows(tf: TensorFlow, indices: TfTensor, depth: number): TfTensor {
  const hot = tf.cast(tf.oneHot(indices, Math.max(2, depth)), "float32");
  return depth === 1 ? tf.slice(hot, [0, 0], [indices.size, 1]) : hot;
}

/** What executes the operations: plain JavaScript, TensorFlow's C library, or that on a GPU. */
export type TfjsBackend = "js" | "node" | "gpu";

const VERSION = "4.22.0";

/** The name is made at run time: a literal `import()` would be downloaded with the library, 305 MB. */
const load = (name: string): Promise<Record<string, unknown>> =>
  import(["npm:@tensorflow", `${name}@${VERSION}`].join("/"));

/** The folder's own package: it brings its dependencies and its addon. */
const loadFolder = (folder: string): Record<string, unknown> =>
  createRequire(join(resolve(folder), "package.json"))(["@tensorflow", "tfjs-node"].join("/"));

class NoGpu extends Error {}

/** Loads one backend. It is there, or this fails: there is no going on with another. */
export async function loadTensorFlow(backend: TfjsBackend): Promise<{ tf: TensorFlow; name: string; version: string }> {
  const packageName = { js: "tfjs-backend-cpu", node: "tfjs-node", gpu: "tfjs-node-gpu" }[backend];
  const name = backend === "js" ? "cpu" : "tensorflow";
  const folder = backend === "js" ? undefined : findAddon(backend);
  try {
    if (backend === "js") {
      const tf = await load("tfjs-core") as unknown as TensorFlow;
      tf.enableProdMode(); // else its first kernel prints an advertisement
      await load(packageName);
      if (!await tf.setBackend(name)) throw new Error("the backend does not start");
      await tf.ready();
      return { tf, name, version: VERSION };
    }
    // Removed from Node 23, and still called by every operation of tfjs-node 4.22.
    const { default: util } = await import("node:util") as unknown as { default: Record<string, unknown> };
    util.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
    const loaded = folder === undefined ? await load(packageName) : loadFolder(folder);
    const tf = (loaded.default ?? loaded) as unknown as TensorFlow;
    tf.enableProdMode();
    if (!await tf.setBackend(name)) throw new Error("the backend does not start");
    await tf.ready();
    const { isUsingGpuDevice, binding } = tf.backend();
    if (backend === "gpu" && isUsingGpuDevice !== true) throw new NoGpu("TensorFlow finds none that it can use");
    return { tf, name, version: `${VERSION}, TensorFlow ${binding?.TF_Version ?? "of unknown version"}` };
  } catch (cause) {
    throw new EngineError(`--engine tfjs:${backend} is not available`, {
      expected: `@tensorflow/${packageName} ${VERSION}${backend === "js" ? "" : " with its native addon"}`,
      found: cause instanceof Error ? cause.message.split("\n")[0]! : String(cause),
      ...(folder !== undefined && { where: folder }),
      hint: backend === "js"
        ? "allow the network once, or choose --engine cpu"
        : cause instanceof NoGpu
        ? "see whether nvidia-smi finds one, or choose --engine cpu"
        : `build it with tools/build_tfjs.ts${backend === "gpu" ? " --gpu" : ""}, or choose --engine cpu`,
      cause,
    });
  }
}
