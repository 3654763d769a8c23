/**
 * The Engine contract: what a device must do to train and run an encoder.
 *
 * An engine owns device memory and some thirty kernels at the grain of neural-network operations. It knows nothing of
 * models, losses or files. Kernels enqueue and return at once; only {@linkcode Engine.read} waits, and an error of the
 * device surfaces there.
 *
 * Notation: T tokens of all sequences laid end to end, n sequences, H features, R rows, C columns, V vocabulary.
 *
 * @module
 */

/**
 * Element types of a tensor. Weights, losses and optimizer are always f32; what a product takes may be bf16 or f16 where
 * the engine has them ({@linkcode Engine.cast} tells).
 *
 * i8 is the weight [N, K] of a linear layer in numbers of 8 bits, for inference: a variable to which whole rows are written,
 * and which `matmul` takes as b with `transposeB`, beside `bias`, `activation` and `out` alone. The rows of a are quantised
 * as those of the weight. With m = max |row| a row is q · s: q = x · (127 / m), rounded to the nearest whole number, of two
 * to the even one, and s = m / 127; y = f(Σ qₐ q_b · (sₐ s_b) + bias), the sum exact, all else rounded to f32. A row below
 * 2⁻¹⁰⁰ is 0; one with something that is not finite gives NaN. Refused by name where the engine does not have it.
 */
export type DType = "f32" | "i32" | "bf16" | "f16" | "i8";

/** A tensor on the device. Opaque above the engine: only shape and type may be looked at. */
export interface Handle {
  /** Row-major shape; `[]` never occurs, a scalar is `[1]`. */
  readonly shape: readonly number[];
  /** Element type. */
  readonly dtype: DType;
}

/**
 * Activations that can follow a matrix product. With σ(x) = 1 / (1 + e^−x): `gelu` is the exact one by erf, `geluTanh` its
 * approximation, `silu` x σ(x), `quickGelu` x σ(1.702 x), `leakyRelu` has the slope .01 below 0, `squaredRelu` is relu².
 */
export type Activation =
  | "gelu"
  | "geluTanh"
  | "tanh"
  | "relu"
  | "silu"
  | "quickGelu"
  | "sigmoid"
  | "leakyRelu"
  | "squaredRelu";

/** Functions of one element. */
export type Unary = "abs" | "sign" | "exp" | "log" | "sqrt" | "square" | "reciprocal";

/** Functions of two elements of equal place. */
export type Binary = "add" | "subtract" | "multiply" | "divide" | "maximum";

/** How the tokens of a sequence become one embedding. */
export type PoolingMode = "mean" | "cls" | "max" | "mean_sqrt_len" | "weightedmean" | "lasttoken";

/** The modes that weigh tokens. */
export type WeighingMode = Exclude<PoolingMode, "max">;

/**
 * Identifies a stream of random numbers: the mask of an element depends on this key and on the element's own place
 * (row of the epoch, column, token position, feature), never on how rows were packed. See `philox.ts`.
 */
export interface RandomKey {
  /** The run's seed (unsigned 32 bits are used). */
  readonly seed: number;
  /** Purpose and layer, as one unsigned 32-bit number: see `randomPurpose` in `philox.ts`. */
  readonly purpose: number;
  /** The optimizer step. */
  readonly step: number;
}

/**
 * Dropout over rows of features. Element (row r, feature f) is kept when its 16 random bits are at least
 * `round(rate · 2¹⁶)`, and divided by the exact probability of being kept.
 */
export interface Dropout {
  /** Share of elements set to 0, in [0, 1). */
  readonly rate: number;
  /** Where the random numbers come from. */
  readonly key: RandomKey;
  /** i32 [R, 2]: for each row its sequence's stream (row of the epoch × columns + column) and its position in it. */
  readonly places: Handle;
}

/** The k largest of each row, largest first. */
export interface TopK {
  /** f32 [R, k] */
  readonly values: Handle;
  /** i32 [R, k]: the columns they are in. */
  readonly indices: Handle;
}

