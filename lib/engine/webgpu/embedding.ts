/**
 * Rows of a table, and what is added to them. A table that no kernel reaches as a whole is gone through by runs of rows.
 *
 * @module
 */
import { type Engine, sizeOf } from "../engine.ts";
import { expectShape } from "../shapes.ts";
import type { Kernel } from "./kernel.ts";
import type { Core } from "./memory.ts";
import { elementwise } from "./wgsl.ts";

const GATHER = elementwise(
  "gather",
  { reads: { table: "f32", ids: "i32" }, writes: { y: "f32" }, numbers: { width: "u32", begin: "u32", end: "u32" } },
  `let id = u32(ids[i / p.width]);
if (id >= p.begin && id < p.end) { y[i] = table[(id - p.begin) * p.width + i % p.width]; }`,
);

const THREADS = 64;
/**
 * A workgroup does what the first token of an id begins: it goes through all tokens behind it and adds those of the
 * same id, in their order. So nothing is added by two at once.
 */
const SCATTER_ADD: Kernel = {
  name: "scatterAdd",
  reads: { ids: "i32", dy: "f32" },
  writes: { table: "f32" },
  numbers: { tokens: "u32", width: "u32", begin: "u32", end: "u32" },
  threads: THREADS,
  head: `
var<workgroup> isFirst: array<u32, ${THREADS}>;
var<workgroup> isSame: array<u32, ${THREADS}>;`,
  body: `
  let token = group;
  if (token >= p.tokens) { return; }
  let id = ids[token];
  if (u32(id) < p.begin || u32(id) >= p.end) { return; }
  var first = 1u;
  for (var other = t; other < token; other += ${THREADS}u) { if (ids[other] == id) { first = 0u; } }
  isFirst[t] = first;
  workgroupBarrier();
  for (var step = ${THREADS / 2}u; step > 0u; step /= 2u) {
    if (t < step) { isFirst[t] &= isFirst[t + step]; }
    workgroupBarrier();
  }
  if (workgroupUniformLoad(&isFirst[0]) == 0u) { return; }
  for (var base = token; base < p.tokens; base += ${THREADS}u) {
    isSame[t] = 0u;
    if (base + t < p.tokens) { isSame[t] = u32(ids[base + t] == id); }
    workgroupBarrier();
    for (var i = 0u; i < ${THREADS}u; i++) {
      if (isSame[i] == 0u) { continue; }
      for (var c = t; c < p.width; c += ${THREADS}u) {
        table[(u32(id) - p.begin) * p.width + c] += dy[(base + i) * p.width + c];
      }
    }
    workgroupBarrier();
  }`,
};

/** See the Engine contract. */
export function embeddingKernels(core: Core): Pick<Engine, "gather" | "scatterAdd"> {
  const { device, temporary, at, elements, part, windows } = core;
  return {
    gather(table, ids) {
      const width = table.shape[1]!;
      const y = temporary([ids.shape[0]!, width]);
      for (const [begin, end] of windows(table)) {
        const rows = part(table, begin * width, [end - begin, width]);
        elements(GATHER, sizeOf(y.shape), { table: rows, ids, y }, { width, begin, end });
      }
      return y;
    },
    scatterAdd(dTable, ids, dy) {
      const [tokens, width] = [ids.shape[0]!, dTable.shape[1]!];
      expectShape("scatterAdd", dy, [tokens, width]);
      for (const [begin, end] of windows(dTable)) {
        const rows = part(dTable, begin * width, [end - begin, width]);
        device.run(SCATTER_ADD, tokens, { ids: at(ids), dy: at(dy), table: at(rows) }, { tokens, width, begin, end });
      }
    },
  };
}
