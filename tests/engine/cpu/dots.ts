/**
 * Every way in which this machine can add up products of 8 bits.
 *
 * @module
 */
import { DOTS, LEVELS, type NativeKernels, openNativeKernels } from "../../../lib/engine/cpu/native.ts";

/** Kernels by level and by instruction; undefined: as WebAssembly. */
export const WAYS: (readonly [name: string, native: NativeKernels | undefined])[] = [["wasm", undefined]];
for (const level of LEVELS) {
  const { native } = await openNativeKernels(level);
  if (native === undefined) continue;
  for (const dots of DOTS.slice(0, DOTS.indexOf(native.dots) + 1)) {
    WAYS.push([`${level}, ${dots}`, { ...native, dots }]);
  }
}
