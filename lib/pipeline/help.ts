/**
 * The help of a command: its flags in groups, as wide as the terminal.
 *
 * @module
 */
import { choicesOf, type Flag, type FlagChoices, FLAGS, type FlagType, type FlagValues } from "./flags.ts";

/** Groups of flags, what is used most first; flags of no group are the command's own. */
const GROUPS: readonly (readonly [title: string, flags: readonly Flag[]])[] = [
  ["Data", ["preset", "train", "eval", "columns", "eval-columns", "limit", "hold-out", "skip-bad-rows"]],
  ["Model", ["model", "pooling", "max-seq-length", "prompts", "freeze"]],
  ["Training", [
    "epochs",
    "max-steps",
    "batch-size",
    "accumulate",
    "learning-rate",
    "schedule",
    "warmup-steps",
    "warmup-ratio",
    "weight-decay",
    "clip",
    "seed",
    "save-steps",
  ]],
  ["Matryoshka", ["matryoshka", "matryoshka-weights", "matryoshka-per-step"]],
  ["Adapters", ["lora-rank", "lora-alpha", "lora-targets", "lora-dropout", "lora-save"]],
  ["Evaluation on the way", ["eval-steps", "keep-best", "patience", "logging-steps"]],
  ["Output", ["output", "force", "json", "quiet"]],
  ["Engine and cache", ["engine", "kernels", "threads", "precision", "cache-dir", "no-cache"]],
];

/** What holds of a flag in every command, whatever it means there. */
const NOTES: Readonly<Partial<Record<Flag, string>>> = {
  "columns": `; in quotes where a name has a comma or an equals sign: 'anchor="a, b"'`,
};

/** Where descriptions begin; longer flags push theirs into the next line. */
const INDENT = 28;

/** Words in lines of at most so many columns. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** What a command is, for its help. */
export interface HelpCommand {
  /** As its file is called. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** The flags it uses. */
  readonly flags: readonly Flag[];
  /** Words beside flags that it takes. */
  readonly operands?: string;
  /** What a flag does here, where that is not what it does elsewhere. */
  readonly meanings?: Readonly<Partial<Record<Flag, string>>> | undefined;
  /** What a flag may be here, where that is not what it may be elsewhere. */
  readonly choices?: FlagChoices | undefined;
  /** Defaults by preset. */
  readonly presets: Readonly<Record<string, FlagValues>>;
}

/** The help text, with the defaults of this preset; where those for a model of one's own differ, with both. */
export function helpText(
  { name, summary, flags, choices, operands, meanings = {}, presets }: HelpCommand,
  { preset, columns = 100 }: { readonly preset: string; readonly columns?: number },
): string {
  const width = Math.max(40, Math.min(columns, 120));
  const narrow = width < 2 * INDENT;
  const own = preset === "sample" ? presets["own"] : undefined;
  const defaultOf = (flag: Flag) => {
    if (flag === "preset") return ` [${preset}]`;
    const [here, there] = [presets[preset]?.[flag], own?.[flag]];
    if (own === undefined || here === there) return here === undefined ? "" : ` [${here}]`;
    return ` [${there ?? "none"}; the ${preset} ${here ?? "none"}]`;
  };
  const entry = (head: string, text: string) => {
    if (narrow) return [`  ${head}`, ...wrap(text, width - 6).map((line) => `      ${line}`)];
    const lines = wrap(text, width - INDENT).map((line) => " ".repeat(INDENT) + line);
    if (head.length + 4 > INDENT) return [`  ${head}`, ...lines];
    return [`  ${head}`.padEnd(INDENT) + lines[0]!.slice(INDENT), ...lines.slice(1)];
  };
  const allowed = choicesOf(flags, choices);
  const told = (flag: Flag) => {
    const [any, usual] = FLAGS[flag] as readonly [FlagType, string];
    const type = allowed[flag] ?? any;
    const text = meanings[flag] ?? usual;
    const value = type === "switch" ? "" : type === "text" ? " TEXT" : typeof type === "string" ? " N" : " NAME";
    const choices = typeof type === "string" ? "" : `: ${type.join(", ")}`;
    return entry(`--${flag}${value}`, `${text}${NOTES[flag] ?? ""}${choices}${defaultOf(flag)}`);
  };
  const grouped = new Set(GROUPS.flatMap(([, members]) => members));
  const others = ["What this command adds", flags.filter((flag) => !grouped.has(flag))] as const;
  const groups = [...GROUPS.slice(0, 3), others, ...GROUPS.slice(3)];
  const sections = groups.flatMap(([title, members]) => {
    const shown = members.filter((flag) => flags.includes(flag));
    return shown.length === 0 ? [] : ["", `${title}:`, ...shown.flatMap(told)];
  });
  const usage = `deno run -A pipelines/${name}.ts ${operands === undefined ? "" : `${operands} `}[flags]`;
  return [
    ...wrap(`${name}: ${summary}`, width),
    "",
    ...wrap(`Usage: ${usage}`, width),
    ...sections,
    "",
    ...entry("--help", "this text"),
    "",
  ].join("\n");
}