/**
 * The k largest so far, in order: what `topK` gave for the part before, or whatever else is there to begin with; −∞ with
 * the column −1 is nothing.
 */
export interface TopKBest extends TopK {
  /** The number of the first column of the next part. */
  readonly from: number;
}

/** What one kernel of an engine has done. */
export interface KernelTime {
  /** Its name. */
  readonly kernel: string;
  /** How often it ran. */
  readonly calls: number;
  /** How long in all; undefined where the device has no clock. */
  readonly seconds?: number;
  /** Multiplications and additions; 0 where its time goes into memory. */
  readonly operations: number;
  /** Bytes that went through memory, about; 0 where its time goes into operations. */
  readonly bytes: number;
}

/** What an engine has asked of a device beside the process, for instance a card. */
export interface Work {
  /** Kernels that were started. */
  readonly dispatches: number;
  /** Times that something was handed to the device. */
  readonly submits: number;
  /** Bytes that the host wrote. */
  readonly uploaded: number;
  /** Times that the host waited for values. */
  readonly reads: number;
}

/** The same, and how much of it was for steps of trainings. */
export interface DeviceWork extends Work {
  /** From each {@linkcode Engine.beginStep} to the read behind it, and how many steps those were. */
  readonly steps: Work & { readonly count: number };
}

/** What {@linkcode Engine.linearCrossEntropy} gives. */
export interface LinearCrossEntropy {
  /** [1] */
  readonly loss: Handle;
  /** [R] logΣexp of the logits. */
  readonly logSumExp: Handle;
  /** [R, V], where they were few enough to be kept for the backward pass, which else computes them again. */
  readonly logits?: Handle;
}

/** Options of {@linkcode Engine.matmul}. */
export interface MatmulOptions {
  /** Read `a` as [K, M]. */
  readonly transposeA?: boolean;
  /** Read `b` as [N, K], the layout of a linear layer's weight. */
  readonly transposeB?: boolean;
  /** f32 [N], added to every row. */
  readonly bias?: Handle | undefined;
  /** Applied after the bias. */
  readonly activation?: Activation | undefined;
  /** Receives the value before the activation, shape [M, N]: the backward pass needs it. */
  readonly preactivation?: Handle | undefined;
  /** Multiplies the product (before bias). Default 1. */
  readonly scale?: number;
  /** The factors are those of a layer, and may be rounded to the engine's precision. Default: they stay what they are. */
  readonly isLayer?: boolean;
  /** Write here instead of a new tensor. */
  readonly out?: Handle | undefined;
  /** Add to `out` instead of overwriting it. */
  readonly accumulate?: boolean;
}

/** Where a reduction goes. */
export interface OutOptions {
  /** Write here instead of a new tensor. */
  readonly out?: Handle | undefined;
  /** Add to `out` instead of overwriting it. */
  readonly accumulate?: boolean;
}

/** Result of {@linkcode Engine.layerNorm}. */
export interface LayerNormResult {
  /** [R, H] normalised, scaled and shifted. */
  readonly y: Handle;
  /** [R, H] what was normalised: x, or dropout(x) + residual. */
  readonly sum: Handle;
  /** [R, 2] mean and 1/σ of each row. */
  readonly statistics: Handle;
}

/** How the gradient of s = dropout(x) + residual is passed on by the backward of a normalisation of s. */
export interface SumGradientOptions {
  /** [R, H] what has come to s from elsewhere, where s itself went on: it is added. */
  readonly added?: Handle | undefined;
  /** The gradient of s is written over `added`, if there is that. Default false. */
  readonly inPlace?: boolean | undefined;
  /** That of the forward. */
  readonly dropout?: Dropout | undefined;
}

/** Gradients of s = dropout(x) + residual and of what is in it. */
export interface SumGradients {
  /** [R, H] that of s, which is the residual's as well. */
  readonly sum: Handle;
  /** [R, H] that of x; the same tensor where there is no dropout. */
  readonly x: Handle;
}

