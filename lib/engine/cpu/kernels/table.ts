/**
 * The kernels of the cpu engine: their names, and their arguments in C's words.
 *
 * The header of the C sources and the function that calls a kernel by number are made from this table by
 * `deno task build:kernels`, and the arguments of a call in TypeScript are checked against it.
 *
 * @module
 */

/** Counts up whenever a kernel gives other bits than before: what a cache holds of other kernels is another result. */
export const KERNELS_REVISION = 2;

/** Types of arguments. Addresses are bytes of the engine's memory; 0 is nothing. */
export type CType =
  | "const float *"
  | "float *"
  | "double *"
  | "const int *"
  | "int *"
  | "const unsigned *"
  | "const unsigned char *"
  | "unsigned char *"
  | "int"
  | "unsigned"
  | "float"
  | "double";

/** What every kernel that drops out has: see `philox.h`. */
const DROPOUT = {
  threshold: "int",
  keepScale: "float",
  places: "const unsigned *",
  seed: "unsigned",
  purpose: "unsigned",
  step: "unsigned",
} as const;

/** What both kinds of attention have. */
const ATTENTION = {
  q: "const float *",
  qStride: "int",
  k: "const float *",
  kStride: "int",
  v: "const float *",
  vStride: "int",
  offsets: "const int *",
  heads: "int",
  kvHeads: "int",
  headSize: "int",
  scale: "float",
  causal: "int",
  window: "int",
  bias: "const float *",
  span: "int",
} as const;

/** What follows a product: see `biasActivation`. */
const EPILOGUE = { bias: "const float *", pre: "float *", kind: "int" } as const;

/** Heads of one size, side by side in the rows of a matrix. */
const HEADS = { first: "int", count: "int", size: "int" } as const;

/** Gradient of what is normalised, and of that part of it that went through dropout. */
const SUM_GRADIENT = { added: "const float *", ds: "float *", dx: "float *" } as const;

/** Which rows of a table have a gradient, where that is kept count of. */
const MARKS = { ever: "unsigned char *", dirty: "unsigned char *" } as const;

/** Constants of AdamW, beside the scalars of the step. */
const ADAMW = { state: "const float *", beta1: "double", beta2: "double", epsilon: "float" } as const;

/** A parameter as the optimizer sees it. */
const SLOT = { w: "float *", g: "float *", m: "float *", v: "float *", weightDecay: "float" } as const;

/** The best of rows of so many columns, and those that were found before. */
const TOP = {
  columns: "int",
  from: "int",
  best: "const float *",
  bestIndices: "const int *",
  k: "int",
  values: "float *",
  indices: "int *",
} as const;

