/**
 * The largest of each row.
 *
 * @module
 */
import type { Engine } from "../engine.ts";
import { expectTopK } from "../shapes.ts";
import type { Kernel } from "./kernel.ts";
import type { Core } from "./memory.ts";
import { ROW } from "./wgsl.ts";

/**
 * The k largest of a row, one after the other: the next of those before, or the largest of x behind the last one that was
 * taken from there, which is looked for when that one was taken. Numbers are compared as whole numbers of the same order.
 */
const TOP_K: Kernel = {
  name: "topK",
  reads: { x: "f32", best: "f32", bestIndices: "i32" },
  writes: { values: "f32", indices: "i32" },
  numbers: { rows: "u32", width: "u32", k: "u32", held: "u32", first: "u32" },
  threads: ROW,
  head: `
var<workgroup> keys: array<u32, ${ROW}>;
var<workgroup> places: array<u32, ${ROW}>;
const NOWHERE = 0xffffffffu;
fn keyOf(bits: u32) -> u32 {
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return 0x007fffffu; } // NaN as −∞
  if ((bits & 0x7fffffffu) == 0u) { return 0x80000000u; }
  return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
}`,
  body: `
  let row = group;
  if (row >= p.rows) { return; }
  var taken = 0u; // of those before
  var key = 0xffffffffu;
  var place = NOWHERE;
  var isTaken = true;
  for (var n = 0u; n < p.k; n++) {
    if (isTaken) {
      var largest = 0u;
      var at = NOWHERE;
      for (var c = t; c < p.width; c += ${ROW}u) {
        let other = keyOf(bitcast<u32>(x[row * p.width + c]));
        let isBehind = place == NOWHERE || other < key || (other == key && c > place);
        if (isBehind && (at == NOWHERE || other > largest)) { largest = other; at = c; }
      }
      keys[t] = largest;
      places[t] = at;
      workgroupBarrier();
      for (var step = ${ROW / 2}u; step > 0u; step /= 2u) {
        if (t < step) {
          let other = t + step;
          if (places[other] != NOWHERE && (places[t] == NOWHERE || keys[other] > keys[t] ||
              (keys[other] == keys[t] && places[other] < places[t]))) {
            keys[t] = keys[other];
            places[t] = places[other];
          }
        }
        workgroupBarrier();
      }
      key = workgroupUniformLoad(&keys[0]);
      place = workgroupUniformLoad(&places[0]);
    }
    let next = row * p.k + taken;
    isTaken = taken == p.held || (place != NOWHERE && key > keyOf(bitcast<u32>(best[next])));
    if (t == 0u) {
      if (isTaken) {
        values[row * p.k + n] = x[row * p.width + place];
        indices[row * p.k + n] = i32(p.first + place);
      } else {
        values[row * p.k + n] = best[next];
        indices[row * p.k + n] = bestIndices[next];
      }
    }
    taken += select(1u, 0u, isTaken);
  }`,
};

/** See the Engine contract. */
export function topKernels({ device, temporary, at }: Core): Pick<Engine, "topK"> {
  return {
    topK(x, k, best) {
      const [rows, width] = expectTopK(x, k, best);
      const [values, indices] = [temporary([rows, k]), temporary([rows, k], "i32")];
      // Without those before, nothing is read of them: anything stands in their place.
      const before = { best: at(best?.values ?? x), bestIndices: at(best?.indices ?? x) };
      const places = { x: at(x), ...before, values: at(values), indices: at(indices) };
      const numbers = { rows, width, k, held: best === undefined ? 0 : k, first: best?.from ?? 0 };
      device.run(TOP_K, k === 0 ? 0 : rows, places, numbers);
      return { values, indices };
    },
  };
}
