/** Where a gradient is compared with a formula, for differences would take long: the formula is what they say. */
import assert from "node:assert/strict";
import { crossEntropy, linearCrossEntropyGradients, logitsOf } from "./reference/losses.ts";
import { gather, scatterAdd } from "./reference/rows.ts";
import { differences, dot, filled, integers, normals, type Tensor } from "./tensor.ts";

function near(found: Tensor, expected: Tensor): void {
  assert.deepEqual(found.shape, expected.shape);
  found.data.forEach((value, i) => assert.ok(Math.abs(value - expected.data[i]!) < 1e-8));
}

Deno.test("scatter-add is the gradient of gather", () => {
  const [table, ids, dy] = [normals([4, 3]), integers([3, 0, 3, 3, 1]), normals([5, 3], 1, 1)];
  const gradient = differences(table, (table) => dot(dy, gather(table, ids)));
  near(scatterAdd(filled([4, 3], 0), ids, dy), gradient);
});

Deno.test("the formula of a large vocabulary's gradients is what differences say", () => {
  const [x, weight, bias] = [normals([4, 3]), normals([5, 3], 1, 1), normals([5])];
  const targets = integers([2, -1, 0, 4]);
  const loss = (x: Tensor, weight: Tensor, bias: Tensor) => 3 * crossEntropy(logitsOf(x, weight, bias), targets);
  const { dx, dWeight, dBias } = linearCrossEntropyGradients(x, weight, bias, targets, 3);
  near(dx, differences(x, (x) => loss(x, weight, bias)));
  near(dWeight, differences(weight, (weight) => loss(x, weight, bias)));
  near(dBias, differences(bias, (bias) => loss(x, weight, bias)));
});
