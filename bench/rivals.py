"""The other sides of bench/all.ts in Python: one work in a process of its own, and one line of JSON of what it took.

    python bench/rivals.py train|encode|singly|search|tokenize|export --model DIR …

`train` times from the end of one step to the end of the next (collating, which tokenises and pads; forward, backward,
clipping, optimizer) and leaves the first steps out. `encode` and `search` take the fastest of several batch sizes, by
a twentieth of the work. OpenVINO and ONNX want an older transformers than sentence-transformers 6: they are run by 5.7, in an
environment of their own.
"""

import argparse
import importlib.metadata
import json
import tempfile
import time
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("work", choices=["train", "encode", "singly", "search", "tokenize", "export"])
parser.add_argument("--model")
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--rows", help="JSON file of columns of texts")
parser.add_argument("--loss", choices=["mnr", "tsdae"], default="mnr")
parser.add_argument("--precision", choices=["fp32", "bf16", "fp16"], default="fp32")
parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
parser.add_argument("--steps", type=int, default=20)
parser.add_argument("--warm", type=int, default=5)
parser.add_argument("--batch-size", default="32", help="several for encode and search: the fastest is taken")
parser.add_argument("--length", type=int, help="tokens of a text at most")
parser.add_argument("--texts", help="file with a text on each line")
parser.add_argument("--repeat", type=int, default=1, help="passes, or parts of what is encoded: the median counts")
parser.add_argument("--backend", choices=["torch", "onnx", "openvino"], default="torch")
parser.add_argument("--file", help="the backend's file within the model's folder")
parser.add_argument("--embeddings", help="file of float32")
parser.add_argument("--width", type=int, default=384)
parser.add_argument("--k", type=int, default=50)
parser.add_argument("--calibration", help="export: folder with texts to calibrate by")
parser.add_argument("--output", help="export: the folder to write")
args = parser.parse_args()
SIZES = [int(size) for size in args.batch_size.split(",")]


def versions(*packages):
    return ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)


def tell(by, **values):
    """Resident memory at most is the process's own since it began: ru_maxrss may be that of who started it."""
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) * 1024
    print(json.dumps({"by": by, "peak_bytes": peak, **values}))


