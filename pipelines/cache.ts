/**
 * Looks after the cache of stages: lists it, checks every byte of it, prunes it.
 *
 * @module
 */
import { counted } from "../lib/counted.ts";
import * as Effect from "effect/Effect";
import { attempt } from "../lib/attempt.ts";
import { UsageError } from "../lib/error.ts";
import { listEntries, pruneEntries, verifyEntries } from "../lib/stage/cache_care.ts";
import { type Command, main } from "../lib/pipeline/command.ts";
import { COMMON } from "../lib/pipeline/flags.ts";
import { optional } from "../lib/pipeline/settings.ts";
import { StageRunner } from "../lib/stage/stage.ts";

/** The command. */
export const command: Command = {
  name: "cache",
  summary: "list, verify or prune the cache of stages",
  operands: "list|verify|prune",
  flags: [...COMMON.filter((flag) => flag !== "no-cache"), "older-than", "max-size"],
  presets: {},
  run: Effect.fnUntraced(function* ({ operands, values }) {
    const { folder } = yield* StageRunner;
    const [action = "list", ...more] = operands;
    const [days, megabytes] = [optional(values, "older-than"), optional(values, "max-size")];
    if (more.length > 0 || !["list", "verify", "prune"].includes(action)) {
      return yield* Effect.fail(
        new UsageError("the cache knows no such action", {
          expected: "list, verify or prune",
          found: operands.join(" "),
        }),
      );
    }
    if (action === "prune" ? days === undefined && megabytes === undefined : days ?? megabytes) {
      return yield* Effect.fail(
        new UsageError("--older-than DAYS and --max-size MB say what prune removes", { found: action }),
      );
    }
    const result = yield* attempt(async () =>
      action === "list"
        ? { entries: await listEntries(folder) }
        : action === "verify"
        ? await verifyEntries(folder)
        : await pruneEntries(folder, { olderThanDays: days, maxMegabytes: megabytes })
    );
    return { schema: "kindred-cache/1", folder, action, ...result };
  }),
  print: ({ folder, action, entries = [], damaged = [], checked, removed, freed }: CacheReport) =>
    action === "list"
      ? [
        ...entries.map(({ key, stage, size, created }) =>
          `${key.slice(0, 12)}  ${stage.padEnd(24)}${megabytesOf(size).padStart(10)} MB  ${created}`
        ),
        `${counted(entries.length, "entry")}, ${
          megabytesOf(entries.reduce((sum, { size }) => sum + size, 0))
        } MB in ${folder}`,
      ].join("\n")
      : action === "verify"
      ? [
        ...damaged.map(({ key, fault }) => `damaged: ${key}: ${fault}`),
        `${counted(checked ?? 0, "entry")} checked, ${damaged.length} damaged`,
      ]
        .join("\n")
      : `${counted(removed ?? 0, "entry")} removed, ${megabytesOf(freed ?? 0)} MB freed`,
};

interface CacheReport {
  readonly folder: string;
  readonly action: string;
  readonly entries?: readonly { key: string; stage: string; size: number; created: string }[];
  readonly damaged?: readonly { key: string; fault: string }[];
  readonly checked?: number;
  readonly removed?: number;
  readonly freed?: number;
}

const megabytesOf = (bytes: number) => (bytes / 1e6).toFixed(1);

if (import.meta.main) await main(command);
