import assert from "node:assert/strict";
import { join } from "node:path";
import { openTensors } from "../../lib/checkpoint/safetensors.ts";
import { type FolderToWrite, readFolder, writeFolder } from "../../lib/checkpoint/sentence_transformers.ts";
import { CheckpointError } from "../../lib/error.ts";

const CONFIG = { model_type: "bert", hidden_size: 4, max_position_embeddings: 64 };
const TRANSFORMER = { idx: 0, name: "0", path: "", type: "sentence_transformers.models.Transformer" };

async function withFiles(files: Record<string, unknown>, body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, value] of Object.entries(files)) {
      await Deno.mkdir(join(folder, name, ".."), { recursive: true });
      await Deno.writeTextFile(join(folder, name), typeof value === "string" ? value : JSON.stringify(value));
    }
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const TO_WRITE: FolderToWrite = {
  input: "transformer",
  config: CONFIG,
  maxSeqLength: 32,
  modules: [
    { type: "pooling", modes: ["mean"], includePrompt: false, width: 4 },
    { type: "dense", path: "2_Dense", inFeatures: 4, outFeatures: 2, bias: true, activation: "identity" },
    { type: "normalize" },
  ],
  prompts: { query: "query: " },
  defaultPromptName: "query",
  similarity: "dot",
  truncateDim: 2,
  tensors: [{ name: "embeddings", shape: [1, 4], data: Float32Array.of(1, 2, 3, 4) }],
  denseTensors: new Map([["2_Dense", [{ name: "linear.bias", shape: [2], data: Float32Array.of(5, 6) }]]]),
  tokenizerFiles: new Map([[
    "tokenizer_config.json",
    new TextEncoder().encode('{"max_length": 128, "model_max_length": 512, "pad_token": "[PAD]"}'),
  ]]),
  modelCard: "# A model\n",
};

Deno.test("weights are float32, whatever type the configuration remembers", () =>
  withFiles({}, async (folder) => {
    const config = { ...CONFIG, torch_dtype: "float16", dtype: "float16" };
    await writeFolder(join(folder, "model"), { ...TO_WRITE, config });
    assert.deepEqual((await readFolder(join(folder, "model"))).config, CONFIG);
  }));

Deno.test("a folder that is written is read again, leaves what was there, and nothing beside it", () =>
  withFiles({ "model/notes.txt": "x" }, async (folder) => {
    const path = join(folder, "model");
    await writeFolder(`${path}/`, TO_WRITE);
    const { path: _, weights, tokenizer, ...read } = await readFolder(path);
    const { tensors: _1, denseTensors: _2, tokenizerFiles: _3, modelCard: _4, ...written } = TO_WRITE;
    assert.deepEqual([weights, tokenizer], [path, path]);
    assert.deepEqual(read, written);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["model"]);
    assert.equal(await Deno.readTextFile(join(path, "notes.txt")), "x");
    const dense = await openTensors(join(path, "2_Dense"));
    assert.deepEqual([...await dense.readF32("linear.bias")], [5, 6]);
    dense.close();
    const json = async (name: string) => JSON.parse(await Deno.readTextFile(join(path, name)));
    // The classic names: every reader knows them.
    assert.deepEqual(
      (await json("modules.json")).map((spec: { type: string; path: string }) => [spec.type, spec.path]),
      [
        ["sentence_transformers.models.Transformer", ""],
        ["sentence_transformers.models.Pooling", "1_Pooling"],
        ["sentence_transformers.models.Dense", "2_Dense"],
        ["sentence_transformers.models.Normalize", "3_Normalize"],
      ],
    );
    const pooling = await json("1_Pooling/config.json");
    assert.equal(pooling.word_embedding_dimension, 4);
    assert.equal(pooling.pooling_mode_mean_tokens, true);
    assert.equal(pooling.pooling_mode_cls_token, false);
    assert.deepEqual(await json("tokenizer_config.json"), { pad_token: "[PAD]", model_max_length: 32 });
  }));