def median_of(repeat, work):
    """The median time of so many passes, and what the last one gave."""
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)[len(seconds) // 2], result


def fastest(sizes, trial):
    """The size whose trial takes the least time, each tried once before it is timed."""
    if len(sizes) == 1:
        trial(sizes[0])
        return sizes[0]
    taken = {}
    for size in sizes:
        trial(size)
        taken[size], _ = median_of(1, lambda: trial(size))
    return min(taken, key=taken.get)


def train():
    import torch
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.sentence_transformer.losses import DenoisingAutoEncoderLoss, MultipleNegativesRankingLoss
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import TrainerCallback

    torch.set_num_threads(args.threads)
    if args.loss == "tsdae":
        word = Transformer(args.model)
        model = SentenceTransformer(modules=[word, Pooling(word.get_embedding_dimension(), "cls")], device=args.device)
        loss = DenoisingAutoEncoderLoss(model, tie_encoder_decoder=True)
    else:
        model = SentenceTransformer(args.model, device=args.device)
        loss = MultipleNegativesRankingLoss(model)
    if args.length is not None:
        model.max_seq_length = args.length
    clock = {"times": [], "begun": None, "first": None}

    class Clock(TrainerCallback):
        def on_train_begin(self, *_args, **_kwargs):
            self.ended = time.perf_counter()

        def on_step_begin(self, *_args, **_kwargs):
            clock["begun"] = clock["begun"] or 1000 * time.time()

        def on_step_end(self, *_args, **_kwargs):
            if args.device == "cuda":
                torch.cuda.synchronize()
            begun, self.ended = self.ended, time.perf_counter()
            clock["times"].append(self.ended - begun)
            clock["first"] = clock["first"] or 1000 * time.time()

    trainer = SentenceTransformerTrainer(
        model=model,
        args=SentenceTransformerTrainingArguments(
            output_dir=tempfile.mkdtemp(),
            max_steps=args.steps,
            per_device_train_batch_size=SIZES[0],
            dataloader_drop_last=True,
            warmup_steps=args.warm,
            logging_steps=args.steps,
            save_strategy="no",
            report_to="none",
            use_cpu=args.device == "cpu",
            bf16=args.precision == "bf16",
            fp16=args.precision == "fp16",
            disable_tqdm=True,
        ),
        train_dataset=Dataset.from_dict(json.loads(Path(args.rows).read_text())),
        loss=loss,
        callbacks=[Clock()],
    )
    trainer.train()
    timed = clock["times"][args.warm :]
    tell(
        versions("sentence-transformers", "torch"),
        rate=SIZES[0] * len(timed) / sum(timed) if timed else 0,
        first_step_begun=clock["begun"],
        first_step_at=clock["first"],
    )


def encode():
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(args.threads)
    kwargs = {"file_name": args.file} if args.file else {}
    if args.backend == "onnx":
        import onnxruntime

        kwargs["session_options"] = options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = args.threads
    elif args.backend == "openvino":
        kwargs["ov_config"] = {"INFERENCE_NUM_THREADS": str(args.threads)}
    model = SentenceTransformer(args.model, device=args.device, backend=args.backend, model_kwargs=kwargs)
    texts = Path(args.texts).read_text(encoding="utf-8").rstrip("\n").split("\n")
    few = texts[::20]
    size = fastest(SIZES, lambda size: model.encode(few, batch_size=size, show_progress_bar=False))
    parts = iter([texts[part :: args.repeat] for part in range(args.repeat)])
    seconds, embeddings = median_of(
        args.repeat, lambda: model.encode(next(parts), batch_size=size, show_progress_bar=False)
    )
    packages = {"torch": ["torch"], "onnx": ["onnxruntime"], "openvino": ["openvino"]}[args.backend]
    tell(
        f"{versions('sentence-transformers', *packages)}, batch {size}",
        rate=len(texts) / args.repeat / seconds,
        check=float(abs(embeddings).mean()),
    )


def singly():
    """Texts one after the other: every tenth, after others that warm up."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(args.threads)
    model = SentenceTransformer(args.model, device=args.device)
    texts = Path(args.texts).read_text(encoding="utf-8").rstrip("\n").split("\n")
    asked = texts[::10]

    def embed(texts):
        return [float(abs(model.encode([text], show_progress_bar=False)).mean()) for text in texts]

    embed(texts[5::50])
    seconds, sizes = median_of(1, lambda: embed(asked))
    tell(versions("sentence-transformers", "torch"), rate=len(asked) / seconds, check=sum(sizes) / len(sizes))


def search():
    """What `mine_hard_negatives` does with embeddings: the similarities of some queries with all, and the best of them."""
    import numpy as np
    import torch
    from sentence_transformers.util import cos_sim

    torch.set_num_threads(args.threads)
    embeddings = torch.from_numpy(np.fromfile(args.embeddings, dtype=np.float32)).reshape(-1, args.width)
    rows = len(embeddings)

    def best(size, queries):
        return [torch.topk(cos_sim(part, embeddings), k=args.k, dim=1) for part in queries.split(size)]

    size = fastest(SIZES, lambda size: best(size, embeddings[: rows // 20]))
    seconds, found = median_of(1, lambda: best(size, embeddings))
    tell(
        f"{versions('sentence-transformers', 'torch')}, blocks of {size}",
        rate=rows / seconds,
        check=float(torch.cat([values[:, -1] for values, _ in found]).double().mean()),
    )


def tokenize():
    """Texts go one by one through `Tokenizer.encode`, which uses one thread; each pass with a new tokenizer."""
    from tokenizers import Tokenizer

    texts = Path(args.texts).read_text(encoding="utf-8").rstrip("\n").split("\n")

    def ids():
        tokenizer = Tokenizer.from_file(f"{args.model}/tokenizer.json")
        tokenizer.no_padding()
        tokenizer.enable_truncation(512)
        return sum(len(tokenizer.encode(text).ids) for text in texts)

    seconds, count = median_of(args.repeat, ids)
    tell(versions("tokenizers"), rate=len(texts) / seconds, check=count)


def export():
    """The model's folder with its ONNX and OpenVINO files, in fp32 and in int8 as sentence-transformers makes them."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.backend import (
        export_dynamic_quantized_onnx_model,
        export_static_quantized_openvino_model,
    )

    for backend in ["onnx", "openvino"]:
        model = SentenceTransformer(args.model, device="cpu", backend=backend, model_kwargs={"export": True})
        model.save_pretrained(args.output)
        if backend == "onnx":
            export_dynamic_quantized_onnx_model(model, "avx512_vnni", args.output)
        else:
            export_static_quantized_openvino_model(
                model,
                None,
                args.output,
                dataset_name=args.calibration,
                dataset_config_name="default",
                dataset_split="train",
                column_name="text",
            )
    tell(versions("sentence-transformers", "onnxruntime", "openvino"))


globals()[args.work]()