/** Input of {@linkcode Engine.attention}: H = heads · D features of the queries, D the size of a head. */
export interface Attention {
  /** [T, (heads + 2 · kvHeads) · D]: queries, keys and values of all heads side by side, as one product gives them. */
  readonly qkv: Handle;
  /** i32 [n + 1]: sequence i is rows offsets[i] … offsets[i+1] − 1. Rows behind the last belong to none. */
  readonly offsets: Handle;
  /** Heads of queries. */
  readonly heads: number;
  /** Heads of keys and values, a divisor of `heads`: each serves heads / kvHeads query heads. Default: `heads`. */
  readonly kvHeads?: number | undefined;
  /** Longest sequence of the batch, in tokens. */
  readonly maxLength: number;
  /** A token sees itself and what stands before it. Default false. */
  readonly causal?: boolean | undefined;
  /** A token sees no further than so many tokens to either side. Default: as far as the sequence goes. */
  readonly window?: number | undefined;
  /** Multiplies q kᵀ. Default 1 / √D. */
  readonly scale?: number | undefined;
  /**
   * f32 [2L − 1, heads], L ≥ maxLength: added to the scaled score of query position i and key position j,
   * row j − i + L − 1.
   */
  readonly bias?: Handle | undefined;
  /** Dropout of the attention probabilities; here `places` gives stream and position of the query. */
  readonly dropout?: Dropout | undefined;
}

/** Result of {@linkcode Engine.attention}. */
export interface AttentionResult {
  /** [T, heads · D] heads side by side; 0 for rows of no sequence. */
  readonly out: Handle;
  /** [T, heads] log Σ exp of the scores; all that the backward pass needs beside its inputs. */
  readonly logSumExp: Handle;
}

/** Rotary positions (Su et al. 2021, arXiv 2104.09864): see {@linkcode Engine.rotate}. */
export interface Rotation {
  /** f32 [L, 2 P]: cos of the P angles of each position, then their sin; L covers every position. */
  readonly table: Handle;
  /** i32 [T] the position of each row. */
  readonly positions: Handle;
  /** Heads that are rotated: the first ones of each row. */
  readonly heads: number;
  /** Size D of a head, at least 2 P: its features i and i + P turn together for i < P, what is behind 2 P stays. */
  readonly headSize: number;
  /** By the negative angles: the backward pass. Default false. */
  readonly inverse?: boolean | undefined;
}

/** Heads of a matrix [T, …] whose rows hold them side by side. */
export interface HeadRange {
  /** The first one. */
  readonly first: number;
  /** How many. */
  readonly count: number;
}

/** Result of {@linkcode Engine.rmsNorm}. */
export interface RmsNormResult {
  /** [R, H] normalised and scaled. */
  readonly y: Handle;
  /** [R, H] what was normalised: x, or dropout(x) + residual. */
  readonly sum: Handle;
  /** [R] 1 / √(mean s² + ε) of each row. */
  readonly statistics: Handle;
}

/** Tensors that lie one behind the other. */
export interface Block {
  /**
   * All of them as one f32 tensor [N], laid out by {@linkcode blockLayout}; what is between the parts is 0 and stays 0.
   * For `fill`, `clip`, `adamw`, `read` and `free` alone.
   */
  readonly all: Handle;
  /** Each by itself, under its shape. */
  readonly parts: readonly Handle[];
}

/** What the optimizer changes as one: a parameter, or a block of them. All of one size. */
export interface OptimizerSlot {
  /** The weights, changed in place. */
  readonly weight: Handle;
  /** Their gradient. */
  readonly gradient: Handle;
  /** First moment. */
  readonly m: Handle;
  /** Second moment. */
  readonly v: Handle;
  /** Decoupled weight decay. */
  readonly weightDecay: number;
}

/** Constants of {@linkcode Engine.adamw}. */
export interface AdamWOptions {
  /** Default .9 */
  readonly beta1: number;
  /** Default .999 */
  readonly beta2: number;
  /** Default 1e-8 */
  readonly epsilon: number;
}

