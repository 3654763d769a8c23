"""Negatives mined by sentence-transformers on tiny random models: tests/golden/negatives.json.

The bi-encoder is a table of random word vectors, the cross-encoder a random BERT. What goes into the file beside the
mined rows are the embeddings and scores they gave, so that mining is compared and nothing else.
"""

import contextlib
import io
import json
import re
import tempfile
from pathlib import Path

import torch
from datasets import Dataset
from sentence_transformers import CrossEncoder, SentenceTransformer
from sentence_transformers.sentence_transformer.modules import StaticEmbedding
from sentence_transformers.util import mine_hard_negatives
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

torch.manual_seed(5)
torch.set_num_threads(1)

pairs = [
    ("where do penguins live", "penguins live on the ice of the far south"),
    ("where do penguins live", "colonies of penguins breed along cold coasts"),
    ("how is bread made", "bread is made of flour water salt and yeast"),
    ("how is bread made", "the baker kneads dough and lets it rise"),
    ("how is bread made", "dough goes into the oven and comes out as bread"),
    ("who repaired the old clock", "the watchmaker repaired the old clock in the tower"),
    ("why is the sea salt", "rivers carry salt from rocks into the sea"),
    ("what do bees collect", "bees collect nectar and pollen from flowers"),
    ("what do bees collect", "in summer the hive gathers nectar from the meadow"),
    ("when does the train leave", "the train to the coast leaves at nine"),
    ("how high is the tower", "the tower in the old town is ninety metres high"),
    ("what keeps a house warm", "thick walls and a stove keep the house warm"),
]
corpus = [
    "penguins in the zoo are fed at nine",
    "polar bears live on the ice of the far north",
    "the ice on the coast melts in summer",
    "a clock in the tower strikes at nine",
    "the old clock was sold with the house",
    "the train from the coast arrives at ten",
    "old bread is fed to the bears in the zoo",
    "flour is made in the mill on the river",
    "the baker sells bread and salt",
    "salt was carried along the old road",
    "the sea is cold and the coast is high",
    "honey is made by bees in the hive",
    "bees live in the walls of the old house",
    "flowers grow along the coast in summer",
    "the stove in the tower is old and cold",
    "warm water flows along the coast",
    "when does the train leave",
    "penguins in the zoo are fed at nine",
]
texts = list(dict.fromkeys([a for a, _ in pairs] + corpus + [p for _, p in pairs]))
words = sorted({word for text in texts for word in text.split()})
vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words])}


def word_level():
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return tokenizer


bi_encoder = SentenceTransformer(
    modules=[StaticEmbedding(word_level(), embedding_weights=torch.randn(len(vocabulary), 12))], device="cpu"
)

paired = word_level()
paired.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
with tempfile.TemporaryDirectory() as folder:
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=0.6,
        num_labels=1,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=paired, **special).save_pretrained(folder)
    cross_encoder = CrossEncoder(folder, device="cpu")

dataset = Dataset.from_dict({"anchor": [a for a, _ in pairs], "positive": [p for _, p in pairs]})
anchors = list(dict.fromkeys(a for a, _ in pairs))
documents = list(dict.fromkeys(corpus + [p for _, p in pairs]))

combinations = [
    {},
    {"corpus": None},
    {"num_negatives": 1},
    {"num_negatives": 5, "range_min": 2},
    {"num_negatives": 2, "range_min": 1, "range_max": 4},
    {"num_negatives": 2, "absolute_margin": 0.2},
    {"num_negatives": 4, "absolute_margin": 0.1, "range_max": 6},
    {"num_negatives": 2, "relative_margin": 0.3},
    {"num_negatives": 2, "relative_margin": 0.05, "absolute_margin": 0.02, "max_score": 0.5},
    {"num_negatives": 3, "max_score": 0.35},
    {"num_negatives": 3, "min_score": 0.3},
    {"num_negatives": 3, "max_score": 0.45, "min_score": 0.2, "range_min": 1, "range_max": 12},
    {"num_negatives": 20, "range_max": 200},
    {"num_negatives": 2, "cross_encoder": True, "absolute_margin": 0.02, "range_max": 10},
    {"num_negatives": 2, "cross_encoder": True, "relative_margin": 0.1},
    {"num_negatives": 3, "cross_encoder": True, "max_score": 0.6, "min_score": 0.2, "range_max": 15},
    # Without a bound theirs ignores the cross-encoder: a bound that leaves nothing out makes it count.
    {"num_negatives": 3, "cross_encoder": True, "max_score": 1e9, "range_max": 8},
    {"num_negatives": 10, "include_positives": True},
    {"num_negatives": 6, "include_positives": True, "cross_encoder": True, "max_score": 1e9, "range_max": 9},
]
formats = ["triplet", "n-tuple", "labeled-pair", "labeled-list"]


def rows_of(mined):
    return [[row[name] for name in mined.column_names] for row in mined]


cases = []
for options in combinations:
    for format in ["n-tuple"] if options.get("include_positives") else formats:
        for scores in [False, True]:
            arguments = {"corpus": corpus, **options, "output_format": format, "output_scores": scores}
            if "cross_encoder" in arguments:
                arguments["cross_encoder"] = cross_encoder
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed):
                mined = mine_hard_negatives(dataset, bi_encoder, **arguments)
            case = {"options": options, "format": format, "scores": scores, "rows": rows_of(mined)}
            if scores:
                case["printed"] = [
                    line for line in printed.getvalue().splitlines() if not re.match("Setting|Found|Negative cand", line)
                ]
            cases.append(case)

golden = {
    "anchor": [a for a, _ in pairs],
    "positive": [p for _, p in pairs],
    "corpus": corpus,
    "texts": texts,
    "width": 12,
    "embeddings": bi_encoder.encode(texts).flatten().tolist(),
    "anchors": anchors,
    "documents": documents,
    "scores": cross_encoder.predict([(a, d) for a in anchors for d in documents]).tolist(),
    "cases": cases,
}


def compact(value):
    """Nine digits are enough for float32; a number as text stands for that one of the texts."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [compact(item) for item in value]
    return str(texts.index(value)) if isinstance(value, str) else value


for case in cases:
    case["rows"] = compact(case["rows"])
golden["embeddings"] = compact(golden["embeddings"])
golden["scores"] = compact(golden["scores"])
Path(__file__).with_name("negatives.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
