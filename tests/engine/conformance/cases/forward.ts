/**
 * Forward passes alone: a backward pass takes the memory behind their results, and would hide what is written there. Each
 * has sixteen rows and columns, so that no padding takes it either.
 */
import { type Case, testCase } from "../case.ts";
import { crossEntropy, softmax } from "../reference/losses.ts";
import { layerNorm, normalizeRows, rmsNorm } from "../reference/norms.ts";
import { gated } from "../reference/products.ts";
import { attention, pool } from "../reference/sequences.ts";
import { floats, integers, normals } from "../tensor.ts";

const x = normals([16, 16]);
const [weight, beta] = [normals([16], 1, 1), normals([16], 1, 2)];
const offsets = integers([0, 7, 16]);

export const forwards: readonly Case[] = [
  testCase(
    "cross-entropy of [16, 16] alone",
    { x, targets: integers(Int32Array.from({ length: 16 }, (_, i) => i % 5 - 1)) },
    (engine, { x, targets }) => ({ ...engine.crossEntropy(x, targets) }),
    ({ x, targets }) => ({ loss: floats([crossEntropy(x, targets)]), probabilities: softmax(x) }),
  ),
  testCase(
    "layer norm of [16, 16] alone",
    { x, weight, beta },
    (engine, { x, weight, beta }) => ({ ...engine.layerNorm(x, weight, beta, 1e-5) }),
    ({ x, weight, beta }) => layerNorm(x, weight, beta, 1e-5),
  ),
  testCase(
    "RMS norm of [16, 16] alone",
    { x, weight },
    (engine, { x, weight }) => ({ ...engine.rmsNorm(x, weight, 1e-5) }),
    ({ x, weight }) => rmsNorm(x, weight, 1e-5),
  ),
  testCase(
    "rows of [16, 16] to length 1 alone",
    { x },
    (engine, { x }) => ({ ...engine.normalizeRows(x, 1e-12) }),
    ({ x }) => normalizeRows(x, 1e-12),
  ),
  testCase(
    "a gated product [16, 2 · 16] alone",
    { x: normals([16, 32]) },
    (engine, { x }) => ({ y: engine.gated("silu", x) }),
    ({ x }) => ({ y: gated("silu", x) }),
  ),
  testCase(
    "attention of sixteen tokens alone",
    { qkv: normals([16, 48]), offsets },
    (engine, { qkv, offsets }) => ({ ...engine.attention({ qkv, offsets, heads: 1, maxLength: 9 }) }),
    ({ qkv, offsets }) => attention({ qkv, offsets, heads: 1 }),
  ),
  testCase(
    "pooling of sixteen columns alone",
    { x, offsets },
    (engine, { x, offsets }) => ({ y: engine.pool(x, offsets, "mean") }),
    ({ x, offsets }) => ({ y: pool(x, offsets, "mean") }),
  ),
];