/**
 * Places in the small f32 tensor of scalars that change from step to step. Kernels read them on the device, so that no
 * step waits for the host.
 */
export const STEP = {
  /** Learning rate of this step, written by the host. */
  learningRate: 0,
  /** Number of this update, from 1, written by the host; AdamW corrects its moments by it. */
  step: 1,
  /** The loss was multiplied by this before the backward pass; gradients are divided by it. Written by the host. */
  lossScale: 2,
  /** Global norm of the gradient, after division by the loss scale. Written by `clip`. */
  gradientNorm: 3,
  /** What AdamW multiplies each gradient with: min(1, maxNorm / (norm + 1e-6)) / lossScale. Written by `clip`. */
  clipFactor: 4,
  /** 1 if loss or gradient was not finite: AdamW then leaves weights and moments alone. Written by `clip`. */
  skipped: 5,
  /** 1: after a skipped step, all are skipped, until the host has looked and written `skipped` 0. Written by the host. */
  halts: 6,
  /** Length of the tensor. */
  length: 8,
} as const;

/** What the report says about an engine. */
export interface EngineInfo {
  /** cpu, tfjs:gpu, … */
  readonly name: string;
  /** What executes kernels: native, wasm, js, tensorflow, … */
  readonly backend: string;
  /** The processor. */
  readonly device: string;
  /** Which form of them: wasm, avx2, avx512, neon, accelerate, tensorflow, js, … */
  readonly kernels: string;
  /** Engines that say the same here give the same bits: part of the key of every stage that computes. */
  readonly bits: string;
  /** Threads of computation. */
  readonly threads: number;
  /** fp32, bf16, fp16; int8: for inference alone. */
  readonly precision: string;
  /** Batches are given so many rows of tokens, or a multiple of it: above 1 where a device gains if shapes repeat. */
  readonly tokenStep: number;
}

/** Bytes on the device. */
export interface MemoryUse {
  /** Held now. */
  readonly live: number;
  /** Most that was ever held. */
  readonly peak: number;
  /** What activations of one micro-batch may take. */
  readonly activationBudget: number;
}

/** Options of {@linkcode Engine.variable}. */
export interface VariableOptions {
  /** Default f32. */
  readonly dtype?: DType;
  /**
   * `rows`: this is the gradient of an embedding table, of which a step touches few rows. `fill(t, 0)`, `clip` and
   * `adamw` may then skip rows that no kernel has written to since they were created (an engine is free to ignore it).
   */
  readonly touched?: "rows";
  /**
   * `cold`: used once a step, by `fill`, `copy`, `write`, `read` and `adamw` alone; may live outside fast memory. `packed`: the
   * weight [N, K] of a linear layer that is not trained: written to in whole rows, read, and taken by `matmul` as b with
   * `transposeB`, alone; may be kept in the order that products take it in. An engine is free to ignore both.
   */
  readonly storage?: "cold" | "packed";
}

/** A tensor engine. */
export interface Engine {
  /** For the report. */
  readonly info: EngineInfo;
  /** What its kernels have done so far, the longest first; undefined where that is not kept count of. */
  readonly times?: (() => readonly KernelTime[]) | undefined;
  /** What it asked of its device so far; undefined where kernels run in this process. */
  readonly work?: DeviceWork | undefined;
  /** This process among those that train together. */
  readonly rank: number;
  /** How many train together. */
  readonly worldSize: number;

  // --- memory -------------------------------------------------------------------------------------------------------

