/**
 * The largest of each row.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import type { Engine } from "../engine.ts";
import type { Kernel } from "./kernel.ts";
import type { Core } from "./memory.ts";
import { ROW } from "./wgsl.ts";

/**
 * The k largest of a row, one after the other: each time the largest of what comes behind the last one. Numbers are
 * compared as whole numbers of the same order, NaN below all.
 */
const TOP_K: Kernel = {
  name: "topK",
  reads: { x: "f32" },
  writes: { values: "f32", indices: "i32" },
  numbers: { rows: "u32", width: "u32", k: "u32" },
  threads: ROW,
  head: `
var<workgroup> keys: array<u32, ${ROW}>;
var<workgroup> places: array<u32, ${ROW}>;
fn keyOf(bits: u32) -> u32 {
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return 0u; }
  if ((bits & 0x7fffffffu) == 0u) { return 0x80000000u; }
  return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
}`,
  body: `
  let row = group;
  if (row >= p.rows) { return; }
  var lastKey = 0xffffffffu;
  var lastPlace = 0xffffffffu;
  for (var n = 0u; n < p.k; n++) {
    var best = 0u;
    var place = 0xffffffffu;
    for (var c = t; c < p.width; c += ${ROW}u) {
      let key = keyOf(bitcast<u32>(x[row * p.width + c]));
      let isBehind = lastPlace == 0xffffffffu || key < lastKey || (key == lastKey && c > lastPlace);
      if (isBehind && (place == 0xffffffffu || key > best)) { best = key; place = c; }
    }
    keys[t] = best;
    places[t] = place;
    workgroupBarrier();
    for (var step = ${ROW / 2}u; step > 0u; step /= 2u) {
      if (t < step) {
        let other = t + step;
        if (places[other] != 0xffffffffu && (places[t] == 0xffffffffu || keys[other] > keys[t] ||
            (keys[other] == keys[t] && places[other] < places[t]))) {
          keys[t] = keys[other];
          places[t] = places[other];
        }
      }
      workgroupBarrier();
    }
    lastKey = keys[0];
    lastPlace = places[0];
    workgroupBarrier();
    if (t == 0u) {
      values[row * p.k + n] = x[row * p.width + lastPlace];
      indices[row * p.k + n] = i32(lastPlace);
    }
  }`,
};

/** See the Engine contract. */
export function topKernels({ device, temporary, at }: Core): Pick<Engine, "topK"> {
  return {
    topK(x, k) {
      const [rows, width] = x.shape as [number, number];
      if (k > width) {
        throw new EngineError("topK: fewer columns than wanted", { expected: `${k}`, found: `[${x.shape}]` });
      }
      const [values, indices] = [temporary([rows, k]), temporary([rows, k], "i32")];
      const places = { x: at(x), values: at(values), indices: at(indices) };
      device.run(TOP_K, k === 0 ? 0 : rows, places, { rows, width, k });
      return { values, indices };
    },
  };
}
