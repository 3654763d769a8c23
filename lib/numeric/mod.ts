/**
 * Ports of numpy, scipy and scikit-learn that give their numbers: correlations, logistic regression, k-means, principal
 * components, random streams.
 *
 * @module
 */
export { pearson, ranks, spearman, type Values } from "./correlation.ts";
export { type Histogram, histogramOf } from "./histogram.ts";
export { minimize, type MinimizeOptions, type Minimum } from "./lbfgs.ts";
export {
  fitLogisticRegression,
  type LogisticRegression,
  type LogisticRegressionOptions,
  predictClasses,
} from "./logistic_regression.ts";
export type { Matrix } from "./matrix.ts";
export { type NumpyRandom, numpyRandom, type PythonRandom, pythonRandom } from "./mersenne_twister.ts";
export { type Clustering, miniBatchKMeans, type MiniBatchKMeansOptions } from "./mini_batch_kmeans.ts";
export { correlationPValue } from "./p_value.ts";
export { principalComponents, type Projection, type ProjectionOptions } from "./projection.ts";
export { roundTo } from "./rounding.ts";