  /** A tensor that lives until `free` or `close`; filled with 0. */
  variable(shape: readonly number[], options?: VariableOptions): Handle;
  /** Variables of these shapes, f32, filled with 0, in one block: one kernel then serves them all. */
  block(shapes: readonly (readonly number[])[]): Block;
  /** Gives a variable back, once; a block by its `all`. It is of no use afterwards. After `close` there is nothing left to do. */
  free(variable: Handle): void;
  /** A temporary of the current arena, filled with 0. */
  zeros(shape: readonly number[], dtype?: DType): Handle;
  /** A temporary of the current arena, whatever it holds: for what is overwritten at once. */
  empty(shape: readonly number[], dtype?: DType): Handle;
  /** A temporary of the current arena, every element the same. */
  full(shape: readonly number[], value: number): Handle;
  /** A temporary of the current arena, with these values (copied before the call returns). */
  upload(data: Float32Array | Int32Array, shape: readonly number[]): Handle;
  /**
   * Overwrites part of a tensor, from element `offset`, with these values (copied before the call returns). Of an i8, whole
   * rows.
   */
  write(target: Handle, data: Float32Array | Int32Array, offset?: number): void;
  /** Waits for everything enqueued so far, then the values: a copy, which is the caller's. Raises what the device reported. */
  read(source: Handle): Promise<Float32Array | Int32Array>;
  /**
   * Gives a temporary of the current arena back before its end, with its views: the next one of its size may have its
   * memory. What was made in an outer arena, or is kept, stays.
   */
  release(temporary: Handle): void;
  /** Opens an arena: temporaries made from now on end with it. */
  enter(): void;
  /** Closes the arena opened last, and frees its temporaries. */
  exit(): void;
  /** Lifts a temporary of the current arena one level up; returns the handle to go on with. */
  keep(temporary: Handle): Handle;
  /** Bytes held. */
  memory(): MemoryUse;
  /** Frees everything and stops the workers. The engine is of no use afterwards. */
  close(): void;

  // --- moving -------------------------------------------------------------------------------------------------------

  /** Sets every element. */
  fill(target: Handle, value: number): void;
  /** Copies all elements; shapes may differ, sizes not. */
  copy(target: Handle, source: Handle): void;
  /** The same elements under another shape: no copy. The result lives as long as `x`. */
  reshape(x: Handle, shape: readonly number[]): Handle;
  /** The same values as another type; refused by name where the engine does not have it. */
  cast(x: Handle, dtype: DType): Handle;
  /** [R, C] → [C, R] */
  transpose(x: Handle): Handle;
  /** Rows start … end − 1 of [R, …]. */
  sliceRows(x: Handle, start: number, end: number): Handle;
  /** Columns start … end − 1 of [R, C]. */
  sliceColumns(x: Handle, start: number, end: number): Handle;
  /** [R₁, C], [R₂, C], … → [ΣR, C] */
  concatRows(parts: readonly Handle[]): Handle;
  /** [R, C₁], [R, C₂], … → [R, ΣC] */
  concatColumns(parts: readonly Handle[]): Handle;

  // --- matrix products ----------------------------------------------------------------------------------------------

  /** [M, K] × [K, N] → [M, N], or the same for each of a batch [B, M, K] × [B, K, N]. */
  matmul(a: Handle, b: Handle, options?: MatmulOptions): Handle;
  /** dz = dy ⊙ f′(z), z the value before the activation; Σ dz over the rows is added to `dBias` [C], where given. */
  activationBackward(activation: Activation, z: Handle, dy: Handle, dBias?: Handle): Handle;
  /** f(x), where it does not follow a product. */
  activate(activation: Activation, x: Handle): Handle;

  // --- embedding ----------------------------------------------------------------------------------------------------

  /** [V, H], i32 [T] → [T, H]. An id that is no row of a table is an error on the cpu engine, which the next read raises. */
  gather(table: Handle, ids: Handle): Handle;
  /** dTable[ids[t]] += dy[t]; the order of addition is that of t. */
  scatterAdd(dTable: Handle, ids: Handle, dy: Handle): void;

  /** `pool` of the rows `ids` i32 [T] of a table, which are never laid side by side: [V, H] → [n, H]. */
  gatherPool(table: Handle, ids: Handle, offsets: Handle, mode: WeighingMode, skip?: number): Handle;
  /** dTable[ids[t]] += what t weighs · dy [n, H] of its sequence; the order of addition is that of t. */
  scatterPool(
    dTable: Handle,
    ids: Handle,
    offsets: Handle,
    dy: Handle,
    mode: WeighingMode,
    skip?: number,
  ): void;

