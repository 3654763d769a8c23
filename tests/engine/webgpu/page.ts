/** The suite of conformance on a page: what it finds goes to the server that the page came from. */
import { createWebgpuEngine } from "../../../lib/engine/webgpu/mod.ts";
import { conformance } from "../conformance/conformance.ts";
import { table } from "../conformance/table.ts";

const faults: string[] = [];
const passed: string[] = [];
let adapter = "";
try {
  const engine = await createWebgpuEngine({ logitBytes: 4 * 70 });
  adapter = engine.info.device;
  await conformance(engine, async (subject, run) => {
    await run().then(() => passed.push(subject), (error) => faults.push(`${subject}: ${error.message}`));
  }, table);
} catch (error) {
  faults.push(String(error instanceof Error ? error.stack : error));
}
await fetch("/done", { method: "POST", body: JSON.stringify({ adapter, passed, faults }) });
