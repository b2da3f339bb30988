"""A sample of a corpus: documents drawn by seed, short and long ones, in every language; and how much the corpus is beside them."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pipeline_lib.alignment.units import Cut, GridText, split_units
from pipeline_lib.corpus.documents import ReadDocument, read_document
from pipeline_lib.corpus.files import CorpusError, TextFile
from pipeline_lib.corpus.layouts import CorpusConfig, discover, resolve_languages
from pipeline_lib.planning.estimate import Language, PairExtent

DRAWN = 24  # documents a language pair
SEED = 13


@dataclass(frozen=True)
class Listed:
    """A corpus as its folder lists it; no text is opened.

    Attributes:
        files, sizes: the texts that a run reads and their bytes, by language, the source first, and document.
    """

    files: dict[str, dict[str, TextFile]]
    sizes: dict[str, dict[str, int]]

    @property
    def source(self) -> str:
        return next(iter(self.files))

    @property
    def targets(self) -> list[str]:
        return list(self.files)[1:]


@dataclass(frozen=True)
class Sampled:
    """One text of the sample, as a run would have it."""

    file: TextFile
    read: ReadDocument
    text: GridText


@dataclass(frozen=True)
class Sample:
    """The sample's texts by language and document, in the order drawn; drawn: of every language, those that cannot be read too."""

    drawn: dict[str, list[str]]
    texts: dict[str, dict[str, Sampled]]

    def pairs(self, source: str, target: str) -> list[str]:
        """Documents that can be read in both languages."""
        return [document for document in self.texts[target] if document in self.texts[source]]


def list_corpus(root: Path, source: str, targets: Sequence[str], config: CorpusConfig) -> Listed:
    """What a run into ``targets`` would read. Raises ``CorpusError`` where there is nothing to do."""
    own, *others = resolve_languages(root, [source, *targets], config)
    langs = list(dict.fromkeys([own, *others]))
    found = discover(root, langs, config).files
    ours = {file.document: file for file in found if file.lang == own}
    files = {lang: {file.document: file for file in found if file.lang == lang and file.document in ours} for lang in langs}
    for lang in langs[1:]:
        if not files[lang]:
            raise CorpusError(f"no document has a text in both {own} and {lang}: a document is the same file name in two languages")
    return Listed(files, {lang: {name: _size(file) for name, file in of_lang.items()} for lang, of_lang in files.items()})


def draw(sizes: Mapping[str, int], at_most: int = DRAWN, seed: int = SEED) -> list[str]:
    """A document out of each of ``at_most`` equal shares by length; any beginning of the list has short and long ones."""
    ordered = sorted(sizes, key=lambda document: (sizes[document], document))
    count, dice = min(at_most, len(ordered)), random.Random(seed)
    edges = [share * len(ordered) // count for share in range(count + 1)]
    drawn = [ordered[dice.randrange(first, last)] for first, last in pairwise(edges)]
    return [drawn[(place + count // 2) % count] for place in sorted(range(count), key=lambda place: int(f"{place:016b}"[::-1], 2))]


def take_sample(listed: Listed, aliases: Mapping[str, str], cut: Cut | None, at_most: int = DRAWN, seed: int = SEED) -> Sample:
    """Draw and read. Raises ``CorpusError`` if nothing that was drawn of a language can be read."""
    lengths = listed.sizes[listed.source]
    drawn = {lang: draw({name: lengths[name] for name in listed.files[lang]}, at_most, seed) for lang in listed.targets}
    drawn = {listed.source: list(dict.fromkeys(name for names in drawn.values() for name in names)), **drawn}
    texts = {lang: _read(listed, lang, names, aliases, cut) for lang, names in drawn.items()}
    sample = Sample(drawn, texts)
    for lang in listed.targets:
        if not sample.pairs(listed.source, lang):
            raise CorpusError(f"of {len(drawn[lang])} documents in {listed.source} and {lang} none can be read: `spanferry check` says why")
    return sample


def measured_languages(listed: Listed, sample: Sample) -> list[Language]:
    """Every language at its true number of documents; characters and tokens by the bytes that they have in the sample."""
    found = []
    for lang, texts in sample.texts.items():
        share = sum(listed.sizes[lang].values()) / max(sum(listed.sizes[lang][name] for name in sample.drawn[lang]), 1)
        characters = share * sum(len(each.text.text) for each in texts.values())
        tokens = share * sum(len(each.text.starts) for each in texts.values())
        found.append(Language(lang, len(listed.files[lang]), round(characters), round(tokens)))
    return found


def measured_pairs(listed: Listed, sample: Sample) -> list[PairExtent]:
    """Every pair's documents, and the units on its two sides."""
    lengths, ours = listed.sizes[listed.source], sample.texts[listed.source]
    found = []
    for lang in listed.targets:
        share = sum(lengths[name] for name in listed.files[lang]) / max(sum(lengths[name] for name in sample.drawn[lang]), 1)
        names = sample.pairs(listed.source, lang)
        units = [share * sum(len(side[name].text.starts) for name in names) for side in (ours, sample.texts[lang])]
        found.append(PairExtent(lang, len(listed.files[lang]), round(units[0]), round(units[1])))
    return found


def _read(listed: Listed, lang: str, names: Sequence[str], aliases: Mapping[str, str], cut: Cut | None) -> dict[str, Sampled]:
    texts = {}
    for name in names:
        file = listed.files[lang][name]
        read = read_document(file, with_annotations=lang == listed.source, aliases=aliases)
        if read.document is not None:
            text = str(read.document["text"])
            units = split_units(text, cut)
            texts[name] = Sampled(file, read, GridText(text, units.starts, units.ends, units.breaks))
    return texts


def _size(file: TextFile) -> int:
    """Bytes of a text; 0 where it cannot be read, which a run rejects."""
    try:
        return file.path.stat().st_size
    except OSError:
        return 0
