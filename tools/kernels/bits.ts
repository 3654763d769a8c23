/**
 * What the kernels give for every case of the suite of conformance, as one hash each: `elsewhere.ts` bundles this file and
 * runs it on another system, where computing the definitions as well would take long.
 *
 * @module
 */
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { LEVELS, openNativeKernels } from "../../lib/engine/cpu/native.ts";
import { faultOf } from "../../lib/engine/cpu/self_test.ts";
import type { Engine } from "../../lib/engine/engine.ts";
import { type Case, upload } from "../../tests/engine/conformance/case.ts";
import { table } from "../../tests/engine/conformance/table.ts";

/** Case → hash. */
export type Bits = Readonly<Record<string, string>>;

/** What a system says of its kernels: a line for each level, and number of threads. */
export interface Found {
  /** The set of instructions. */
  readonly level: string;
  /** Threads of computation. */
  readonly threads: number;
  /** Why there are none, or what they compute wrongly. */
  readonly fault?: string | undefined;
  /** What they give. */
  readonly bits?: Bits;
}

// deno-lint-ignore no-console -- what the other side reads
const say = (found: Found) => console.log(JSON.stringify(found));

/** Of all cases on an engine, which is closed then. */
export async function bitsOn(engine: Engine): Promise<Bits> {
  const bits: Record<string, string> = {};
  for (const [subject, cases] of Object.entries(table)) {
    for (const each of cases) bits[`${subject}: ${each.name}`] = await bitsOf(engine, each);
  }
  engine.close();
  return bits;
}

async function bitsOf(engine: Engine, { inputs, run }: Case): Promise<string> {
  engine.enter();
  const handles = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, upload(engine, value)]));
  const parts: (Float32Array | Int32Array)[] = [];
  for (const [, handle] of Object.entries(run(engine, handles)).sort(([a], [b]) => a < b ? -1 : 1)) {
    parts.push(withoutSigns(await engine.read(handle)));
  }
  engine.exit();
  const bytes = new Uint8Array(await new Blob(parts as Float32Array<ArrayBuffer>[]).arrayBuffer());
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(0, 16);
}

/** What is not a number has a sign, which differs between processors and which nothing asks for. */
function withoutSigns(values: Float32Array | Int32Array): Float32Array | Int32Array {
  if (!(values instanceof Float32Array)) return values;
  const bits = new Uint32Array(values.buffer);
  values.forEach((value, i) => Number.isNaN(value) && (bits[i] = 0x7fc00000));
  return values;
}

if (import.meta.main) {
  for (const level of LEVELS) {
    const { native, reason } = await openNativeKernels(level);
    const fault = native === undefined ? reason : faultOf(native);
    if (native === undefined || fault !== undefined) {
      say({ level, threads: 1, fault });
      continue;
    }
    for (const threads of [1, 2]) {
      say({ level, threads, bits: await bitsOn(createCpuEngine({ threads, native })) });
    }
  }
}
