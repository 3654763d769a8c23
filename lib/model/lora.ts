/**
 * Adapters of low rank (LoRA; Hu et al. 2021, arXiv 2106.09685): instead of the weight W of a linear layer, A and B of
 * W + (α/r) · B A are trained. Names are those of PEFT.
 *
 * @module
 */
import type { TensorToWrite } from "../checkpoint/safetensors.ts";
import { type Dropout, type Engine, scopeAsync } from "../engine/engine.ts";
import { randomPurpose, randomStream } from "../engine/philox.ts";
import { UsageError } from "../error.ts";
import type { Parameters, Tensor } from "../tensor/tensor.ts";
import { makeParameters, readParameters } from "./parameters.ts";
import { type Initial, specList, type TensorSpecs } from "./tensor_specs.ts";

/** How adapters are made. */
export interface LoraSettings {
  /** Rows of A and columns of B, r. */
  readonly rank: number;
  /** α: what B A is multiplied by is α/r. Default: twice the rank. */
  readonly alpha?: number | undefined;
  /**
   * Which linear layers of the encoder have one, as PEFT's `target_modules`: names, or ends of names behind a dot; a regular
   * expression of whole names; or `all-linear`. Default: all-linear.
   */
  readonly targets?: string | readonly string[] | undefined;
  /** Dropout of what goes into A, in training. Default 0. */
  readonly dropout?: number | undefined;
}

/** The same, complete. */
export type ResolvedLora = { readonly [K in keyof LoraSettings]-?: NonNullable<LoraSettings[K]> };

/**
 * Settings of adapters, complete.
 *
 * @param settings What is said.
 * @returns With the defaults for what is not.
 */
export function resolveLora({ rank, alpha, targets, dropout }: LoraSettings): ResolvedLora {
  return { rank, alpha: alpha ?? 2 * rank, targets: targets ?? ALL_LINEAR, dropout: dropout ?? 0 };
}

const ALL_LINEAR = "all-linear";

/** The adapters of an encoder. */
export interface LoraAdapters {
  /** How they were made. */
  readonly settings: ResolvedLora;
  /** Their tensors: `<layer>.lora_A.weight` [r, K], `<layer>.lora_B.weight` [N, r]. */
  readonly parameters: Parameters;
  /** Where they belong. */
  readonly places: readonly LoraPlace[];
}

/** A weight with adapters. Of one that is made of several, each may have its own. */
export interface LoraPlace {
  /** The weight among the encoder's parameters. */
  readonly weight: string;
  /** What its adapters' parameters are called, without `.lora_A.weight`. */
  readonly name: string;
  /** The layers of the checkpoint that have one, and their rows of the weight. */
  readonly blocks: readonly { readonly layer: string; readonly row: number; readonly rows: number }[];
}

/**
 * Adapters for an encoder whose weights are not trained: A uniform as PEFT's (Kaiming with √5: ±1/√K), B zero, so that the
 * model begins as it was.
 *
 * @param engine Holds them until they are freed with the encoder's parameters.
 * @param encoder Its parameters and what they are.
 * @param settings Rank, scale, targets.
 * @param options The seed of A, and whether a tensor may be adapted, by its name. Default: all.
 * @returns The adapters.
 * @throws {UsageError} The targets name no layer.
 */
export async function makeAdapters(
  engine: Engine,
  encoder: { readonly parameters: Parameters; readonly specs: TensorSpecs },
  settings: LoraSettings,
  options: { readonly seed: number; readonly wanted: (name: string) => boolean },
): Promise<LoraAdapters> {
  const resolved = resolveLora(settings);
  const chosen = new Set(
    targetLayers(encoder.specs, resolved.targets).filter((name) => options.wanted(weightOf(name))),
  );
  if (chosen.size === 0) {
    throw new UsageError("all layers that would have an adapter are frozen", { found: String(resolved.targets) });
  }
  const places = placesOf(encoder.parameters, chosen);
  const list = specList();
  const joined = new Map<string, readonly string[]>();
  for (const { weight, name, blocks } of places) {
    const width = encoder.parameters[weight]!.value.shape[1]!;
    for (const kind of ["A", "B"] as const) {
      const names = blocks.map(({ layer }) => loraName(layer, kind));
      if (names.length > 1) joined.set(loraName(name, kind), names);
      for (const [i, { rows }] of blocks.entries()) {
        list.add(names[i]!, "matrix", ...kind === "A" ? [resolved.rank, width] : [rows, resolved.rank]);
      }
    }
  }
  const parameters = await makeParameters(engine, list.specs, initialOf(options.seed), () => true, joined);
  return { settings: resolved, parameters, places };
}

const weightOf = (layer: string) => `${layer}.weight`;
const loraName = (layer: string, kind: "A" | "B") => `${layer}.lora_${kind}.weight`;

