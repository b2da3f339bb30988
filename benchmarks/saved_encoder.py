"""An encoder of XLM-R's build in Hugging Face layout: random weights, and a Unigram tokenizer trained on the bundled corpus."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel

from pipeline_lib.corpus.samples import LANGUAGES, documents, marked, standoff

PIECES = 8000  # of the tokenizer, at most
WINDOW = 512  # tokens a pass, as in XLM-R
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def save_encoder(folder: Path, shape: dict[str, int]) -> None:
    torch.manual_seed(1)
    tokenizer = trained_tokenizer()
    config = XLMRobertaConfig(vocab_size=len(tokenizer), max_position_embeddings=WINDOW + 2, type_vocab_size=1, pad_token_id=1, **shape)
    XLMRobertaModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def trained_tokenizer() -> PreTrainedTokenizerFast:
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(vocab_size=PIECES, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False)
    made.train_from_iterator((standoff(marked(name, lang))[0] for name in documents() for lang in LANGUAGES), trainer)
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    named = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    return PreTrainedTokenizerFast(tokenizer_object=made, mask_token="<mask>", model_max_length=WINDOW, **named)