  // --- normalisation, dropout ---------------------------------------------------------------------------------------

  /** y = γ · (s − mean) / √(var + ε) + β, with s = x, or dropout(x) + residual. Biased variance; no β: 0. */
  layerNorm(
    x: Handle,
    gamma: Handle,
    beta: Handle | undefined,
    epsilon: number,
    options?: { readonly residual?: Handle | undefined; readonly dropout?: Dropout | undefined },
  ): LayerNormResult;
  /** Gradients of the sum s and of x; dγ and dβ are added to, where given. */
  layerNormBackward(
    dy: Handle,
    forward: LayerNormResult,
    gamma: Handle,
    dGamma: Handle | undefined,
    dBeta: Handle | undefined,
    options?: SumGradientOptions,
  ): SumGradients;
  /** Its own backward: apply it to dy. */
  dropout(x: Handle, dropout: Dropout): Handle;

  // --- attention over packed sequences ------------------------------------------------------------------------------

  /** softmax(scale · q kᵀ + bias) v within each sequence and head. */
  attention(input: Attention): AttentionResult;
  /** Gradient of `qkv`; that of the bias is added to `dBias`, where given. */
  attentionBackward(input: Attention, forward: AttentionResult, dOut: Handle, dBias?: Handle): Handle;

  // --- pooling, similarity ------------------------------------------------------------------------------------------

  /**
   * [T, H] → [n, H]. The first `skip` tokens of each sequence (a prompt) do not count; an empty rest gives 0.
   * `weightedmean` weighs a token by its position from 1 in the whole sequence.
   */
  pool(x: Handle, offsets: Handle, mode: PoolingMode, skip?: number): Handle;
  /** Gradient of x. `x` and `pooled` are the forward's: max goes to the first token that has it. */
  poolBackward(
    dy: Handle,
    x: Handle,
    pooled: Handle,
    offsets: Handle,
    mode: PoolingMode,
    skip?: number,
  ): Handle;
  /** y = x / max(‖x‖, ε) by row; the norms are [R], before the maximum. */
  normalizeRows(x: Handle, epsilon: number): { readonly y: Handle; readonly norms: Handle };
  /** dx = (dy − y (y·dy)) / ‖x‖, and dy / ε where ‖x‖ < ε. */
  normalizeRowsBackward(dy: Handle, y: Handle, norms: Handle, epsilon: number): Handle;

  // --- element-wise, reductions -------------------------------------------------------------------------------------

  /** f(x) */
  unary(kind: Unary, x: Handle): Handle;
  /** f(a, b) for equal shapes, or b of size 1 (broadcast). */
  binary(kind: Binary, a: Handle, b: Handle): Handle;
  /** a·x + b */
  affine(x: Handle, a: number, b?: number): Handle;
  /** target += scale · x, in place. */
  addTo(target: Handle, x: Handle, scale?: number): void;
  /** [R, C] ⊙ r[R] by row. */
  scaleRows(x: Handle, r: Handle): Handle;
  /** [R, C] → [R] */
  rowReduce(kind: "sum" | "max", x: Handle): Handle;
  /** [R, C] → [C] */
  columnSum(x: Handle, options?: OutOptions): Handle;
  /** Σ of all elements → [1] */
  sum(x: Handle): Handle;

  // --- cross-entropy ------------------------------------------------------------------------------------------------

  /**
   * Mean over the rows whose target is not −1 of logΣexp(logits) − logits[target] → loss [1] (0 if there is none).
   * `probabilities` is softmax(logits), for the backward pass. A target beyond the columns is an error as an id is.
   */
  crossEntropy(logits: Handle, targets: Handle): { readonly loss: Handle; readonly probabilities: Handle };
  /** dLogits = dLoss · (p − onehot) / count; 0 for rows without a target. `dLoss` is [1]. */
  crossEntropyBackward(dLoss: Handle, probabilities: Handle, targets: Handle): Handle;
  /** Cross-entropy of x Wᵀ + b over a large vocabulary, in chunks of rows: a large [R, V] is never held. x [R, H], W [V, H], b [V] */
  linearCrossEntropy(
    x: Handle,
    weight: Handle,
    bias: Handle | undefined,
    targets: Handle,
  ): LinearCrossEntropy;
  /** dx; dW and db are added to, where given. Logits that were kept are used up. */
  linearCrossEntropyBackward(
    dLoss: Handle,
    x: Handle,
    weight: Handle,
    bias: Handle | undefined,
    targets: Handle,
    forward: LinearCrossEntropy,
    dWeight: Handle | undefined,
    dBias: Handle | undefined,
  ): Handle;

