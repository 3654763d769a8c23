"""The adapters of jina-embeddings-v3 for tasks, in both layouts that are published, on one tiny random model.

Writes jina_tasks/ beside this file:
- hf/: a checkpoint of transformers' JinaEmbeddingsV3Model with a folder of PEFT's for each task, as jina-embeddings-v3-hf;
- original/: the same weights and adapters as jina-embeddings-v3 has them: those of all tasks in the file of the weights,
  beside the matrices that they change (torch's parametrizations), and modules of the model's own Python code;
- expected.safetensors: token features without a task and with each, of the first by PEFT (`load_adapter`, and
  `merge_and_unload`), of the second by torch's parametrizations. In float64 they agree, and are written as float32.

The tokenizer is that of tokenizers/xlm_roberta, which is not written again. With `--check DIR` it loads the folders
DIR/<task> that Kindred saved by transformers and by sentence-transformers, and prints how far their features are off.

    HF_HUB_OFFLINE=1 python jina_tasks.py [--check DIR]
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from torch import nn
from torch.nn.utils import parametrize
from transformers import AutoModel, AutoTokenizer, JinaEmbeddingsV3Config, JinaEmbeddingsV3Model

HERE = Path(__file__).parent
OUT = Path(__file__).with_suffix("")
TASKS = {
    "retrieval.query": "a query: ",
    "retrieval.passage": "a passage: ",
    "text-matching": "",
}
TEXTS = ["A man is playing a guitar.", "Someone plays music.", "Zürich 42!"]
RANK, ALPHA = 2, 3
WIDTH, INNER, LAYERS = 16, 24, 2
tokenizer = AutoTokenizer.from_pretrained(HERE / "tokenizers" / "xlm_roberta")
config = dict(
    vocab_size=len(tokenizer),
    hidden_size=WIDTH,
    num_hidden_layers=LAYERS,
    num_attention_heads=2,
    intermediate_size=INNER,
    max_position_embeddings=64,
    layer_norm_eps=1e-5,
    hidden_act="gelu",
    type_vocab_size=1,
    pad_token_id=1,
    bos_token_id=0,
    eos_token_id=2,
)
# What both published configurations have beside that.
tasks = dict(
    lora_adaptations=list(TASKS),
    lora_alpha=ALPHA,
    lora_dropout_p=0.0,
    lora_main_params_trainable=False,
    lora_rank=RANK,
    load_trained_adapters=True,
    matryoshka_dimensions=[8, 16],
    position_embedding_type="rotary",
    rotary_emb_base=20000.0,
    task_instructions=TASKS,
    truncate_dim=None,
    emb_pooler=None,
    use_flash_attn=True,
)
folder_of = lambda task: task.replace(".", "_").replace("-", "_")


def features(model):
    rows = []
    for text in TEXTS:
        ids = torch.tensor([tokenizer(text)["input_ids"]])
        rows.append(model(input_ids=ids).last_hidden_state[0])
    return torch.cat(rows).detach()


def check(folder):
    expected = load_file(OUT / "expected.safetensors")
    for task in TASKS:
        found = features(AutoModel.from_pretrained(folder / task))
        whole = SentenceTransformer(str(folder / task), device="cpu")
        means = [torch.as_tensor(whole.encode(text, prompt="", output_value="token_embeddings")) for text in TEXTS]
        for kind, each in [("transformers", found), ("sentence-transformers", torch.cat(means))]:
            difference = (each - expected[task]).abs().max() / expected[task].abs().max()
            print(f"{difference:.2e}  {task} by {kind}")
            assert difference < 1e-5


if len(sys.argv) > 2:
    check(Path(sys.argv[2]))
    sys.exit()

torch.manual_seed(1)
shutil.rmtree(OUT, ignore_errors=True)
model = JinaEmbeddingsV3Model(JinaEmbeddingsV3Config(**config)).eval()
for name, p in model.named_parameters():
    noise = torch.randn(p.shape)
    p.data = (1 + 0.2 * noise) if "ayer" in name and "norm" in name.lower() and name.endswith("weight") else 0.3 * noise
model = model.bfloat16()
hf = OUT / "hf"
model.save_pretrained(hf)
written = json.loads((hf / "config.json").read_text())
# The published one has θ as before transformers 5.
written.pop("rope_parameters")
(hf / "config.json").write_text(json.dumps(written | tasks, indent=2) + "\n")
stored = load_file(hf / "model.safetensors")

# All adapters, as the original keeps them: [tasks, r, in] and [tasks, out, r]; of tables [tasks, rows, r], [tasks, r, width].
adapters = {}
for name, w in stored.items():
    if w.dim() != 2:
        continue
    layer = name.removesuffix(".weight")
    if layer.endswith("_embeddings"):
        a, b = torch.randn(len(TASKS), w.shape[0], RANK), torch.randn(len(TASKS), RANK, w.shape[1])
    else:
        a, b = torch.randn(len(TASKS), RANK, w.shape[1]), torch.randn(len(TASKS), w.shape[0], RANK)
    adapters[layer] = ((0.2 * a).bfloat16(), (0.2 * b).bfloat16())

# PEFT's: by the names of transformers' modules, queries, keys and values apart.
MODULES = [("encoder.layers", "layers"), ("mixer.out_proj", "self_attn.o_proj")]
for index, task in enumerate(TASKS):
    tensors = {}
    for layer, (a, b) in adapters.items():
        a, b = a[index], b[index]
        module = layer
        for theirs, ours in MODULES:
            module = module.replace(theirs, ours)
        key = f"base_model.model.{module}"
        if layer.endswith("_embeddings"):
            tensors |= {f"{key}.lora_embedding_A": a.T, f"{key}.lora_embedding_B": b.T}
            continue
        parts = [(key, b)]
        if layer.endswith("mixer.Wqkv"):
            parts = [(key.replace("mixer.Wqkv", f"self_attn.{n}_proj"), part) for n, part in zip("qkv", b.chunk(3))]
        for each, part in parts:
            tensors |= {f"{each}.lora_A.weight": a, f"{each}.lora_B.weight": part}
    folder = hf / folder_of(task)
    folder.mkdir()
    save_file({name: value.clone().contiguous() for name, value in tensors.items()}, folder / "adapter_model.safetensors")
    targets = ["word_embeddings", "token_type_embeddings", *"q_proj k_proj v_proj o_proj fc1 fc2 dense".split()]
    own = dict(peft_type="LORA", base_model_name_or_path=None, r=RANK, lora_alpha=ALPHA, lora_dropout=0.0)
    (folder / "adapter_config.json").write_text(json.dumps(own | {"target_modules": targets}, indent=2) + "\n")

# The original's.
original = OUT / "original"
original.mkdir()
tensors = {}
for name, w in stored.items():
    layer = name.removesuffix(".weight")
    if layer in adapters:
        place = f"roberta.{layer}.parametrizations.weight"
        a, b = adapters[layer]
        tensors |= {f"{place}.original": w, f"{place}.0.lora_A": a, f"{place}.0.lora_B": b}
    else:
        tensors[f"roberta.{name}"] = w
save_file({name: value.clone().contiguous() for name, value in tensors.items()}, original / "model.safetensors")
code = "jinaai/xlm-roberta-flash-implementation"
auto = dict(
    AutoConfig=f"{code}--configuration_xlm_roberta.XLMRobertaFlashConfig",
    AutoModel=f"{code}--modeling_lora.XLMRobertaLoRA",
)
as_original = dict(
    config, architectures=["XLMRobertaLoRA"], auto_map=auto, model_type="xlm-roberta", torch_dtype="bfloat16", **tasks
)
as_original |= dict(hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1)
st = "sentence_transformers.models"
modules = [("", "custom_st.Transformer"), ("1_Pooling", f"{st}.Pooling"), ("2_Normalize", f"{st}.Normalize")]
files = {
    "config.json": as_original,
    "modules.json": [
        dict(idx=i, name=str(i), path=path, type=kind, **({"kwargs": ["task"]} if i == 0 else {}))
        for i, (path, kind) in enumerate(modules)
    ],
    "1_Pooling/config.json": dict(word_embedding_dimension=WIDTH, pooling_mode_mean_tokens=True),
    "sentence_bert_config.json": dict(max_seq_length=64, do_lower_case=False),
    "config_sentence_transformers.json": dict(prompts=TASKS, default_prompt_name=None, similarity_fn_name="cosine"),
}
for name, value in files.items():
    (original / name).parent.mkdir(exist_ok=True)
    (original / name).write_text(json.dumps(value, indent=2) + "\n")


class Adapted(nn.Module):
    """W + α / r · B A of one task; of tables W + α / r · A B."""

    def __init__(self, a, b, is_table):
        super().__init__()
        self.change = ALPHA / RANK * (a.double() @ b.double() if is_table else b.double() @ a.double())

    def forward(self, w):
        return w + self.change


def by_parametrizations(index):
    whole = AutoModel.from_pretrained(hf, dtype=torch.float64).eval()
    for name, module in whole.named_modules():
        if not isinstance(module, (nn.Linear, nn.Embedding)):
            continue
        layer, part = name.replace("self_attn.o_proj", "mixer.out_proj"), None
        layer = f"encoder.{layer}" if layer.startswith("layers.") else layer
        if layer.split(".")[-1] in ("q_proj", "k_proj", "v_proj"):
            part = "qkv".index(layer.split(".")[-1][0])
            layer = layer[: layer.index("self_attn")] + "mixer.Wqkv"
        place = f"roberta.{layer}.parametrizations.weight.0"
        a, b = tensors[f"{place}.lora_A"][index], tensors[f"{place}.lora_B"][index]
        b = b if part is None else b.chunk(3)[part]
        parametrize.register_parametrization(module, "weight", Adapted(a, b, isinstance(module, nn.Embedding)))
    return features(whole)


expected = {"none": features(AutoModel.from_pretrained(hf, dtype=torch.float64).eval())}
for index, task in enumerate(TASKS):
    expected[task] = by_parametrizations(index)
    loaded = AutoModel.from_pretrained(hf, dtype=torch.float64).eval()
    loaded.load_adapter(str(hf), adapter_name="task", adapter_kwargs={"subfolder": folder_of(task)})
    plain = AutoModel.from_pretrained(hf, dtype=torch.float64).eval()
    merged = PeftModel.from_pretrained(plain, hf / folder_of(task), autocast_adapter_dtype=False).double()
    merged = merged.merge_and_unload()
    for kind, each in [("load_adapter", loaded.double()), ("merge_and_unload", merged)]:
        difference = (features(each) - expected[task]).abs().max().item()
        print(task, kind, difference, (expected[task] - expected["none"]).abs().max().item())
        assert difference < 1e-12
save_file({name: value.float().contiguous() for name, value in expected.items()}, OUT / "expected.safetensors")
