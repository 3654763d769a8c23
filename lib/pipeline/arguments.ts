/**
 * Arguments read by the table of flags.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { OUTPUT_PRECISIONS, type OutputPrecision } from "../embed/quantize.ts";
import { UsageError } from "../error.ts";
import { didYouMean, nearestName } from "../text/edits.ts";
import { type NumberKind, NUMBERS } from "../train/fields.ts";
import { commandsWithLoss, ownersInWords, setLoss } from "./flag_owners.ts";
import { type Flag, FLAGS, type FlagType, type FlagValues } from "./flags.ts";

/** Reads arguments; only the given flags are known. `choices`: what they may be, where the table of flags says otherwise. */
export function parseFlags(
  args: readonly string[],
  known: readonly Flag[],
  choices: Readonly<Partial<Record<Flag, readonly string[]>>> = {},
): { values: FlagValues; operands: readonly string[] } {
  const options = Object.fromEntries(
    known.map((flag) => [flag, { type: FLAGS[flag][0] === "switch" ? "boolean" : "string" } as const]),
  );
  for (const [i, arg] of args.entries()) {
    const [, name, value = args[i + 1]] = /^--([^=]+)(?:=(.*))?/.exec(arg) ?? [];
    if (name === undefined || known.includes(name as Flag)) continue;
    const hint = name in FLAGS ? ownersInWords(name as Flag, value) : nearest(name, known);
    throw new UsageError(`unknown flag --${name}`, { hint });
  }
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: joinNegatives(args), options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split(". ")[0]!, { hint: "--help lists the flags" });
  }
  const values = Object.fromEntries(
    Object.entries(parsed.values).map(([flag, value]) => [
      flag,
      read(flag as Flag, value as string | boolean, choices[flag as Flag]),
    ]),
  );
  return { values, operands: parsed.positionals };
}

/** `--clip -3` as `--clip=-3`: a number that is out of range shall be told so, and not be taken for a flag. */
function joinNegatives(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    if (/^-\d/.test(arg) && joined.at(-1)?.startsWith("--")) joined.push(`${joined.pop()}=${arg}`);
    else joined.push(arg);
  }
  return joined;
}

function read(flag: Flag, value: string | boolean, choices?: readonly string[]): string | number | boolean {
  const type = choices ?? FLAGS[flag][0] as FlagType;
  if (typeof value === "boolean" || type === "text" || type === "switch") return value;
  if (typeof type !== "string") {
    if (type.includes(value)) return value;
    const meant = type.find((choice) => value !== "" && choice.includes(value)) ?? nearestName(value, type);
    throw new UsageError(`--${flag} must be one of ${type.join(", ")}`, {
      found: value,
      ...didYouMean(meant),
      ...(flag === "loss" && isElsewhere(value, meant) && { hint: ownersInWords(flag, value) }),
      ...(flag === "precision" && precisionHint(value)),
    });
  }
  const number = value.trim() === "" ? NaN : Number(value);
  const { expected, is } = NUMBERS[type as NumberKind];
  if (is(number)) return number;
  throw new UsageError(`--${flag} must be ${expected}`, { found: value });
}

/** Whether a loss is that of other commands, rather than one of this one, mistyped. */
const isElsewhere = (loss: string, meant: string | undefined) =>
  commandsWithLoss(loss).length > 0 || (meant === undefined && setLoss(loss) !== undefined);

/** sentence-transformers calls the precision of embeddings by the same name. */
function precisionHint(value: string): { readonly hint?: string } {
  if (value === "int8") return { hint: "int8 is for inference: encode, search, evaluate, mteb, hard_negatives" };
  if (!OUTPUT_PRECISIONS.includes(value as OutputPrecision)) return {};
  return { hint: "the precision of embeddings is --output-precision of encode; this is that of the computation" };
}

function nearest(name: string, known: readonly Flag[]): string {
  const meant = nearestName(name, known);
  return meant === undefined ? "--help lists the flags" : `did you mean --${meant}?`;
}
