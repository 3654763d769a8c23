import assert from "node:assert/strict";
import { join } from "node:path";
import { sampleBaseModel, sampleGraded, samplePassages, sampleTexts } from "../../lib/data/sample/mod.ts";
import { createCpuEngine } from "../../lib/engine/cpu/engine.ts";
import { DatasetError, TrainingError, UsageError } from "../../lib/error.ts";
import { loadCrossEncoder, saveCrossEncoder } from "../../lib/model/cross_encoder.ts";
import {
  augmentedSbert,
  contrastiveTension,
  encode,
  finetune,
  gpl,
  rank,
  simcse,
  trainCrossEncoder,
  tsdae,
  word2vec,
} from "../../lib/simple/mod.ts";
import { withFolder } from "../folder.ts";

Deno.test("tsdae() trains, saves a folder that encode() reads, and finds its result again", () =>
  withFolder(async (folder) => {
    const input = {
      model: await sampleBaseModel(),
      texts: sampleTexts({ rows: 64 }),
      output: join(folder, "model"),
      cacheDir: join(folder, "cache"),
      learningRate: 1e-3,
    };
    const record = await tsdae(input);
    assert.equal(record.steps, 4);
    const { data } = await encode(input.output, ["the dog chases the cat"]);
    assert.notDeepEqual(data, (await encode(await sampleBaseModel(), ["the dog chases the cat"])).data);
    assert.equal((await tsdae(input)).seconds, record.seconds, "the second time it comes from the cache");
  }));

Deno.test("simcse() and contrastiveTension() train, save, find their results again, and say what cannot be", () =>
  withFolder(async (folder) => {
    const base = await sampleBaseModel();
    const common = { model: base, texts: sampleTexts({ rows: 40 }), cacheDir: join(folder, "cache"), maxSteps: 2 };
    const [plain] = [(await encode(base, ["the dog chases the cat"])).data];
    const ways = {
      simcse: (output: string) => simcse({ ...common, output, batchSize: 20 }),
      inBatch: (output: string) => contrastiveTension({ ...common, output, batchSize: 20 }),
      pairs: (output: string) => contrastiveTension({ ...common, output, tension: "pairs", batchSize: 8 }),
    };
    for (const [name, train] of Object.entries(ways)) {
      const record = await train(join(folder, name));
      assert.equal(record.steps, 2);
      // The second of two batches of 15 texts, which make eight pairs, and of 20.
      assert.equal(record.samples, name === "pairs" ? 30 : 40);
      assert.notDeepEqual((await encode(join(folder, name), ["the dog chases the cat"])).data, plain);
      assert.equal(
        (await train(join(folder, name))).seconds,
        record.seconds,
        "the second time it comes from the cache",
      );
      assert.match(await Deno.readTextFile(join(folder, name, "README.md")), /on plain texts, by (SimCSE|Contrastive)/);
    }
    const output = join(folder, "none");
    await assert.rejects(
      contrastiveTension({ ...common, output, tension: "pairs", batchSize: 20 }),
      /does not fit the share of pairs/,
    );
    await assert.rejects(simcse({ ...common, output, dropout: 0 }), (error: unknown) => {
      assert.ok(error instanceof TrainingError);
      assert.match(error.message, /no dropout: both copies/);
      assert.match(error.hint!, /--dropout/);
      return true;
    });
  }));

Deno.test("finetune() finds its result again, and says which columns differ in length", () =>
  withFolder(async (folder) => {
    const input = {
      model: await sampleBaseModel(),
      anchor: ["the boy opens the door", "the cook slices the bread"],
      positive: ["the lad unlocks the gate", "the loaf is cut by the chef"],
      output: join(folder, "model"),
      cacheDir: join(folder, "cache"),
    };
    const record = await finetune(input);
    assert.equal((await finetune(input)).seconds, record.seconds);
    assert.equal((await encode(input.output, ["the dog"])).rows, 1);
    await assert.rejects(finetune({ ...input, positive: ["one"] }), DatasetError);
  }));

Deno.test("rank() puts documents in order, and refuses a model of classes", () =>
  withFolder(async (folder) => {
    const engine = createCpuEngine({ threads: 1 });
    const paths = [];
    for (const labels of [1, 2]) {
      const model = await loadCrossEncoder(engine, await sampleBaseModel(), { labels, seed: 3 });
      paths.push(join(folder, `${labels}`));
      await saveCrossEncoder(engine, model, paths.at(-1)!, "# a judge\n");
    }
    engine.close();
    const documents = ["the boy eats", "a queen in the castle", "the lad eats"];
    const ranked = await rank(paths[0]!, "the boy eats", documents, { topK: 2 });
    assert.equal(ranked.length, 2);
    assert.ok(ranked[0]!.score >= ranked[1]!.score);
    await assert.rejects(rank(paths[1]!, "the boy eats", documents), /ranked by a score/);
  }));