Deno.test("a folder that cannot be written leaves the old one alone", () =>
  withFiles({ "model/old.txt": "x" }, async (folder) => {
    const broken = { ...TO_WRITE, tokenizerFiles: new Map([["absent/file", new Uint8Array(1)]]) };
    await assert.rejects(writeFolder(join(folder, "model"), broken));
    assert.equal(await Deno.readTextFile(join(folder, "model", "old.txt")), "x");
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["model"]);
  }));

Deno.test("pooling: old keys, new ones, lists; a plain checkpoint gets the mean", async () => {
  const modules = [TRANSFORMER, {
    idx: 1,
    path: "1_Pooling",
    type: "sentence_transformers.base.modules.pooling.Pooling",
  }];
  const cases: [Record<string, unknown>, string[]][] = [
    [{ word_embedding_dimension: 4, pooling_mode_cls_token: true, pooling_mode_mean_tokens: false }, ["cls"]],
    [{ embedding_dimension: 4, pooling_mode: "max" }, ["max"]],
    [{ embedding_dimension: 4, pooling_mode: ["mean", "cls"] }, ["mean", "cls"]],
    [{ word_embedding_dimension: 4, pooling_mode_cls_token: true, pooling_mode_mean_tokens: true }, ["cls", "mean"]],
  ];
  for (const [config, modes] of cases) {
    await withFiles(
      { "config.json": CONFIG, "modules.json": modules, "1_Pooling/config.json": config },
      async (path) =>
        assert.deepEqual((await readFolder(path)).modules, [{ type: "pooling", modes, includePrompt: true, width: 4 }]),
    );
  }
  await withFiles({ "config.json": CONFIG }, async (path) => {
    const folder = await readFolder(path);
    assert.deepEqual(folder.modules, [{ type: "pooling", modes: ["mean"], includePrompt: true, width: 4 }]);
    assert.equal(folder.similarity, "cosine");
  });
});

Deno.test("the longest sequence: its own file, else the smaller of the tokenizer's and the model's", async () => {
  const roberta = { model_type: "roberta", hidden_size: 4, max_position_embeddings: 514 };
  const cases: [Record<string, unknown>, number][] = [
    [{ "config.json": CONFIG, "sentence_bert_config.json": { max_seq_length: 17 } }, 17],
    [{ "config.json": CONFIG, "sentence_bert_config.json": { max_seq_length: null } }, 64],
    [{ "config.json": CONFIG, "tokenizer_config.json": { model_max_length: 48 } }, 48],
    [{ "config.json": CONFIG, "tokenizer_config.json": { model_max_length: 1e30 } }, 64],
    [{ "config.json": roberta, "tokenizer_config.json": {} }, 512],
  ];
  for (const [files, expected] of cases) {
    await withFiles(files, async (path) => assert.equal((await readFolder(path)).maxSeqLength, expected));
  }
});

Deno.test("the longest sequence is never longer than the model has positions for", () =>
  withFiles({ "config.json": CONFIG, "sentence_bert_config.json": { max_seq_length: 512 } }, async (path) => {
    assert.equal((await readFolder(path)).maxSeqLength, 64);
  }));

