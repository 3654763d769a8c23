/**
 * Attention over packed sequences.
 *
 * @module
 */
import { EngineError } from "../../error.ts";
import type { Attention, Engine, Handle } from "../engine.ts";
import { at, atOr0, type Core, dropoutArguments, expectShape } from "./core.ts";
import { clearBehind, columnsOf, type Dispatch, rowsOf } from "./dispatch.ts";
import type { MovingKernels } from "./moving.ts";
import { SCRATCH_BYTES } from "./threads.ts";

/** See the Engine contract. */
export function attentionKernels(
  core: Core,
  { run }: Dispatch,
  { sliceColumns, concatColumns }: MovingKernels,
): Pick<Engine, "attention" | "attentionBackward"> {
  const { temporary } = core.heap;
  const attentionArguments = (input: Attention) => {
    const { qkv, offsets, heads, maxLength, bias, causal = false } = input;
    if (input.kvHeads !== undefined || input.window !== undefined || input.scale !== undefined) {
      throw new EngineError("attention: fewer key heads, windows and scales are not there yet");
    }
    const tokens = rowsOf(qkv);
    const width = columnsOf(qkv) / 3;
    const [q, k, v] = [0, 1, 2].map((i) => sliceColumns(qkv, i * width, (i + 1) * width)) as [Handle, Handle, Handle];
    if (bias !== undefined) expectShape("attention", bias, [undefined, heads]);
    const padded = Math.ceil(maxLength / 8) * 8 + 32;
    if (width % heads !== 0 || (2 * width / heads + 4) * padded * 4 > SCRATCH_BYTES) {
      throw new EngineError("attention: sequences too long, or heads that do not divide the width", {
        found: `width ${width}, ${heads} heads, ${maxLength} tokens`,
      });
    }
    const span = bias === undefined ? 0 : (rowsOf(bias) + 1) / 2;
    if (bias !== undefined && span < maxLength) {
      throw new EngineError("attention: the bias covers too few positions", {
        expected: `at least [${2 * maxLength - 1}, ${heads}]`,
        found: `[${bias.shape}]`,
      });
    }
    return {
      sequences: rowsOf(offsets) - 1,
      tokens,
      width,
      inputs: [at(q), at(k), at(v), at(offsets)],
      shape: [width, heads, +causal, atOr0(bias), span],
    };
  };

  return {
    attention(input) {
      const { sequences, tokens, width, inputs, shape } = attentionArguments(input);
      const out = temporary([tokens, width]);
      const logSumExp = temporary([tokens, input.heads]);
      const rest = [at(out), at(logSumExp), ...dropoutArguments(input.dropout)];
      run("attention", sequences * input.heads, 4, ...inputs, ...shape, ...rest);
      clearBehind(core, out, input.offsets);
      return { out, logSumExp };
    },
    attentionBackward(input, { logSumExp }, dOut, dBias) {
      const { sequences, tokens, width, inputs, shape } = attentionArguments(input);
      const [dq, dk, dv] = [temporary([tokens, width]), temporary([tokens, width]), temporary([tokens, width])];
      const outputs = [at(logSumExp), at(dOut), at(dq), at(dk), at(dv), atOr0(dBias)];
      const items = dBias === undefined ? sequences * input.heads : input.heads;
      const grain = dBias === undefined ? 4 : 1;
      const rest = [...shape, ...outputs, ...dropoutArguments(input.dropout)];
      run("attentionBackward", items, grain, ...inputs, sequences, ...rest);
      const dQkv = concatColumns([dq, dk, dv]);
      clearBehind(core, dQkv, input.offsets);
      return dQkv;
    },
  };
}