  // --- today's encoders ---------------------------------------------------------------------------------------------

  /**
   * Turns pairs of features of the first heads of x [T, …] by the angle of the row's position, in place: with P
   * angles a, (xᵢ, xᵢ₊ₚ) ← (xᵢ cos aᵢ − xᵢ₊ₚ sin aᵢ, xᵢ₊ₚ cos aᵢ + xᵢ sin aᵢ).
   */
  rotate(x: Handle, rotation: Rotation): void;
  /**
   * y = f(a) ⊙ b; x [T, 2F] = [a | b], or [b | a] where the second half is `activated` → [T, F]. Default: the first.
   */
  gated(activation: Activation, x: Handle, activated?: "first" | "second"): Handle;
  /** dx [T, 2F]: da = dy ⊙ b ⊙ f′(a), db = dy ⊙ f(a) */
  gatedBackward(activation: Activation, x: Handle, dy: Handle, activated?: "first" | "second"): Handle;
  /**
   * y = w · s / √(mean s² + ε), with s = x, or dropout(x) + residual; by rows of [R, H]. `onePlus`: 1 + w instead of w.
   */
  rmsNorm(
    x: Handle,
    weight: Handle,
    epsilon: number,
    options?: {
      readonly residual?: Handle | undefined;
      readonly dropout?: Dropout | undefined;
      readonly onePlus?: boolean | undefined;
    },
  ): RmsNormResult;
  /** Gradients of the sum s and of x; dw is added to, where given. */
  rmsNormBackward(
    dy: Handle,
    forward: RmsNormResult,
    weight: Handle,
    dWeight: Handle | undefined,
    options?: SumGradientOptions & { readonly onePlus?: boolean | undefined },
  ): SumGradients;
  /**
   * RMS norm of single heads: those of `heads` in x [T, …], of size D = length of the weight, go normalised into the
   * same columns of `out`, of x's shape; its other columns stay. Returns 1 / √(mean x² + ε), [T, count].
   */
  headNorm(
    x: Handle,
    out: Handle,
    weight: Handle,
    epsilon: number,
    heads: HeadRange,
    onePlus?: boolean,
  ): Handle;
  /** The gradient of those columns of x, in place of that of the columns of `out`: dx is written over `dOut`. */
  headNormBackward(
    dOut: Handle,
    x: Handle,
    statistics: Handle,
    weight: Handle,
    heads: HeadRange,
    dWeight: Handle | undefined,
    onePlus?: boolean,
  ): void;
  /**
   * The k largest of each row of [R, C], largest first, of equal ones the first: values [R, k] and columns i32 [R, k]. A
   * NaN is as small as −∞.
   *
   * With `best` a search goes on that comes to a row part by part: the k largest of what `best` has of that row and of x,
   * as if the former stood before x. Then k may be more than C; see {@linkcode TopKBest}.
   */
  topK(x: Handle, k: number, best?: TopKBest): TopK;
  /**
   * The k rows of b [C, K] whose products with each row of a [R, K] are largest: `topK(a bᵀ, k, best)`, its order and its
   * numbers. An engine may leave out products that it knows not to be among them.
   */
  topProducts(a: Handle, b: Handle, k: number, best?: TopKBest): TopK;

  // --- optimizer ----------------------------------------------------------------------------------------------------