Deno.test("folders that are not understood are refused, and say why", async (t) => {
  const ours = "sentence_transformers.models.";
  const pooling = { word_embedding_dimension: 4, pooling_mode_mean_tokens: true };
  const module = (type: string, path = "1_X") => [TRANSFORMER, { idx: 1, path, type }];
  const after = (type: string, config: unknown) => ({
    "config.json": CONFIG,
    "modules.json": [...module(`${ours}Pooling`, "1_Pooling"), { idx: 2, path: "2_X", type: ours + type }],
    "1_Pooling/config.json": pooling,
    "2_X/config.json": config,
  });
  const dense = { in_features: 4, out_features: 2 };
  const settings = (name: string, value: unknown) => ({ "config.json": CONFIG, [name]: value });
  const general = (value: unknown) => settings("config_sentence_transformers.json", value);
  const bad: Record<string, [Record<string, unknown>, RegExp]> = {
    "an empty folder": [{}, /missing.*config\.json/],
    "a config that is cut": [{ "config.json": "{" }, /not JSON.*cut/],
    "a config that is null": [{ "config.json": "null" }, /object.*null/],
    "no modules": [settings("modules.json", []), /no modules/],
    "modules that are no list": [settings("modules.json", {}), /damaged/],
    "a module that is null": [settings("modules.json", [null]), /damaged/],
    "an unknown module": [settings("modules.json", module(`${ours}CNN`)), /type CNN/],
    "code of its own": [settings("modules.json", module("custom_st.Pooling")), /custom_st\.Pooling.*not run/],
    "word embeddings": [
      settings("modules.json", [{ ...TRANSFORMER, type: `${ours}WordEmbeddings` }]),
      /missing.*wordembedding_config/,
    ],
    "pooling first": [settings("modules.json", module(`${ours}Pooling`).slice(1)), /not a transformer.*Pooling/],
    "a path upwards": [settings("modules.json", module(`${ours}Pooling`, "../x")), /outside/],
    "a path upwards in disguise": [settings("modules.json", module(`${ours}Pooling`, "x/../../y")), /outside/],
    "an absolute path": [settings("modules.json", module(`${ours}Pooling`, "/etc")), /outside/],
    "a transformer elsewhere": [settings("modules.json", [{ ...TRANSFORMER, path: "../y" }]), /outside/],
    "pooling without its file": [settings("modules.json", module(`${ours}Pooling`)), /missing/],
    "no pooling mode": [
      { ...settings("modules.json", module(`${ours}Pooling`)), "1_X/config.json": { word_embedding_dimension: 4 } },
      /no pooling/,
    ],
    "an unknown pooling": [
      { ...settings("modules.json", module(`${ours}Pooling`)), "1_X/config.json": { pooling_mode: "median" } },
      /median/,
    ],
    "pooling of another width": [
      {
        ...settings("modules.json", module(`${ours}Pooling`)),
        "1_X/config.json": { ...pooling, word_embedding_dimension: 5 },
      },
      /pooling.*4 features.*5/,
    ],
    "dense before pooling": [
      {
        ...settings("modules.json", [...module(`${ours}Dense`), { idx: 2, path: "2_Pooling", type: `${ours}Pooling` }]),
        "1_X/config.json": dense,
        "2_Pooling/config.json": pooling,
      },
      /Dense before pooling/,
    ],
    "a dense module without a size": [after("Dense", { out_features: 2 }), /in_features.*nothing/],
    "a dense module of another width": [after("Dense", { ...dense, in_features: 7 }), /dense.*4 features.*7/],
    "an unknown activation": [after("Dense", { ...dense, activation_function: "torch.nn.Magic" }), /Magic/],
    "an activation of one's own": [after("Dense", { ...dense, activation_function: "mine.Tanh" }), /mine\.Tanh/],
    "a residual": [after("Dense", { ...dense, use_residual: true }), /without a residual/],
    "a dense module for tokens": [after("Dense", { ...dense, module_input_name: "token_embeddings" }), /token_emb/],
    "a length that is none": [settings("sentence_bert_config.json", { max_seq_length: -1 }), /max_seq_length.*-1/],
    "prompts that are a list": [general({ prompts: ["query: "] }), /prompts are damaged/],
    "a default prompt that is not there": [general({ prompts: {}, default_prompt_name: "query" }), /query/],
    "an unknown similarity": [general({ similarity_fn_name: "maxsim" }), /maxsim/],
  };
  for (const [name, [files, message]] of Object.entries(bad)) {
    await t.step(name, () =>
      withFiles(files, (path) =>
        assert.rejects(readFolder(path), (error) => {
          assert.ok(error instanceof CheckpointError, String(error));
          const { summary, where, expected, found, hint } = error;
          assert.match([summary, where, expected, found, hint].join(" "), message);
          return true;
        })));
  }
});
