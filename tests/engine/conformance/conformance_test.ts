import { allEngines } from "../engines.ts";
import type { Case, Values } from "./case.ts";
import { conformance } from "./conformance.ts";
import { table } from "./table.ts";

/** By family and case: what the first engine of several gave that have to give the same bits. */
const sameBits: Record<string, Map<Case, Values>> = {};

for (const { name, create, bits } of allEngines) {
  const known = bits === undefined ? undefined : sameBits[bits] ??= new Map();
  Deno.test(`every kernel is what its definition says on ${name}`, async (t) => {
    await conformance(await create(), (subject, run) => t.step(subject, run).then(() => {}), table, known);
  });
}
