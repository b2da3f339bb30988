"""Output folders of finished runs, written by hand: what ``spanferry run`` leaves, without running it."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

from data_contracts import CORPUS_FILES
from pipeline_lib.corpus.text import slices
from pipeline_lib.storage.write import write_file
from tests.pipeline_lib.projection.rows import Fragments, projected, projections

LANGUAGES = ("en", "it", "nl", "sv", "ro", "cz")
ENTITIES = ("disease", "symptom", "procedure")

# Invented; each mention is the part between the bars.
HOSTILE = (
    "The scan shows |a small stone| in the kidney.",
    'Called |"itchy|, then "dry" skin.',
    'He has |"old" scars| and a "new" one.',
    "Blood\tpressure |high\tat night|, low by day.",
    "It |hurts\nwhile walking| only.",
    "It |hurts\r\nat rest| too, a\rline.",
    "Weight 70\u00a0kg, |loss of\u00a05\u00a0kg|\u2028since.",
    "\U0001f600 says the patient: |no \U0001f9e0 pain| today.",
    "|e\u0301pilepsie| na\u00efve.",
    "Ends with |\\|",
)


@dataclass(frozen=True)
class Doc:
    """A document in one language; ``mentions`` are (id, label, fragments)."""

    lang: str
    document: str
    text: str
    mentions: tuple[tuple[str, str, Fragments], ...] = ()
    split: str | None = None
    entity: str | None = None
    extra: str = field(default="")
    """Lines of the ``.ann`` that are no mentions."""

    @property
    def file(self) -> str:
        """Path in the corpus: of the task's layout if there is an entity, else of the plain one."""
        if self.entity is None:
            return f"{self.lang}/{self.document}.txt"
        kind = f"MultiClinNER-{self.lang}-{self.split}"
        return f"MultiClinNER-{self.lang}/{kind}/{kind}-{self.entity}/txt/MultiClinNER-{self.lang}-{self.document}.txt"


def marked(marked_text: str) -> tuple[str, Fragments]:
    """The text without its bars, and what lies between them."""
    before, inside, after = marked_text.split("|")
    return before + inside + after, [(len(before), len(before) + len(inside))]


def plain(lang: str, document: str, marked_text: str, label: str = "DISEASE") -> Doc:
    """A document of the plain layout with one mention."""
    text, fragments = marked(marked_text)
    return Doc(lang, document, text, (("T1", label, fragments),))


def multiclin_docs() -> list[Doc]:
    """Every language and entity: a train document, test documents with every hostile mention, background with and without mentions."""
    docs = []
    for lang in LANGUAGES:
        for entity in ENTITIES:
            texts = [("train", "Some |old case|."), *(("test", text) for text in HOSTILE), ("test", "Background: |nothing new|, fine.")]
            for number, (split, held) in enumerate(texts):
                text, fragments = marked(f"{lang} {entity}. {held}")
                docs.append(
                    Doc(lang, f"{split}-{entity}-{number:04}", text, (("T1", entity.upper(), fragments),), split=split, entity=entity)
                )
            docs.append(Doc(lang, f"test-{entity}-9000", f"{lang} background without mentions", split="test", entity=entity))
    return docs


def standoff_line(name: str, label: str, spans: Fragments, text: str) -> str:
    offsets = ";".join(f"{start} {end}" for start, end in spans)
    surface = slices(text, [start for start, _ in spans], [end for _, end in spans]).replace("\r", " ").replace("\n", " ")
    return f"{name}\t{label} {offsets}\t{surface}\n"


def write_run(folder: Path, docs: list[Doc], *abstained: tuple[str, str, str, str]) -> Path:
    """The output folder of a run that projected ``docs``; ``abstained`` are (lang, document, mention, label)."""
    files: dict[str, str] = {}
    rows = []
    for doc in docs:
        rows += [projected(doc.document, name, label, spans, doc.text, doc.lang) for name, label, spans in doc.mentions]
        lines = [standoff_line(name, label, spans, doc.text) for name, label, spans in doc.mentions]
        for suffix, content in ((".txt", doc.text), (".ann", "".join(lines) + doc.extra)):
            write_file(folder / doc.lang / f"{doc.document}{suffix}", content)
            files[f"{doc.lang}/{doc.document}{suffix}"] = hashlib.sha256(content.encode("utf-8")).hexdigest()
    rows += [projected(document, mention, label, [], lang=lang) for lang, document, mention, label in abstained]
    targets = list(dict.fromkeys(doc.lang for doc in docs))
    record = {"run": "run-1", "model": "run-0", "source": "es", "targets": targets, "config": {"aligner": "target"}, "files": files}
    write_file(folder / "run.json", json.dumps(record))
    pq.write_table(projections(*rows), folder / "projections.parquet")
    write_corpus_files(folder, docs)
    list_tables(folder)
    return folder


def list_tables(folder: Path) -> None:
    """Have ``run.json`` list the tables as they are now."""
    record = json.loads((folder / "run.json").read_text("utf-8"))
    for name in ("projections.parquet", "corpus_files.parquet"):
        record["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    write_file(folder / "run.json", json.dumps(record))


def write_corpus_files(folder: Path, docs: list[Doc]) -> None:
    rows = [
        {
            "document": doc.document,
            "lang": doc.lang,
            "name": Path(doc.file).stem,
            "file": doc.file,
            "sha256": "0",
            "annotations": None,
            "annotations_sha256": None,
            "scored": False,
            "split": doc.split,
            "entity": doc.entity,
            "shard": 0,
        }
        for doc in docs
    ]
    pq.write_table(CORPUS_FILES.table(rows), folder / "corpus_files.parquet")


def write_corpus(root: Path, docs: list[Doc]) -> Path:
    """The texts of ``docs`` as a corpus folder."""
    for doc in docs:
        write_file(root / doc.file, doc.text)
    return root
