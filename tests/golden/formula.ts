/** Weights that are not stored: value i of a tensor is a function of its name and i, the one of tests/golden/families.py. */
import { crc32 } from "node:zlib";
import type { Initial } from "../../lib/model/tensor_specs.ts";

/** u(i) in [−1, 1) from a hash of the name and i; 0.5 u, of vectors 0.2 u, and 1 + 0.3 u where they are scales. */
export const formula: Initial = (name, { shape }) => {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const start = crc32(name);
  const scale = name.endsWith("weight");
  for (let i = 0; i < values.length; i++) {
    let x = Math.imul(i, 0x9e3779b9) + start >>> 0;
    x = Math.imul(x ^ x >>> 16, 0x85ebca6b);
    x = Math.imul(x ^ x >>> 13, 0xc2b2ae35);
    const u = ((x ^ x >>> 16) >>> 0) / 2 ** 31 - 1;
    values[i] = shape.length > 1 ? 0.5 * u : scale ? 1 + 0.3 * u : 0.2 * u;
  }
  return values;
};
