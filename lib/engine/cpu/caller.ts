/**
 * What machine code and WebAssembly have in common.
 *
 * @module
 */

/** How kernels are called by number. */
export interface KernelCaller {
  /** Rows of A that a product takes at once. */
  readonly tile: number;
  /** Columns of B likewise. */
  readonly panel: number;
  /** Rows of A that a product in bf16 takes at once. */
  readonly block: number;
  /** Where the arguments of a kernel are. */
  readonly values: Float64Array;
  /** Runs a kernel over items 0 … items − 1, in portions of `grain`. */
  readonly call: (kernel: number, items: number, grain: number) => void;
  /** Items that other threads have done, ever. */
  readonly helped: () => number;
  /** Stops the other threads. */
  readonly close: () => void;
  /** Who wants to know which bytes kernels may touch, in turn with them: a sanitizer of addresses. */
  readonly guard?: Guard;
}

/** Watches a memory of which nothing may be touched but what is opened. */
export interface Guard {
  /** From now on kernels may touch these bytes. */
  readonly open: (address: number, bytes: number) => void;
  /** From now on they may not. */
  readonly close: (address: number, bytes: number) => void;
}