Deno.test("augmentedSbert() makes pairs of the gold sentences where none are given, and says what it lacks", () =>
  withFolder(async (folder) => {
    const gold = {
      sentence1: ["the boy opens the door", "the cook slices the bread", "the dog runs"],
      sentence2: ["the lad unlocks the gate", "a queen in the castle", "the hound runs"],
      score: [0.9, 0.1, 0.8],
    };
    const common = {
      model: await sampleBaseModel(),
      gold,
      output: join(folder, "model"),
      cacheDir: join(folder, "cache"),
    };
    const { silver, pairs, training, judge, kept, worth } = await augmentedSbert(common);
    assert.deepEqual([judge, kept, worth], [undefined, 1, undefined], "three pairs are too few to measure a judge by");
    assert.ok(silver > 3);
    assert.equal(pairs, silver + 3);
    assert.equal(training.samples, pairs);
    await assert.rejects(augmentedSbert({ ...common, pairs: "given" }), UsageError);
    await assert.rejects(augmentedSbert({ ...common, cross: false }), /must be a cross-encoder/);
    const { columns, rows } = sampleGraded({ rows: 60 });
    const [dull, few] = [{ learningRate: 1e-12 }, { ...common, pairs: "recombine" as const, maxSteps: 1, holdOut: 0 }];
    const graded = { ...few, gold: columns, cross: dull, goldHoldOut: rows / 2 };
    await assert.rejects(augmentedSbert(graded), /the judge knows no more than the model/);
    const forced = await augmentedSbert({ ...graded, forceJudge: true, minConfidence: 0.9 });
    assert.ok(forced.judge?.passed === false && forced.judge.rows === 30 && forced.kept > 0);
    const { kept: saved, models, rows: asked } = forced.worth!;
    assert.deepEqual([models.length, asked], [3, 30]);
    assert.equal(
      saved === "silver",
      models.slice(0, 2).every(({ difference, uncertainty }) => difference > uncertainty),
    );
    const { worth: none } = await augmentedSbert({ ...graded, forceJudge: true, minConfidence: 0.9, controls: false });
    assert.equal(none, undefined, "nothing to compare with");
  }));

Deno.test("a folder of the user's own is refused before anything is computed; with force its files stay", () =>
  withFolder(async (folder) => {
    const output = join(folder, "thesis");
    await Deno.mkdir(output);
    await Deno.writeTextFile(join(output, "chapter.tex"), "mine");
    const pairs = {
      anchor: ["the boy opens the door", "the dog runs"],
      positive: ["the lad unlocks the gate", "the hound runs"],
    };
    const gold = { sentence1: ["the dog runs"], sentence2: ["the hound runs"], score: [0.9] };
    const common = { model: await sampleBaseModel(), output, cacheDir: join(folder, "cache") };
    await assert.rejects(finetune({ ...common, ...pairs }), /not empty, and not ours/);
    await assert.rejects(augmentedSbert({ ...common, gold }), /not empty, and not ours/);
    await assert.rejects(tsdae({ ...common, texts: ["the dog runs"] }), /not empty, and not ours/);
    await assert.rejects(Deno.stat(common.cacheDir), Deno.errors.NotFound, "nothing was computed");
    for (const force of [true, false]) await finetune({ ...common, ...pairs, force });
    assert.equal(await Deno.readTextFile(join(output, "chapter.tex")), "mine");
    assert.equal((await encode(output, ["the dog"])).rows, 1);
  }));

Deno.test("a training without a model, with rows that cannot be held out, or with a mistyped setting is refused", () =>
  withFolder(async (folder) => {
    const common = {
      model: await sampleBaseModel(),
      output: join(folder, "model"),
      cacheDir: join(folder, "cache"),
      anchor: ["the boy opens the door", "the dog runs"],
      positive: ["the lad unlocks the gate", "the hound runs"],
    };
    const none = undefined as unknown as string;
    await assert.rejects(finetune({ ...common, model: none }), /needs a model to start from/);
    await assert.rejects(
      tsdae({ model: "", output: common.output, texts: ["the dog runs"] }),
      /needs a model to start from/,
    );
    await assert.rejects(finetune({ ...common, holdOut: NaN }), /so many rows cannot be held out/);
    await assert.rejects(finetune({ ...common, batchsize: 2 } as typeof common), /did you mean batchSize/);
  }));

Deno.test("word2vec() learns from texts, and says so where no word stands beside another", () =>
  withFolder(async (folder) => {
    const common = { minCount: 1, width: 8, cacheDir: join(folder, "cache") };
    const texts = ["a cat sleeps", "a dog sleeps"];
    const learned = await word2vec({ ...common, texts, subsample: 0, output: join(folder, "a") });
    assert.deepEqual(learned.warnings, []);
    const alone = await word2vec({ ...common, texts: ["cat", "dog"], output: join(folder, "b") });
    assert.match(alone.warnings.join(), /nothing was learned/);
    assert.match(await Deno.readTextFile(join(folder, "b", "README.md")), /nothing was learned/);
  }));

Deno.test("gpl() trains by a cross-encoder's margins, and queries held out are searched for in all passages", () =>
  withFolder(async (folder) => {
    const [model, graded] = [await sampleBaseModel(), sampleGraded({ rows: 32 }).columns];
    const [judge, cacheDir] = [join(folder, "judge"), join(folder, "cache")];
    await trainCrossEncoder({ model, ...graded, maxSteps: 1, holdOut: 0, output: judge, cacheDir });
    const input = {
      model,
      passages: samplePassages({ rows: 60 }),
      crossEncoder: judge,
      output: join(folder, "model"),
      cacheDir,
      maxSteps: 2,
      negatives: 4,
      perRow: 2,
      holdOut: 10,
    };
    const { steps, before, metrics } = await gpl(input);
    assert.equal(steps, 2);
    assert.ok(before["cosine_ndcg@10"]! > 0 && metrics["cosine_ndcg@10"]! > 0);
    // Of ten passages every query would find its own among the first hundred, of sixty none is sure to be among ten.
    assert.ok(before["cosine_recall@10"]! < 1);
    assert.match(
      await Deno.readTextFile(join(input.output, "README.md")),
      /pseudo-labels[^]*10 rows that were held out/,
    );
    await assert.rejects(gpl({ ...input, crossEncoder: input.model }), /not a cross-encoder/);
    const generator = { baseURL: "http://127.0.0.1:1/v1", model: "tiny" };
    await assert.rejects(gpl({ ...input, generator } as never), /did you mean baseUrl/);
  }));
