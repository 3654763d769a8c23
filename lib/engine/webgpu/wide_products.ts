/**
 * Matrix products of which a factor or the result is larger than what a kernel reaches: the weight of a decoder over a
 * large vocabulary, and its gradient.
 *
 * @module
 */
import type { Engine, Handle, MatmulOptions } from "../engine.ts";
import type { Core } from "./memory.ts";

type Run = readonly [from: number, to: number];

/**
 * Products by runs of rows of what is too large.
 *
 * @param core Tells what a kernel reaches.
 * @param engine Does one of them.
 * @returns The product of all.
 */
export function wideProducts(
  { temporary, part, windows, copy }: Core,
  engine: Pick<Engine, "matmul" | "sliceColumns" | "concatColumns" | "release">,
): Pick<Engine, "matmul"> {
  const { sliceColumns, concatColumns, release } = engine;
  const isWide = (x: Handle) => x.shape.length === 2 && windows(x).length > 1;
  const rows = (x: Handle, [from, to]: Run) => part(x, from * x.shape[1]!, [to - from, x.shape[1]!]);

  const matmul: Engine["matmul"] = (a, b, options = {}) => {
    const { transposeA = false, transposeB = false, out } = options;
    if (isWide(a)) return (transposeA ? byDepth : byRows)(a, b, options, windows(a));
    if (isWide(b)) return (transposeB ? byColumns : byDepth)(a, b, options, windows(b));
    if (out !== undefined && isWide(out)) return byRows(a, b, options, windows(out));
    return engine.matmul(a, b, options);
  };
  const resultOf = (a: Handle, b: Handle, { transposeA, transposeB, out }: MatmulOptions): Handle =>
    out ?? temporary([a.shape[transposeA ? 1 : 0]!, b.shape[transposeB ? 0 : 1]!]);
  /** A run of what is summed over, or of the result: rows of a matrix are there already, columns are copied. */
  const withRun = (x: Handle, isColumns: boolean, run: Run, then: (x: Handle) => void) => {
    if (!isColumns) return then(rows(x, run));
    const copied = sliceColumns(x, ...run);
    then(copied);
    release(copied);
  };

  /** Rows of C, of op(A). */
  const byRows = (a: Handle, b: Handle, options: MatmulOptions, runs: readonly Run[]): Handle => {
    const c = resultOf(a, b, options);
    const { transposeA = false, preactivation: z, out } = options;
    const accumulate = options.accumulate === true && out !== undefined;
    for (const run of runs) {
      const ofZ = z && rows(z, run);
      withRun(a, transposeA, run, (ofA) => {
        matmul(ofA, b, { ...options, out: rows(c, run), accumulate, preactivation: ofZ });
      });
    }
    return c;
  };
  /** Columns of C, of op(B) = Bᵀ. */
  const byColumns = (a: Handle, b: Handle, options: MatmulOptions, runs: readonly Run[]): Handle => {
    const { bias, preactivation: z, out, accumulate = false } = options;
    const parts = runs.map((run) => {
      const [from, to] = run;
      const ofZ = z && temporary([z.shape[0]!, to - from]);
      const ofC = matmul(a, rows(b, run), {
        ...options,
        out: accumulate && out !== undefined ? sliceColumns(out, from, to) : undefined,
        bias: bias && part(bias, from, [to - from]),
        preactivation: ofZ,
      });
      return { ofC, ofZ };
    });
    const c = concatColumns(parts.map(({ ofC }) => ofC));
    if (z !== undefined) {
      const joined = concatColumns(parts.map(({ ofZ }) => ofZ!));
      copy(z, joined);
      release(joined);
    }
    for (const made of parts.flatMap(({ ofC, ofZ }) => ofZ === undefined ? [ofC] : [ofC, ofZ])) release(made);
    if (out === undefined) return c;
    copy(out, c);
    release(c);
    return out;
  };
  /** Runs of what is summed over, one after the other; what follows the sum comes with the last. */
  const byDepth = (a: Handle, b: Handle, options: MatmulOptions, runs: readonly Run[]): Handle => {
    const c = resultOf(a, b, options);
    const { transposeA = false, transposeB = false, bias, activation, preactivation, ...rest } = options;
    const begins = options.accumulate === true && options.out !== undefined;
    runs.forEach((run, i) => {
      const end = i + 1 === runs.length ? { bias, activation, preactivation } : {};
      withRun(a, !transposeA, run, (ofA) => {
        withRun(b, transposeB, run, (ofB) => {
          matmul(ofA, ofB, { ...rest, transposeA, transposeB, ...end, out: c, accumulate: begins || i > 0 });
        });
      });
    });
    return c;
  };
  return { matmul };
}
