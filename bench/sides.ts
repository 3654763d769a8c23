/**
 * Commands of sides: their flags, and where their inputs lie.
 *
 * @module
 */
import { inputPath, type Sources } from "./inputs.ts";
import { type Measured, runSide } from "./measure.ts";

/** One side of a work: who does it, and with which flags. A flag that begins with `@` is an input. */
export interface Side {
  /** kindred.ts, rivals.ts, or rivals.py with one Python or the other. */
  readonly by: "kindred" | "javascript" | "python" | "python-int8";
  readonly work: string;
  readonly flags: Flags;
}

/** Flags by name. */
export type Flags = Readonly<Record<string, string | number>>;

const script = (name: string) => new URL(name, import.meta.url).pathname;

/** Runs a side, with its inputs made before the clock runs. */
export async function runOne(sources: Sources, { by, work, flags }: Side): Promise<Measured> {
  const isSmall = sources.scale < 1 && "steps" in flags;
  const own = isSmall ? { ...flags, steps: 2, warm: 1, "batch-size": 8 } : flags;
  const told: string[] = [];
  for (const [name, value] of Object.entries({ ...own, threads: sources.threads })) {
    const text = `${value}`;
    told.push(`--${name}`, text.startsWith("@") ? await inputPath(sources, text.slice(1)) : text);
  }
  if (by === "kindred" || by === "javascript") {
    const file = script(by === "kindred" ? "kindred.ts" : "rivals.ts");
    return await runSide({ command: Deno.execPath(), args: ["run", "-A", file, work, ...told] });
  }
  const command = by === "python" ? sources.python : sources.pythonInt8;
  if (command === undefined) throw new Error(`needs --${by}`);
  return await runSide({ command, args: [script("rivals.py"), work, ...told] });
}
