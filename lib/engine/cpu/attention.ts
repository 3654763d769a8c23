/**
 * Attention over packed sequences.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import type { Attention, Engine } from "../engine.ts";
import { at, atOr0, type Core, dropoutArguments, expectShape } from "./core.ts";
import { clearBehind, columnsOf, type Dispatch, rowsOf } from "./dispatch.ts";
import { SCRATCH_BYTES } from "./threads.ts";

/** Rows of scores that the kernels hold at once. */
const ROWS = 32;
/** A window that nothing is outside of. */
const ALL = 2 ** 31 - 1;

/** See the Engine contract. */
export function attentionKernels(core: Core, { run }: Dispatch): Pick<Engine, "attention" | "attentionBackward"> {
  const { temporary } = core.heap;
  /** Sizes, and the arguments that both kernels have: queries, keys and values are columns of one matrix. */
  const sharedOf = (input: Attention) => {
    const { qkv, offsets, heads, maxLength, bias, causal = false, window = ALL } = input;
    const { kvHeads = heads } = input;
    const columns = columnsOf(qkv);
    const headSize = columns / (heads + 2 * kvHeads);
    if (!Number.isInteger(headSize) || heads % kvHeads !== 0) {
      throw new EngineError("attention: heads that do not fit", {
        found: `${columns} columns for ${heads} heads of queries and ${kvHeads} of keys and values`,
      });
    }
    // What the backward pass lays out: k and v by columns, rows of scores and of slopes, the bias both ways, dropout.
    const padded = Math.ceil(maxLength / 16) * 16 + 32;
    if ((2 * headSize + 2.5 * ROWS + 5) * padded * 4 > SCRATCH_BYTES) {
      throw new EngineError("attention: sequences are too long", {
        found: `${maxLength} tokens, heads of ${headSize} features`,
      });
    }
    if (bias !== undefined) expectShape("attention", bias, [undefined, heads]);
    const span = bias === undefined ? 0 : (rowsOf(bias) + 1) / 2;
    if (bias !== undefined && span < maxLength) {
      throw new EngineError("attention: the bias covers too few positions", {
        expected: `at least [${2 * maxLength - 1}, ${heads}]`,
        found: `[${bias.shape}]`,
      });
    }
    const args = {
      ...partsOf(at(qkv), columns, heads, kvHeads, headSize),
      offsets: at(offsets),
      heads,
      kvHeads,
      headSize,
      scale: input.scale ?? 1 / Math.sqrt(headSize),
      causal: +causal,
      window: Math.min(window, ALL),
      bias: atOr0(bias),
      span,
      ...dropoutArguments(input.dropout),
    };
    return { tokens: rowsOf(qkv), sequences: rowsOf(offsets) - 1, columns, heads, kvHeads, headSize, args };
  };

  return {
    attention(input) {
      const { tokens, sequences, heads, headSize, args } = sharedOf(input);
      const out = temporary([tokens, heads * headSize]);
      const logSumExp = temporary([tokens, heads]);
      run("attention", sequences * heads, 4, { ...args, out: at(out), logSumExp: at(logSumExp) });
      clearBehind(core, out, input.offsets);
      return { out, logSumExp };
    },
    attentionBackward(input, { logSumExp }, dOut, dBias) {
      const { tokens, sequences, columns, heads, kvHeads, headSize, args } = sharedOf(input);
      const dQkv = temporary([tokens, columns]);
      const { q, qStride, k, kStride, v, vStride } = partsOf(at(dQkv), columns, heads, kvHeads, headSize);
      const gradients = { dq: q, dqStride: qStride, dk: k, dkStride: kStride, dv: v, dvStride: vStride };
      // Where the bias has a gradient, a thread owns the heads whose columns it adds to.
      const [items, grain] = dBias === undefined ? [sequences * kvHeads, 4] : [kvHeads, 1];
      run("attentionBackward", items, grain, {
        ...args,
        sequences,
        logSumExp: at(logSumExp),
        dOut: at(dOut),
        ...gradients,
        dBias: atOr0(dBias),
      });
      clearBehind(core, dQkv, input.offsets);
      return dQkv;
    },
  };
}

/** Where queries, keys and values begin in the rows of one matrix, and how far it is from row to row. */
function partsOf(address: number, columns: number, heads: number, kvHeads: number, headSize: number) {
  const [k, v] = [heads * headSize, (heads + kvHeads) * headSize];
  const strides = { qStride: columns, kStride: columns, vStride: columns };
  return { q: address, k: address + 4 * k, v: address + 4 * v, ...strides };
}
