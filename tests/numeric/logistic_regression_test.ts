import assert from "node:assert/strict";
import { minimize } from "../../lib/numeric/lbfgs.ts";
import { moreThuente } from "../../lib/numeric/line_search.ts";
import { fitLogisticRegression, predictClasses } from "../../lib/numeric/logistic_regression.ts";
import { assertNear } from "../golden/golden.ts";
import { golden, lookUp } from "../evaluate/mteb/golden.ts";

const SCIPY = {
  nit: 12,
  nfev: 15,
  fun: 3.954958754163866,
  x: [0.03604572026655832, -0.00772839145801092, 0.022818620672871156, 0.017546586889053244, 0.003774126504436341],
};

for (const [i, fit] of golden.fits.entries()) {
  const how = fit.n_iter === fit.max_iter ? `cut after ${fit.max_iter} iterations` : "converged";
  Deno.test(`fitLogisticRegression() has scikit-learn's coefficients: fit ${i}, ${how}`, async () => {
    const model = await fitLogisticRegression(lookUp(fit.rows, fit.scale), fit.labels, { maxIterations: fit.max_iter });
    assert.equal(model.iterations, fit.n_iter);
    assert.equal(model.converged, fit.n_iter < fit.max_iter);
    assertNear("coefficients", model.weights, fit.coef, 1e-6);
    assertNear("intercepts", model.intercepts, fit.intercept, 1e-6);
  });
}

Deno.test("classes are told apart by their values, whatever these are", async () => {
  const rows = { data: Float32Array.of(1, 0, .9, .1, 0, 1, .1, .9, -1, -1, -.9, -1), width: 2, rows: 6 };
  const model = await fitLogisticRegression(rows, [9, 9, -4, -4, 30, 30]);
  assert.deepEqual(model.classes, [-4, 9, 30]);
  assert.deepEqual([...await predictClasses(model, rows)], [9, 9, -4, -4, 30, 30]);
});

Deno.test("a fit refuses one class, labels that do not match, and predicting other widths", async () => {
  const rows = { data: Float32Array.of(1, 2, 3, 4), width: 2, rows: 2 };
  await assert.rejects(fitLogisticRegression(rows, [1, 1]), /at least two classes/);
  await assert.rejects(fitLogisticRegression(rows, [1]), /one label for each row/);
  const model = await fitLogisticRegression(rows, [0, 1]);
  await assert.rejects(predictClasses(model, { data: Float32Array.of(1, 2, 3), width: 3, rows: 1 }), /width of those/);
});

Deno.test("minimize() follows scipy's L-BFGS-B on Rosenbrock's function", async () => {
  const rosenbrock = (x: Float64Array, gradient: Float64Array) => {
    gradient.fill(0);
    let value = 0;
    for (let i = 0; i + 1 < x.length; i++) {
      const [a, b] = [x[i + 1]! - x[i]! ** 2, 1 - x[i]!];
      value += 100 * a * a + b * b;
      gradient[i]! += -400 * a * x[i]! - 2 * b;
      gradient[i + 1]! += 200 * a;
    }
    return value;
  };
  // scipy.optimize.minimize(rosen, [-1.2, 1, -1.2, 1, .5], jac=rosen_der, method="L-BFGS-B", options={"maxiter": 12})
  const { x, iterations, evaluations, value } = await minimize(rosenbrock, Float64Array.of(-1.2, 1, -1.2, 1, .5), {
    maxIterations: 12,
  });
  assert.deepEqual([iterations, evaluations], [SCIPY.nit, SCIPY.nfev]);
  assertNear("x", x, SCIPY.x, 1e-9);
  assert.ok(Math.abs(value - SCIPY.fun) < 1e-9 * SCIPY.fun);
  const whole = await minimize(rosenbrock, Float64Array.of(-1.2, 1, -1.2, 1, .5));
  assert.ok(whole.converged);
  assertNear("x", whole.x, [1, 1, 1, 1, 1], 1e-4);
});

Deno.test("minimize() says where a function has no start, and stays where it is lowest", async () => {
  await assert.rejects(minimize(() => NaN, new Float64Array(1)), /not finite/);
  const flat = await minimize((_, gradient) => (gradient.fill(0), 3), Float64Array.of(5));
  assert.deepEqual([flat.x[0], flat.iterations, flat.converged], [5, 0, true]);
  // A gradient that lies: no step along it goes down, and the search gives up.
  const lie = await minimize((x, gradient) => (gradient[0] = -1, Math.abs(x[0]!)), Float64Array.of(0));
  assert.deepEqual([lie.x[0], lie.converged], [0, false]);
});

Deno.test("moreThuente() ends at a step with both properties", () => {
  for (const first of [1e-3, 0.1, 1, 10, 1000]) {
    const f = (x: number) => [-x / (x * x + 2), (x * x - 2) / (x * x + 2) ** 2] as const; // their first example
    const search = moreThuente(...f(0), first);
    let step = first;
    for (let next: number | undefined = step, n = 0; next !== undefined; next = search(...f(step)), n++) {
      assert.ok(n < 30);
      step = next;
    }
    assert.ok(f(step)[0] <= f(0)[0] + 1e-3 * step * f(0)[1]);
    assert.ok(Math.abs(f(step)[1]) <= 0.9 * Math.abs(f(0)[1]));
  }
});
