/**
 * Rotary positions.
 *
 * @module
 */
import type { Engine } from "../engine.ts";
import { columnsOf, withColumns } from "./columns.ts";
import type { Core } from "./memory.ts";

/** See the Engine contract. */
export function rotaryKernels({ tf, set, get }: Core): Pick<Engine, "rotate"> {
  return {
    rotate(x, { table, positions, heads, headSize, inverse = false }) {
      const rows = x.shape[0]!;
      const pairs = table.shape[1]! / 2;
      if (rows === 0) return;
      set(x, () => {
        const angles = tf.gather(get(table), get(positions));
        const of = (from: number) => tf.reshape(columnsOf(tf, angles, from, from + pairs), [rows, 1, pairs]);
        const [cos, sin] = [of(0), tf.mul(of(pairs), tf.scalar(inverse ? -1 : 1))];
        const part = tf.reshape(columnsOf(tf, get(x), 0, heads * headSize), [rows, heads, headSize]);
        const features = (from: number, to: number) => tf.slice(part, [0, 0, from], [rows, heads, to - from]);
        const [a, b] = [features(0, pairs), features(pairs, 2 * pairs)];
        const turned = [tf.sub(tf.mul(a, cos), tf.mul(b, sin)), tf.add(tf.mul(b, cos), tf.mul(a, sin))];
        const all = tf.concat([...turned, features(2 * pairs, headSize)], 2);
        return withColumns(tf, get(x), 0, tf.reshape(all, [rows, heads * headSize]));
      });
    },
  };
}
