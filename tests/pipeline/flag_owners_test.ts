import assert from "node:assert/strict";
import { lossOf } from "../../lib/loss/named.ts";
import { parseFlags } from "../../lib/pipeline/arguments.ts";
import type { Command } from "../../lib/pipeline/command.ts";
import { LOSS_OWNERS, OWNERS, SET_LOSSES } from "../../lib/pipeline/flag_owners.ts";
import { type Flag, FLAGS } from "../../lib/pipeline/flags.ts";

const folder = new URL("../../pipelines/", import.meta.url);
const files = [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".ts")).map(({ name }) => name).sort();
const commands: Command[] = [];
for (const name of files) commands.push((await import(new URL(name, folder).href)).command);

Deno.test("what is written down of the commands' flags and losses is what they have", () => {
  const names = new Map<Flag, readonly string[]>();
  for (const flag of Object.keys(FLAGS) as Flag[]) {
    const owners = commands.filter(({ flags }) => flags.includes(flag)).map(({ name }) => name);
    if (owners.length <= 8) names.set(flag, owners);
  }
  const written = new Map(OWNERS.flatMap(([owners, flags]) => flags.map((flag) => [flag, owners] as const)));
  const sorted = (map: ReadonlyMap<Flag, readonly string[]>) => [...map].sort(([a], [b]) => a < b ? -1 : 1);
  assert.deepEqual(sorted(written), sorted(names));
  const losses = commands.filter(({ flags }) => flags.includes("loss")).map(({ name, choices }) =>
    [name, choices?.loss ?? FLAGS["loss"][0]] as const
  );
  assert.deepEqual(LOSS_OWNERS, Object.fromEntries(losses));
  const owned = losses.flatMap(([, names]) => names);
  for (const loss of SET_LOSSES) {
    assert.ok(!owned.includes(loss), loss);
    assert.equal(lossOf({ name: loss.replaceAll("-", "_") }).name, loss.replaceAll("-", "_"));
  }
});

Deno.test("who asks a command for the flag or the loss of another is told whose it is", () => {
  const refused = (name: string, ...args: readonly string[]) => {
    const { flags, choices } = commands.find((command) => command.name === name)!;
    try {
      parseFlags(args, flags, choices);
    } catch (error) {
      return (error as { hint?: string }).hint;
    }
  };
  assert.equal(refused("simcse", "--datasets", "sets.json"), "--datasets belongs to multi_dataset");
  assert.equal(
    refused("cosine_similarity", "--loss", "cosine"),
    "--loss belongs to cross_encoder, label_similarity, multiple_negatives_ranking and supervised_finetune",
  );
  const ofSets = 'cosent is a loss of data sets: "loss": "cosent" in --datasets of multi_dataset';
  for (const name of ["cosine_similarity", "multiple_negatives_ranking"]) {
    for (const loss of ["cosent", "CoSENTLoss"]) assert.equal(refused(name, "--loss", loss), ofSets);
  }
  assert.equal(refused("supervised_finetune", "--loss", "GISTEmbedLoss"), "did you mean gist?");
  for (const args of [["--loss", "lambda"], ["--loss=lambda"]]) {
    assert.equal(refused("cosine_similarity", ...args), "--loss lambda belongs to cross_encoder");
    assert.equal(refused("supervised_finetune", ...args), "--loss lambda belongs to cross_encoder");
  }
  assert.equal(refused("supervised_finetune", "--loss", "tripet"), "did you mean triplet?");
  assert.equal(
    refused("encode", "--epochs", "3"),
    "--epochs belongs to most other commands; this one has no use for it",
  );
});