  /**
   * Global norm over all gradients: writes `gradientNorm`, `clipFactor` and `skipped` of `state` (see
   * {@linkcode STEP}). `skipped` becomes 1 if the norm or `loss` [1] is not finite. `maxNorm` 0 does not clip. An engine
   * may prepare itself for the same array of gradients, or slots, to come every step.
   */
  clip(gradients: readonly Handle[], loss: Handle, maxNorm: number, state: Handle): void;
  /**
   * AdamW as PyTorch's: g = gradient · clipFactor; w ← w (1 − lr·decay); m, v ← moments; w ← w − lr/(1−β₁ᵗ) · m /
   * (√v/√(1−β₂ᵗ) + ε). Weights and moments stay if `skipped` is set. In any case the gradients are 0 afterwards.
   */
  adamw(slots: readonly OptimizerSlot[], options: AdamWOptions, state: Handle): void;
  /**
   * A step of a training begins: what was enqueued before is handed to the device, which does it while the host prepares
   * this one. Not there where kernels are done when they return.
   */
  readonly beginStep?: (() => void) | undefined;

  // --- ranks --------------------------------------------------------------------------------------------------------

  /** Σ over all ranks, in place. */
  allReduce(x: Handle): void;
  /** [R, …] of every rank → [worldSize · R, …], in the order of ranks. */
  allGather(x: Handle): Handle;
}

/**
 * Where the parts of a block are: each begins at a multiple of 16 elements, in the order of the shapes.
 *
 * @param shapes Those of the parts.
 * @returns The first element of each, and the number of all.
 */
export function blockLayout(shapes: readonly (readonly number[])[]): {
  readonly offsets: readonly number[];
  readonly size: number;
} {
  const offsets: number[] = [];
  let size = 0;
  for (const shape of shapes) {
    offsets.push(size);
    size += Math.ceil(sizeOf(shape) / 16) * 16;
  }
  return { offsets, size };
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, n) => size * n, 1);
}

/**
 * Runs `f` in an arena of its own. Every handle in what it returns is lifted out, with its views: one alone, in arrays,
 * or in plain records. All other temporaries end with the arena.
 *
 * @param engine Where the arena is opened.
 * @param f What is done in it.
 * @returns What `f` returns.
 *
 * @example
 * ```ts
 * import { createCpuEngine, scope } from "@kindred/kindred/engine";
 * import assert from "node:assert/strict";
 * const engine = createCpuEngine({ threads: 1 });
 * const x = engine.upload(Float32Array.of(1, 2), [2]);
 * const total = scope(engine, () => engine.sum(engine.affine(x, 10))); // the product is freed, the sum is not
 * assert.deepEqual([...await engine.read(total)], [30]);
 * engine.close();
 * ```
 */
export function scope<A>(engine: Engine, f: () => A): A {
  engine.enter();
  try {
    const result = f();
    lift(engine, result);
    return result;
  } finally {
    engine.exit();
  }
}

/**
 * The same as {@linkcode scope} for a function that waits. Arenas nest like calls: do not interleave two of them on one
 * engine.
 *
 * @param engine Where the arena is opened.
 * @param f What is done in it.
 * @returns What `f` resolves to.
 */
export async function scopeAsync<A>(engine: Engine, f: () => Promise<A>): Promise<A> {
  engine.enter();
  try {
    const result = await f();
    lift(engine, result);
    return result;
  } finally {
    engine.exit();
  }
}

/** Keeps every handle in a value: itself, or in arrays and plain records. */
function lift(engine: Engine, value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  if (Array.isArray(value)) {
    for (const each of value) lift(engine, each);
  } else if (isHandle(value)) engine.keep(value);
  else if (Object.getPrototypeOf(value) === Object.prototype) {
    for (const each of Object.values(value)) lift(engine, each);
  }
}

const DTYPES: Readonly<Record<DType, true>> = { f32: true, i32: true, bf16: true, f16: true, i8: true };

function isHandle(value: object): value is Handle {
  const { shape, dtype } = value as Partial<Handle>;
  return Array.isArray(shape) && dtype !== undefined && Object.hasOwn(DTYPES, dtype);
}
