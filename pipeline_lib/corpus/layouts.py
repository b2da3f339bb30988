"""Layouts: where a corpus keeps its texts and annotations, told by its configuration or found by what lies in the folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from pipeline_lib.corpus import multiclin, plain
from pipeline_lib.corpus.files import CorpusError, Discovery, is_label, printable
from pipeline_lib.corpus.listing import discover_listed


def _label(name: str) -> str:
    if not is_label(name):
        raise ValueError("a label is one printable word, and not `*`")
    return name


Label = Annotated[str, AfterValidator(_label)]

# The same language, as ISO 639-1 and as MultiClinCorpus spells it.
SPELLINGS = {"cs": "cz", "cz": "cs"}


class NoLanguage(CorpusError):
    """The folder holds no texts where the layout wants them."""


class CorpusConfig(BaseModel, frozen=True, extra="forbid", allow_inf_nan=False):
    """Where the corpus keeps what. Files are named relative to the corpus folder."""

    layout: Literal["auto", "plain", "tsv", "multiclin", "listed"] = Field("auto", description="how texts and annotations are found")
    annotations: dict[str, str] = Field({}, description="layout tsv: the TSV of a language, where its name does not tell")
    files: str = Field("", description="layout listed: TSV with columns document, lang, file and, where wanted, annotations, name")
    scored: str = Field("", description="list of the documents whose gold counts; without one, all that have annotations")
    aliases: dict[str, Label] = Field(
        {}, description='labels by the name they shall have, such as {ENFERMEDAD = "DISEASE"}; none by default'
    )


DEFAULT = CorpusConfig()


def find_layout(root: Path, config: CorpusConfig) -> Literal["by language", "plain", "tsv", "multiclin", "listed"]:
    """The corpus's layout: the configured one, or what the folder looks like. Raises ``CorpusError`` if there is no such folder."""
    if not root.is_dir():
        raise CorpusError(f"no such folder: {printable(str(root))}")
    if config.layout != "auto":
        return config.layout
    if config.files:
        return "listed"
    return "multiclin" if multiclin.find_folders(root) else "by language"


def languages(root: Path, config: CorpusConfig = DEFAULT) -> list[str]:
    """The corpus's own codes, sorted. Raises ``CorpusError``, of kind ``NoLanguage`` if there is none."""
    layout = find_layout(root, config)
    if layout == "listed":
        found = {file.lang for file in _discover_listed(root, config).files}
    elif layout == "multiclin":
        found = {folder.lang for folder in multiclin.find_folders(root)}
    else:
        found = set(plain.plain_languages(root))
    if not found:
        raise NoLanguage(f"no language in {printable(str(root))}: expected {{lang}}/{{document}}.txt, or see corpus.layout")
    return sorted(found)


def resolve_language(root: Path, code: str, config: CorpusConfig = DEFAULT) -> str:
    """The corpus's own code for ``code`` (`cs` and `cz` are one language, `EN` and `en` too). Raises ``CorpusError``."""
    return resolve_languages(root, [code], config)[0]


def resolve_languages(root: Path, codes: Sequence[str], config: CorpusConfig = DEFAULT) -> list[str]:
    """The corpus's own code for each of ``codes``, with one look at the folder. Raises ``CorpusError``."""
    found = languages(root, config)
    return [_own_code(code, found) for code in codes]


def discover(root: Path, langs: Sequence[str], config: CorpusConfig = DEFAULT) -> Discovery:
    """Every text and every unusable file of ``langs``; opens no text and no annotation. Raises ``CorpusError``."""
    wanted = set(resolve_languages(root, langs, config))
    found = Discovery()
    for part in _parts(root, sorted(wanted), config):
        found.files += [file for file in part.files if file.lang in wanted]
        found.problems += [problem for problem in part.problems if problem.lang is None or problem.lang in wanted]
    return found.ordered()


def _own_code(code: str, found: Sequence[str]) -> str:
    spellings = {lang.casefold(): lang for lang in found} | {lang: lang for lang in found}
    for spelling in (code, code.casefold(), SPELLINGS.get(code.casefold())):
        if spelling in spellings:
            return spellings[spelling]
    raise CorpusError(f"no documents in language {printable(code)}; the corpus has: {', '.join(found)}")


def _parts(root: Path, langs: Sequence[str], config: CorpusConfig) -> list[Discovery]:
    layout = find_layout(root, config)
    if layout == "listed":
        return [_discover_listed(root, config)]
    if layout == "multiclin":
        return [multiclin.discover_multiclin(root, folder) for folder in multiclin.find_folders(root)]
    if layout == "plain":
        return [plain.discover_plain(root, lang) for lang in langs]
    named = dict(zip(resolve_languages(root, list(config.annotations), config), config.annotations.values(), strict=True))
    return [_discover_folder(root, lang, named.get(lang), layout == "tsv") for lang in langs]


def _discover_folder(root: Path, lang: str, table: str | None, by_table: bool) -> Discovery:
    """A language's folder: with the standoff beside its texts, or with its TSV where one is named, asked for, or all there is."""
    if table is None and not by_table and plain.holds_standoff(root, lang):
        return plain.discover_plain(root, lang)
    found = plain.find_table(root, lang, table)
    return plain.discover_tabular(root, lang, found) if found or by_table else plain.discover_plain(root, lang)


def _discover_listed(root: Path, config: CorpusConfig) -> Discovery:
    if not config.files:
        raise CorpusError("layout listed needs corpus.files, a TSV with the columns document, lang, file")
    return discover_listed(root, config.files)
