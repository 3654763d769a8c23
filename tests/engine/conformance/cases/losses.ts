/** Cross-entropy over logits, and over a large vocabulary. */
import { type Case, testCase, withScratch } from "../case.ts";
import { crossEntropy, linearCrossEntropyGradients, logitsOf, logSumExp, softmax } from "../reference/losses.ts";
import { add, differences, floats, integers, normals, some, type Tensor } from "../tensor.ts";

/** Targets of rows: some of them −1, all, or none. */
function targetsOf(rows: number, classes: number, without: "none" | "some" | "all"): Tensor {
  const target = (r: number) => (r * 5 + 1) % classes;
  return integers(
    Int32Array.from(
      { length: rows },
      (_, r) => without === "all" || (without === "some" && r % 3 === 1) ? -1 : target(r),
    ),
  );
}

const WITHOUT = ["none", "some", "all"] as const;
const of = (value: number) => floats([value]);

const overLogits: Case[] = ([[1, 1], [1, 7], [11, 7], [16, 9], [5, 20], [130, 66], [3, 301], [0, 4]] as const).flatMap((
  [rows, classes],
) =>
  WITHOUT.map((without) =>
    testCase(
      `cross-entropy of [${rows}, ${classes}], ${without} without a target`,
      { logits: normals([rows, classes], 3), targets: targetsOf(rows, classes, without), dLoss: of(-2.5) },
      (engine, { logits, targets, dLoss }) => {
        const { loss, probabilities } = engine.crossEntropy(logits, targets);
        return { loss, probabilities, dLogits: engine.crossEntropyBackward(dLoss, probabilities, targets) };
      },
      ({ logits, targets }) => ({
        loss: of(crossEntropy(logits, targets)),
        probabilities: softmax(logits),
        dLogits: differences(logits, (logits) => -2.5 * crossEntropy(logits, targets), some(logits, 150)),
      }),
    )
  )
);

const far = testCase(
  "cross-entropy of logits of some thousands",
  {
    logits: floats([5000, 4999, -3e4, 0, -2000, -2001, -2000.5, -9000], [2, 4]),
    targets: integers([1, 0]),
    dLoss: of(1),
  },
  (engine, { logits, targets, dLoss }) => {
    const { loss, probabilities } = engine.crossEntropy(logits, targets);
    return { loss, probabilities, dLogits: engine.crossEntropyBackward(dLoss, probabilities, targets) };
  },
  ({ logits, targets }) => ({
    loss: of(crossEntropy(logits, targets)),
    probabilities: softmax(logits),
    dLogits: differences(logits, (logits) => crossEntropy(logits, targets)),
  }),
  1e-3, // logΣexp is 5000 and some: a rounding is 5e-4
);

interface Large {
  readonly rows: number;
  readonly width: number;
  readonly vocabulary: number;
  readonly without?: typeof WITHOUT[number];
  readonly bias?: boolean;
  /** Which gradients of parameters are asked for. Default both. */
  readonly wanted?: readonly ("weight" | "bias")[];
}

function large(
  { rows, width, vocabulary, without = "some", bias: biased = true, wanted = ["weight", "bias"] }: Large,
): Case {
  const small = rows * width * vocabulary < 5000;
  return withScratch(testCase(
    `cross-entropy of [${rows}, ${width}] over ${vocabulary}${
      biased ? " with a bias" : ""
    }, ${without} without a target, gradients of ${wanted.join(", ") || "none"}`,
    {
      x: normals([rows, width]),
      weight: normals([vocabulary, width], 1, 1),
      bias: normals([vocabulary], 1, 2),
      targets: targetsOf(rows, vocabulary, without),
      dLoss: of(3),
      dWeight: normals([vocabulary, width], 0.1, 3),
      dBias: normals([vocabulary], 0.1, 4),
    },
    (engine, { x, weight, bias, targets, dLoss, dWeight, dBias }) => {
      const b = biased ? bias : undefined;
      const forward = engine.linearCrossEntropy(x, weight, b, targets);
      const dx = engine.linearCrossEntropyBackward(
        dLoss,
        x,
        weight,
        b,
        targets,
        forward,
        wanted.includes("weight") ? dWeight : undefined,
        wanted.includes("bias") ? dBias : undefined,
      );
      return { loss: forward.loss, logSumExp: forward.logSumExp, dx, dWeight, dBias };
    },
    ({ x, weight, bias, targets, dWeight, dBias }) => {
      const b = biased ? bias : undefined;
      const loss = (x: Tensor, weight: Tensor, bias: Tensor | undefined) =>
        3 * crossEntropy(logitsOf(x, weight, bias), targets);
      // Differences of a large vocabulary would take minutes; the formula is what they say for the small ones.
      const gradients = small
        ? {
          dx: differences(x, (x) => loss(x, weight, b)),
          dWeight: differences(weight, (weight) => loss(x, weight, b)),
          dBias: differences(bias, (bias) => loss(x, weight, bias)),
        }
        : linearCrossEntropyGradients(x, weight, b, targets, 3);
      return {
        loss: of(crossEntropy(logitsOf(x, weight, b), targets)),
        logSumExp: logSumExp(logitsOf(x, weight, b)),
        dx: gradients.dx,
        dWeight: wanted.includes("weight") ? add(dWeight, gradients.dWeight) : dWeight,
        dBias: wanted.includes("bias") ? add(dBias, gradients.dBias) : dBias,
      };
    },
  ));
}

export const losses: readonly Case[] = [
  ...overLogits,
  far,
  ...WITHOUT.flatMap((without) => [
    large({ rows: 11, width: 20, vocabulary: 7, without }),
    large({ rows: 4, width: 3, vocabulary: 33, without, bias: false, wanted: ["weight"] }),
  ]),
  large({ rows: 5, width: 6, vocabulary: 9, wanted: [] }),
  large({ rows: 5, width: 6, vocabulary: 9, wanted: ["bias"] }),
  large({ rows: 1, width: 5, vocabulary: 1, without: "none" }),
  large({ rows: 0, width: 5, vocabulary: 3, without: "none" }),
  large({ rows: 70, width: 33, vocabulary: 701 }),
];
