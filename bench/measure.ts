/**
 * What all benchmarks share: one way to run a side in a process of its own, one way to take its memory, one way to print.
 *
 * @module
 */

/** Prints a line. */
export function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** What one side says of itself in its last line, as JSON. */
export interface Told {
  /** Who did it: package, version, kernels. */
  readonly by: string;
  /** Samples, texts or rows per second. */
  readonly rate?: number;
  /** Resident memory at most, in bytes. */
  readonly peak_bytes: number;
  /** When the first step began and when it was done, in milliseconds since 1970. */
  readonly first_step_begun?: number;
  readonly first_step_at?: number;
  /** Tokens of a sample, on average. */
  readonly tokens?: number;
  /** The model that was trained. */
  readonly folder?: string;
  /** A number that all sides of a work have to agree on. */
  readonly check?: number;
}

/** A side that ran, and the seconds from its start to where its first step begins and ends. */
export interface Measured extends Told {
  readonly to_first_step?: number;
  readonly first_step_seconds?: number;
}

/** A command that measures one side: it prints what came of it as its last line. */
export interface SideCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/** Runs a side to its end. */
export async function runSide({ command, args }: SideCommand): Promise<Measured> {
  const started = Date.now();
  const env = { NO_COLOR: "1" };
  const { stdout, stderr, code } = await new Deno.Command(command, { args: [...args], env }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (code !== 0) throw new Error(/^(error|\w+Error)\b.*/m.exec(text(stderr))?.[0] ?? `exit code ${code}`);
  const told: Told = JSON.parse(text(stdout).split("\n").at(-1)!);
  const { first_step_begun: begun, first_step_at: ended } = told;
  if (begun === undefined || ended === undefined) return told;
  return { ...told, to_first_step: (begun - started) / 1000, first_step_seconds: (ended - started) / 1000 };
}

/** Resident memory of this process at most, in bytes (Linux). */
export function peakBytes(): number {
  return 1024 * Number(/VmHWM:\s+(\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))?.[1]);
}

/** Seconds that some work takes. */
export async function secondsOf(work: () => unknown): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** The middle one; the upper one of two. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

/** A line of a table. */
export const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

/** The head of a table. */
export const head = (cells: readonly string[]): string => `${line(cells)}\n${line(cells.map(() => "---"))}`;

/** The processor, and how many cores of it there are. */
export async function processor(): Promise<string> {
  const info = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  const name = /model name\s*:\s*(.+)/.exec(info)?.[1] ?? `${Deno.build.os} ${Deno.build.arch}`;
  const flags = new Set(/flags\s*:\s*(.+)/.exec(info)?.[1]?.split(" "));
  const known = { avx2: "AVX2", avx512f: "AVX-512", avx512_bf16: "BF16", avx512_vnni: "VNNI", amx_tile: "AMX" };
  const has = Object.entries(known).flatMap(([flag, told]) => flags.has(flag) ? [told] : []);
  return [`${name}, ${navigator.hardwareConcurrency} cores`, ...has].join(", ");
}