/** Name → arguments. The place in this table is the kernel's number. */
export const KERNEL_TABLE = {
  // product.c
  packB: {
    b: "const float *",
    ldb: "int",
    transposed: "int",
    n: "int",
    k: "int",
    packed: "float *",
  },
  packWeight: { w: "const float *", first: "int", n: "int", k: "int", packed: "float *" },
  product: {
    a: "const float *",
    lda: "int",
    transposed: "int",
    packed: "const float *",
    b: "const float *",
    ldb: "int",
    transposedB: "int",
    call: "unsigned",
    byPanels: "int",
    c: "float *",
    ldc: "int",
    m: "int",
    n: "int",
    k: "int",
    alpha: "float",
    accumulate: "int",
    ...EPILOGUE,
  },
  // product_bf16.c
  packHalf: {
    b: "const float *",
    ldb: "int",
    transposed: "int",
    n: "int",
    k: "int",
    packed: "int *",
  },
  productHalf: {
    a: "const float *",
    lda: "int",
    transposed: "int",
    packed: "const int *",
    c: "float *",
    ldc: "int",
    m: "int",
    n: "int",
    k: "int",
    alpha: "float",
    accumulate: "int",
    ...EPILOGUE,
  },

  // attention.c
  attention: { ...ATTENTION, out: "float *", logSumExp: "float *", ...DROPOUT },
  attentionBackward: {
    ...ATTENTION,
    sequences: "int",
    logSumExp: "const float *",
    dOut: "const float *",
    dq: "float *",
    dqStride: "int",
    dk: "float *",
    dkStride: "int",
    dv: "float *",
    dvStride: "int",
    dBias: "float *",
    ...DROPOUT,
  },

  // norms.c
  layerNorm: {
    x: "const float *",
    residual: "const float *",
    sum: "float *",
    y: "float *",
    statistics: "float *",
    gamma: "const float *",
    beta: "const float *",
    epsilon: "float",
    width: "int",
    ...DROPOUT,
  },
  layerNormBackward: {
    dy: "const float *",
    sum: "const float *",
    statistics: "const float *",
    gamma: "const float *",
    ...SUM_GRADIENT,
    partial: "float *",
    rows: "int",
    width: "int",
    ...DROPOUT,
  },
  rmsNorm: {
    x: "const float *",
    residual: "const float *",
    sum: "float *",
    y: "float *",
    statistics: "float *",
    weight: "const float *",
    plus: "float",
    epsilon: "float",
    width: "int",
    ...DROPOUT,
  },
  rmsNormBackward: {
    dy: "const float *",
    sum: "const float *",
    statistics: "const float *",
    weight: "const float *",
    plus: "float",
    ...SUM_GRADIENT,
    partial: "float *",
    rows: "int",
    width: "int",
    ...DROPOUT,
  },
  headNorm: {
    x: "const float *",
    out: "float *",
    columns: "int",
    ...HEADS,
    weight: "const float *",
    plus: "float",
    epsilon: "float",
    statistics: "float *",
  },
  headNormBackward: {
    dOut: "float *",
    x: "const float *",
    columns: "int",
    ...HEADS,
    weight: "const float *",
    plus: "float",
    statistics: "const float *",
    partial: "float *",
    rows: "int",
  },
  normalizeRows: { x: "const float *", y: "float *", norms: "float *", width: "int", epsilon: "float" },
  normalizeRowsBackward: {
    dy: "const float *",
    y: "const float *",
    norms: "const float *",
    dx: "float *",
    width: "int",
    epsilon: "float",
  },

  // rows.c
  gather: { table: "const float *", ids: "const int *", y: "float *", width: "int" },
  scatterAdd: {
    dTable: "float *",
    ids: "const int *",
    dy: "const float *",
    rows: "int",
    width: "int",
    ...MARKS,
  },
  dropout: { x: "const float *", y: "float *", width: "int", ...DROPOUT },
  pool: {
    x: "const float *",
    ids: "const int *",
    offsets: "const int *",
    y: "float *",
    width: "int",
    mode: "int",
    skip: "int",
  },
  scatterPool: {
    dTable: "float *",
    ids: "const int *",
    offsets: "const int *",
    dy: "const float *",
    sequences: "int",
    width: "int",
    mode: "int",
    skip: "int",
    ...MARKS,
  },
  poolBackward: {
    dy: "const float *",
    x: "const float *",
    pooled: "const float *",
    offsets: "const int *",
    dx: "float *",
    width: "int",
    mode: "int",
    skip: "int",
  },

  // losses.c
  logSumExpRows: { logits: "float *", bias: "const float *", out: "float *", columns: "int" },
  softmaxRows: { x: "const float *", logSumExp: "const float *", y: "float *", columns: "int" },
  softmaxRowsBackward: {
    x: "const float *",
    logSumExp: "const float *",
    targets: "const int *",
    dLoss: "const float *",
    count: "float",
    y: "float *",
    columns: "int",
  },
  crossEntropyBackward: {
    p: "const float *",
    targets: "const int *",
    dLoss: "const float *",
    count: "float",
    dz: "float *",
    columns: "int",
  },

  // activations.c
  activate: { kind: "int", x: "const float *", y: "float *" },
  activateBackward: {
    kind: "int",
    z: "const float *",
    dy: "const float *",
    dz: "float *",
    partial: "float *",
    rows: "int",
    columns: "int",
    parts: "int",
  },
  biasActivation: { y: "float *", ...EPILOGUE, columns: "int" },

  gated: { kind: "int", x: "const float *", y: "float *", width: "int", second: "int" },
  gatedBackward: {
    kind: "int",
    x: "const float *",
    dy: "const float *",
    dx: "float *",
    width: "int",
    second: "int",
  },

  // rotary.c
  rotate: {
    x: "float *",
    stride: "int",
    table: "const float *",
    positions: "const int *",
    pairs: "int",
    heads: "int",
    headSize: "int",
    turn: "float",
  },

  // top.c
  topK: { x: "const float *", ...TOP },
  topProducts: {
    about: "const float *",
    ...TOP,
    a: "const float *",
    aNorms: "const float *",
    aErrors: "const float *",
    b: "const float *",
    bNorms: "const float *",
    bErrors: "const float *",
    depth: "int",
    multiplied: "int *",
  },

  // elementwise.c
  unary: { kind: "int", x: "const float *", y: "float *" },
  binary: { kind: "int", x: "const float *", other: "const float *", single: "int", y: "float *" },
  affine: { x: "const float *", scale: "float", shift: "float", y: "float *" },
  addTo: { target: "float *", x: "const float *", scale: "float" },
  fill: { target: "float *", value: "float" },

  // moving.c
  transpose: { x: "const float *", y: "float *", rows: "int", columns: "int" },
  copyColumns: {
    x: "const float *",
    columns: "int",
    from: "int",
    width: "int",
    y: "float *",
    outColumns: "int",
    to: "int",
  },

  // reductions.c
  scaleRows: { x: "const float *", r: "const float *", y: "float *", columns: "int" },
  rowReduce: { kind: "int", x: "const float *", y: "float *", columns: "int" },
  columnSumBlocks: { x: "const float *", rows: "int", columns: "int", partial: "float *" },
  columnSumFinish: { partial: "const float *", blocks: "int", stride: "int", y: "float *", accumulate: "int" },
  sumBlocks: { x: "const float *", size: "int", squared: "int", partial: "double *" },

  // optimizer.c
  adamw: { ...SLOT, ...ADAMW },
  adamwRows: { ...SLOT, ever: "const unsigned char *", dirty: "unsigned char *", width: "int", ...ADAMW },
  clearRows: { g: "float *", dirty: "unsigned char *", width: "int" },
  squaresOfRows: {
    g: "const float *",
    dirty: "const unsigned char *",
    rows: "int",
    width: "int",
    partial: "double *",
  },

  // int8.c
  packInt8: { w: "const float *", first: "int", n: "int", k: "int", form: "int", packed: "float *" },
  int8Bounds: { x: "const float *", k: "int", form: "int", norms: "float *", errors: "float *" },
  int8Product: {
    x: "const float *",
    packed: "const float *",
    bias: "const float *",
    kind: "int",
    y: "float *",
    m: "int",
    n: "int",
    k: "int",
    form: "int",
    rows: "int",
    parts: "int",
  },
} as const satisfies Readonly<Record<string, Readonly<Record<string, CType>>>>;

/** Name of a kernel. */
export type KernelName = keyof typeof KERNEL_TABLE;

/** The arguments of a kernel, by name. */
export type KernelArguments<K extends KernelName> = { readonly [Name in keyof (typeof KERNEL_TABLE)[K]]: number };
