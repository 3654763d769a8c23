/** Products of which one half is activated. */
import type { Activation } from "../../../../lib/engine/engine.ts";
import { type Case, testCase } from "../case.ts";
import { activations } from "../reference/activations.ts";
import { gated } from "../reference/products.ts";
import { differences, dot, normals, some } from "../tensor.ts";

function gatedCase(
  activation: Activation,
  tokens: number,
  width: number,
  activated: "first" | "second" | undefined,
): Case {
  return testCase(
    `gated product [${tokens}, 2 · ${width}] by ${activation} of the ${activated ?? "half of the default"}`,
    { x: normals([tokens, 2 * width], 1.5), dy: normals([tokens, width], 1, 1) },
    (engine, { x, dy }) => ({
      y: engine.gated(activation, x, activated),
      dx: engine.gatedBackward(activation, x, dy, activated),
    }),
    ({ x, dy }) => ({
      y: gated(activation, x, activated),
      dx: differences(x, (x) => dot(dy, gated(activation, x, activated)), some(x, 150)),
    }),
    3e-6,
  );
}

export const gatedProducts: readonly Case[] = [
  ...(Object.keys(activations) as Activation[]).map((name) => gatedCase(name, 5, 7, undefined)),
  ...(["gelu", "geluTanh", "silu"] as const).flatMap((name) =>
    (["first", "second"] as const).flatMap((half) => [
      gatedCase(name, 11, 20, half),
      gatedCase(name, 300, 66, half),
      gatedCase(name, 1, 1, half),
    ])
  ),
  gatedCase("silu", 0, 4, "second"),
];
