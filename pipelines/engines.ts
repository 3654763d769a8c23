/**
 * Which engines this machine has, what they say of themselves, and how fast they are.
 *
 * @module
 */
import { attempt } from "../lib/attempt.ts";
import type { Engine } from "../lib/engine/engine.ts";
import { productError, TOLERANCE } from "../lib/engine/product_error.ts";
import { measureProduct, measureRoofline } from "../lib/engine/roofline.ts";
import { type EngineChoice, selectEngine } from "../lib/engine/select.ts";
import { findAdapter } from "../lib/engine/webgpu/mod.ts";
import { EngineError, explain, knownError } from "../lib/error.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { text } from "../lib/pipeline/settings.ts";
import { tableLines } from "../lib/pipeline/table_lines.ts";

/** An engine that was tried. */
interface Tried {
  /** How it is asked for. */
  readonly flags: string;
  /** What executes its kernels. */
  readonly device: string;
  /** Its largest error in a product, in shares of the largest element; undefined where it was not started. */
  readonly error?: number;
  /** Of a large square product. */
  readonly gflops?: number;
  /** Of a layer's product of this size in fp16; undefined where the engine has none. */
  readonly gflopsOfFp16?: number;
  /** Why it does not multiply in fp16, though the card says so. */
  readonly missingFp16?: string;
  /** Of a sum of two vectors that fit into no cache. */
  readonly gigabytes?: number;
  /** Why it was not started. */
  readonly missing?: string;
}

/** The report. */
interface EnginesReport {
  /** Its form. */
  readonly schema: "kindred-engines/1";
  /** All that were tried. */
  readonly engines: readonly Tried[];
}

/** Starts an engine, checks it and measures it. */
async function tryEngine(flags: string, choice: EngineChoice): Promise<Tried> {
  let engine: Engine;
  try {
    ({ engine } = await selectEngine(choice));
  } catch (error) {
    return { flags, device: "–", missing: reasonOf(error) };
  }
  try {
    const error = await productError(engine);
    const { operations, bytes } = await measureRoofline(engine);
    const { device, kernels } = engine.info;
    return { flags, device: `${device}, ${kernels}`, error, gflops: operations / 1e9, gigabytes: bytes / 1e9 };
  } finally {
    engine.close();
  }
}

/** A card, in both of its precisions. */
async function tryCard(adapter: GPUAdapter | undefined): Promise<Tried> {
  const tried = await tryEngine("--engine webgpu", { engine: "webgpu" });
  if (tried.error === undefined || adapter?.features.has("shader-f16") !== true) return tried;
  try {
    const { engine } = await selectEngine({ engine: "webgpu", precision: "fp16" });
    try {
      return { ...tried, gflopsOfFp16: await measureProduct(engine, undefined, true) / 1e9 };
    } finally {
      engine.close();
    }
  } catch (error) {
    return { ...tried, missingFp16: reasonOf(error) };
  }
}

/** Why it failed, on one line. A bug of ours is thrown again. */
function reasonOf(error: unknown): string {
  const known = knownError(error);
  if (known === undefined) throw error;
  return explain(known).replaceAll(/\s+/g, " ");
}

/** The command. */
export const command: Command = {
  name: "engines",
  summary: "lists the tensor engines of this machine, checks each and measures it for some seconds",
  flags: ["json", "quiet", "engine", "threads"],
  meanings: { "engine": "this one alone; a processor that acts as a card is tried by its name only" },
  presets: {},
  run: ({ values }) =>
    attempt(async (): Promise<EnginesReport> => {
      const named = text(values, "engine");
      const threads = values["threads"] as number | undefined;
      const isWanted = (name: string) => named === undefined || named === "auto" || named === name;
      const engines: Tried[] = [];
      if (isWanted("cpu")) {
        for (const kernels of ["native", "wasm"] as const) {
          engines.push(await tryEngine(`--engine cpu --kernels ${kernels}`, { engine: "cpu", kernels, threads }));
        }
      }
      if (isWanted("webgpu")) {
        const adapter = await findAdapter();
        engines.push(
          adapter?.isSoftware === true && named !== "webgpu"
            ? { flags: "--engine webgpu", device: adapter.name, missing: "a processor that acts as a card: not tried" }
            : await tryCard(adapter?.adapter),
        );
      }
      if (named?.startsWith("tfjs:")) {
        engines.push(await tryEngine(`--engine ${named}`, { engine: named as EngineChoice["engine"] }));
      }
      const wrong = engines.filter(({ error }) => error !== undefined && !(error < TOLERANCE));
      if (wrong.length > 0) {
        throw new EngineError("an engine of this machine multiplies wrongly", {
          expected: `products that are off by ${TOLERANCE} of the largest element at most`,
          found: wrong.map(({ flags, device, error }) => `${flags} (${device}): ${error!.toExponential(1)}`).join(", "),
          hint: "another engine or another driver; --engine NAME tries one alone",
        });
      }
      return { schema: "kindred-engines/1", engines };
    }),
  print: ({ engines }: EnginesReport) =>
    engines.flatMap(({ flags, device, error, gflops, gflopsOfFp16, missingFp16, gigabytes, missing }) =>
      tableLines({
        title: flags,
        columns: ["", "what it says"],
        rows: [
          ["device", device],
          ...(missing === undefined ? [] : [["not started", missing] as const]),
          ...(error === undefined ? [] : [
            ["a product", `off by ${error.toExponential(1)}, as fp32 is`] as const,
            [
              "GFLOP/s",
              `${gflops!.toFixed(1)} in fp32${
                gflopsOfFp16 === undefined ? "" : `, ${gflopsOfFp16.toFixed(1)} of a layer in fp16`
              }`,
            ] as const,
            ...(missingFp16 === undefined ? [] : [["not in fp16", missingFp16] as const]),
            ["GB/s", gigabytes!.toFixed(1)] as const,
          ]),
        ],
      })
    ).join("\n"),
};

if (import.meta.main) await main(command);