/** The linear layers that targets name, in the order of the encoder. */
export function targetLayers(specs: TensorSpecs, targets: ResolvedLora["targets"]): string[] {
  const layers = [...specs].flatMap(([name, { kind }]) => kind === "linear" ? [name.replace(/\.weight$/, "")] : []);
  const isNamed = (layer: string, end: string) => layer === end || layer.endsWith(`.${end}`);
  const fail = (found: string): never => {
    const ends = new Set(
      layers.map((name) => name.split(".").slice(-2).filter((part) => !/^\d+$/.test(part)).join(".")),
    );
    throw new UsageError("--lora-targets names no linear layer of the model", {
      expected: `all-linear, names such as ${[...ends].slice(0, 8).join(", ")}, or a regular expression of whole names`,
      found,
    });
  };
  if (layers.length === 0) {
    throw new UsageError("the model has no linear layers, beside which adapters would stand", {
      hint: "train it whole, without --lora-rank (lora)",
    });
  }
  if (targets === ALL_LINEAR) return layers;
  if (typeof targets !== "string") {
    const idle = targets.filter((end) => !layers.some((layer) => isNamed(layer, end)));
    if (idle.length > 0 || targets.length === 0) fail(idle.join(", ") || "an empty list");
    return layers.filter((layer) => targets.some((end) => isNamed(layer, end)));
  }
  const pattern = patternOf(targets);
  const found = layers.filter((layer) => pattern.test(layer));
  return found.length === 0 ? fail(targets) : found;
}

function patternOf(targets: string): RegExp {
  try {
    return new RegExp(`^(?:${targets})$`);
  } catch (error) {
    throw new UsageError("--lora-targets is no regular expression", {
      expected: String.raw`such as .*\.(query|value)`,
      found: targets,
      cause: error,
    });
  }
}

function placesOf(parameters: Parameters, chosen: ReadonlySet<string>): LoraPlace[] {
  return Object.entries(parameters).flatMap(([weight, { value, parts }]) => {
    let next = 0;
    const blocks = (parts ?? [{ name: weight, rows: value.shape[0]! }]).flatMap(({ name, rows }) => {
      const [layer, row] = [name.replace(/\.weight$/, ""), next];
      next += rows;
      return name.endsWith(".weight") && chosen.has(layer) ? [{ layer, row, rows }] : [];
    });
    if (blocks.length === 0) return [];
    return [{ weight, name: blocks.length === 1 ? blocks[0]!.layer : weight.replace(/\.weight$/, ""), blocks }];
  });
}

/** A uniform in ±1/√K, B zero. */
function initialOf(seed: number): Initial {
  let count = 0;
  return (name, { shape: [rows, width] }) => {
    const values = new Float32Array(rows! * width!);
    if (name.endsWith("lora_B.weight")) return values;
    const stream = randomStream(seed, randomPurpose("lora-init"), count++);
    const bound = 1 / Math.sqrt(width!);
    return values.map(() => (2 * stream.uniform() - 1) * bound);
  };
}

/**
 * The encoder's parameters with their adapters, for one pass. The parts of a weight that is made of several share the
 * dropped input, which in PEFT each drops for itself.
 */
export function withAdapters(
  parameters: Parameters,
  adapters: LoraAdapters,
  drop: (rate: number, place: number) => Dropout | undefined,
): Parameters {
  const { settings: { alpha, rank, dropout }, places } = adapters;
  const adapted: Record<string, Tensor> = { ...parameters };
  for (const [i, { weight, name, blocks }] of places.entries()) {
    adapted[weight] = {
      ...parameters[weight]!,
      adapter: {
        a: adapters.parameters[loraName(name, "A")]!,
        b: adapters.parameters[loraName(name, "B")]!,
        scale: alpha / rank,
        blocks,
        dropout: drop(dropout, i),
      },
    };
  }
  return adapted;
}

/** Floats that a pass holds per token for the adapters, backward included: x Aᵀ, and the dropped input of each. */
export function loraFloatsPerToken({ settings: { rank, dropout }, places, parameters }: LoraAdapters): number {
  return places.reduce((sum, { name, blocks }) => {
    const width = parameters[loraName(name, "A")]!.value.shape[1]!;
    return sum + 2 * rank * blocks.length + (dropout === 0 ? 0 : width);
  }, 0);
}

/** The encoder's tensors, under the names of the checkpoint, as they are with the adapters: W + (α/r) · B A. */
export async function mergedTensors(
  engine: Engine,
  parameters: Parameters,
  adapters: LoraAdapters | undefined,
): Promise<TensorToWrite[]> {
  const tensors = await readParameters(engine, parameters);
  if (adapters === undefined) return tensors;
  const { settings: { alpha, rank }, places } = adapters;
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  for (const { name, blocks } of places) {
    const [a, b] = (["A", "B"] as const).map((kind) => adapters.parameters[loraName(name, kind)]!.value);
    let from = 0;
    for (const [i, { layer, rows }] of blocks.entries()) {
      const product = await scopeAsync(engine, async () => {
        const ownA = engine.sliceRows(a!, i * rank, (i + 1) * rank);
        const ownB = engine.sliceRows(b!, from, from + rows);
        return await engine.read(engine.matmul(ownB, ownA, { scale: alpha / rank }));
      });
      const { data } = byName.get(weightOf(layer))!;
      product.forEach((value, j) => data[j]! += value);
      from += rows;
    }
  }
  return tensors;
}

/** The layers that have an adapter. */
export function adaptedLayers({ places }: LoraAdapters): string[] {
  return places.flatMap(({ blocks }) => blocks.map(({ layer }) => layer));
}

/** What adapters are, for reports and cards. */
export function loraFacts({ rank, alpha, targets, dropout }: ResolvedLora): string {
  const where = typeof targets === "string" ? targets : targets.join(", ");
  return `rank ${rank}, alpha ${alpha}, on ${where}${dropout === 0 ? "" : `, dropout ${dropout}`}`;
}
