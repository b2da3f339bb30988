"""The student: a small encoder that reads each text alone; alignment is the cosine of its unit vectors (paper).

It is a plain Hugging Face model (ModernBERT shape, word pieces) that starts from the teachers: a piece that is a whole type carries the
teachers' knowledge of that type, the rest carry their spelling. Training (``distill``) adds what context tells.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel, Field
from sklearn.random_projection import GaussianRandomProjection
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import AutoModel, BatchEncoding, ModernBertConfig, ModernBertModel, PreTrainedModel, PreTrainedTokenizerFast
from transformers.utils.logging import disable_progress_bar

from pipeline_lib.alignment.fitted import Teachers, Vectors
from pipeline_lib.alignment.views import NGRAMS

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


class StudentConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Size of the student and how it starts."""

    hidden: int = Field(256, ge=16, description="width; half of it starts as the sentence and phrase views, half as spelling and lexicon")
    layers: int = Field(2, ge=1)
    heads: int = Field(4, ge=1)
    window: int = Field(32, ge=2, description="pieces that one layer's attention spans")
    pieces: int = Field(4000, ge=0, description="word pieces learnt for types that were never met")
    seed: int = 13


@dataclass(frozen=True)
class Student:
    """An encoder with its tokenizer. ``encode`` works for any Hugging Face encoder with a fast tokenizer."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerFast

    def encode(self, types: list[str]) -> torch.Tensor:
        """Unit-length vectors of a text given as unit types, shape (units, hidden); a unit's vector is the mean of its pieces."""
        pieces = self._pieces(types)
        lost = {*range(len(types))} - {*pieces.word_ids()}
        if lost:
            # The normaliser empties a lone accent: it is unknown, not nothing.
            pieces = self._pieces([str(self.tokenizer.unk_token) if unit in lost else kind for unit, kind in enumerate(types)])
        unit_of_piece = torch.tensor(pieces.word_ids())
        hidden = self.model(input_ids=pieces["input_ids"], attention_mask=pieces["attention_mask"]).last_hidden_state[0]
        summed = torch.zeros(len(types), hidden.shape[1]).index_add(0, unit_of_piece, hidden)
        return torch.nn.functional.normalize(summed, dim=1)

    def _pieces(self, types: list[str]) -> BatchEncoding:
        pieces: BatchEncoding = self.tokenizer(types, is_split_into_words=True, add_special_tokens=False, return_tensors="pt")
        return pieces


def load_student(folder: Path) -> Student:
    """Read a student from a folder in Hugging Face layout, weights from safetensors only."""
    model = AutoModel.from_pretrained(folder, use_safetensors=True, trust_remote_code=False, local_files_only=True)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    return Student(model.eval(), tokenizer)


def save_student(student: Student, folder: Path) -> None:
    """Write the student in Hugging Face layout."""
    disable_progress_bar()
    student.model.save_pretrained(folder)
    student.tokenizer.save_pretrained(folder)


def new_student(teachers: Teachers, config: StudentConfig) -> Student:
    """An untrained student whose unit vectors already are the teachers' view of each type."""
    torch.manual_seed(config.seed)
    types = sorted({*teachers.source.types, *teachers.target.types})
    tokenizer = _tokenizer(types, teachers, config)
    vocabulary = tokenizer.get_vocab()
    model = ModernBertModel(_shape(vocabulary, config))
    pieces = sorted(vocabulary, key=lambda piece: vocabulary[piece])
    with torch.no_grad():
        model.embeddings.tok_embeddings.weight.copy_(torch.from_numpy(_piece_vectors(pieces, teachers, config)))
        # Layers that add nothing yet: the untrained student is its embeddings.
        for name, weight in model.named_parameters():
            if name.endswith(".Wo.weight"):
                weight.zero_()
    model.embeddings.tok_embeddings.weight.requires_grad_(False)
    return Student(model, tokenizer)


def _shape(vocabulary: dict[str, int], config: StudentConfig) -> ModernBertConfig:
    return ModernBertConfig(
        vocab_size=len(vocabulary),
        hidden_size=config.hidden,
        intermediate_size=2 * config.hidden,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        local_attention=config.window,
        layer_types=["sliding_attention"] * config.layers,
        pad_token_id=vocabulary["[PAD]"],
        bos_token_id=vocabulary["[CLS]"],
        cls_token_id=vocabulary["[CLS]"],
        eos_token_id=vocabulary["[SEP]"],
        sep_token_id=vocabulary["[SEP]"],
    )


def _tokenizer(types: list[str], teachers: Teachers, config: StudentConfig) -> PreTrainedTokenizerFast:
    """Word pieces in which every type of the teachers is one piece; the normaliser does what ``units.fold`` does."""
    learnt = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    # Given as special tokens, inner letters are numbered in this order; else by a hash of each process, which then breaks ties of merges.
    inner = sorted({f"##{letter}" for kind in types for letter in kind[1:]})
    trainer = trainers.WordPieceTrainer(vocab_size=config.pieces, show_progress=False, special_tokens=inner)
    learnt.train_from_iterator(types, trainer)
    pieces = [*SPECIALS, *sorted({*types, *learnt.get_vocab()})]
    tokenizer = Tokenizer(
        models.WordPiece({piece: number for number, piece in enumerate(pieces)}, unk_token="[UNK]", max_input_chars_per_word=200)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Replace(Regex(r"(?<=\d),(?=\d)"), ".")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex(r"\d+(?:[.,]\d+)*|\p{L}+|[^\p{L}\d]"), "isolated")]
    )
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIALS, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names)


def _piece_vectors(pieces: list[str], teachers: Teachers, config: StudentConfig) -> Vectors:
    """Start vectors, shape (pieces, hidden): [sentence | phrase | spelling + lexicon], types of both languages averaged.

    Spelling and lexicon are random projections (Johnson-Lindenstrauss), so their inner products approximate the views'.
    """
    quarter = config.hidden // 4
    width = config.hidden - 2 * quarter
    grams = NGRAMS.transform([piece.removeprefix("##") for piece in pieces])
    spelling = GaussianRandomProjection(width, random_state=config.seed).fit_transform(grams)
    lexicon = np.random.default_rng(config.seed).standard_normal((len(teachers.source.types), width)) / np.sqrt(width)
    carried = teachers.lexical.T @ lexicon
    vectors = np.zeros((len(pieces), config.hidden))
    vectors[:, 2 * quarter :] = spelling
    meanings = np.zeros_like(vectors)
    met = np.zeros(len(pieces))
    number = {piece: index for index, piece in enumerate(pieces)}
    for vocabulary, sentence, phrase, lexical in (
        (teachers.source, teachers.sentence_source, teachers.phrase_source, lexicon),
        (teachers.target, teachers.sentence_target, teachers.phrase_target, carried),
    ):
        rows = np.array([number[kind] for kind in vocabulary.types])
        meanings[rows, : min(quarter, sentence.shape[1])] += sentence[:, :quarter]
        meanings[rows, quarter : quarter + min(quarter, phrase.shape[1])] += phrase[:, :quarter]
        meanings[rows, 2 * quarter :] += lexical
        met[rows] += 1
    return (vectors + meanings / np.maximum(met, 1)[:, None]).astype(np.float32)
