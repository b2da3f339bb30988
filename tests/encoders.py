"""Tiny encoders in the layout of Hugging Face: the shapes of XLM-R, RoBERTa and BERT, tokenizers trained on the bundled corpus.

Weights are random, but for the embeddings of those that ``know`` the corpus: pieces that stand at about the same places of its parallel
lines are alike.
"""

from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast, RobertaConfig, RobertaModel, XLMRobertaConfig, XLMRobertaModel

from pipeline_lib.corpus.samples import LANGUAGES, documents, marked, standoff

Family = Literal["unigram", "bpe", "wordpiece"]
FAMILIES: tuple[Family, ...] = ("unigram", "bpe", "wordpiece")
SIZE = 1200


def save_encoder(
    folder: Path, family: Family = "unigram", seed: int = 1, layers: int = 3, width: int = 32, positions: int = 130, knows: bool = False
) -> Path:
    """Write a model and its tokenizer: XLM-R with Unigram, RoBERTa with byte-level BPE, BERT with WordPiece."""
    torch.manual_seed(seed)
    tokenizer = tokenizer_of(family)
    shape = {
        "vocab_size": len(tokenizer),
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "intermediate_size": 2 * width,
        "max_position_embeddings": positions,
        "pad_token_id": tokenizer.pad_token_id,
    }
    model = {
        "unigram": lambda: XLMRobertaModel(XLMRobertaConfig(**shape, type_vocab_size=1)),
        "bpe": lambda: RobertaModel(RobertaConfig(**shape, type_vocab_size=1)),
        "wordpiece": lambda: BertModel(BertConfig(**shape)),
    }[family]()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.ndim > 1:
                torch.nn.init.normal_(weight, std=0.02 if knows else 0.15)
        if knows:
            model.embeddings.word_embeddings.weight.copy_(torch.from_numpy(known(family, width)))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# tiny\n", encoding="utf-8")
    return folder


@cache
def tokenizer_of(family: Family) -> PreTrainedTokenizerFast:
    """A fast tokenizer of the family, trained on the bundled corpus."""
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    if family == "unigram":
        made = Tokenizer(models.Unigram())
        made.normalizer = normalizers.NFKC()
        made.pre_tokenizer = pre_tokenizers.Metaspace()
        made.decoder = decoders.Metaspace()
        trainer = trainers.UnigramTrainer(vocab_size=SIZE, special_tokens=special, unk_token="<unk>", show_progress=False)
    elif family == "bpe":
        made = Tokenizer(models.BPE())
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        made.decoder = decoders.ByteLevel()
        alphabet = pre_tokenizers.ByteLevel.alphabet()
        trainer = trainers.BpeTrainer(vocab_size=SIZE, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    else:
        made = Tokenizer(models.WordPiece(unk_token="<unk>"))
        made.normalizer = normalizers.BertNormalizer()
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        trainer = trainers.WordPieceTrainer(vocab_size=SIZE, special_tokens=special, show_progress=False)
    made.train_from_iterator(texts(), trainer)
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    named = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    return PreTrainedTokenizerFast(tokenizer_object=made, mask_token="<mask>", **named)


@cache
def texts() -> tuple[str, ...]:
    """The texts of the bundled corpus, all languages."""
    return tuple(standoff(marked(document, lang))[0] for document in documents() for lang in LANGUAGES)


@cache
def known(family: Family, width: int, slices: int = 12) -> npt.NDArray[np.float32]:
    """Embeddings of a tokenizer's pieces, shape (pieces, width): which slices of which parallel lines they stand in, over all languages."""
    tokenizer = tokenizer_of(family)
    seen = np.zeros((len(tokenizer), len(documents()) * 2 * slices), dtype=np.float64)
    for lang in LANGUAGES:
        lines = [line for document in documents() for line in standoff(marked(document, lang))[0].split("\n")]
        for number, line in enumerate(lines):
            ids = tokenizer(line, add_special_tokens=False)["input_ids"]
            for place, piece in enumerate(ids):
                middle = (place + 0.5) / len(ids) * slices - 0.5
                near = np.exp(-((np.arange(slices) - middle) ** 2))
                seen[piece, number * slices : (number + 1) * slices] += near / near.sum()
    share = seen / seen.sum()
    expected = share.sum(axis=1, keepdims=True) * share.sum(axis=0, keepdims=True)
    information = np.log(np.divide(share, expected, out=np.ones_like(share), where=share > 0)).clip(min=0)
    left, values, _ = np.linalg.svd(information, full_matrices=False)
    vectors = left[:, :width] * np.sqrt(values[:width])
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32)
