import { allEngines } from "../engines.ts";
import { conformance } from "./conformance.ts";
import { table } from "./table.ts";

for (const { name, create, without } of allEngines) {
  Deno.test(`every kernel is what its definition says on ${name}`, async (t) => {
    await conformance(await create(), (subject, run) => t.step(subject, run).then(() => {}), table, without);
  });
}
