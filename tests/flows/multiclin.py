"""A fake MultiClin release, made of the bundled corpus: a tree of entity folders with train, test and background documents."""

from collections.abc import Sequence
from pathlib import Path

from pipeline_lib.corpus.samples import LANGUAGES, marked, standoff

ENTITIES = ("disease", "symptom", "procedure")
TRAIN, TEST, BACKGROUND = ("case-01",), ("case-17", "case-18"), ("case-19",)


def write_release(root: Path, languages: Sequence[str] = LANGUAGES, gold: bool = False) -> Path:
    """Spanish is annotated everywhere, train in every language, ``gold`` makes test so too; else its folders hold texts only."""
    for lang in languages:
        for place, entity in enumerate(ENTITIES):
            for split, cases in (("train", TRAIN), ("test", (*TEST, *BACKGROUND))):
                folder = root / f"MultiClinNER-{lang}" / f"MultiClinNER-{lang}-{split}" / f"MultiClinNER-{lang}-{split}-{entity}"
                # The same number is another document in each entity's folder.
                for number, case in enumerate(cases[place:] + cases[:place], start=1):
                    _write_case(folder, f"{folder.name}-{number:04d}", marked(case, lang), entity, gold or lang == "es" or split == "train")
    return root


def numbered(cases: Sequence[str], entity: str) -> dict[str, str]:
    """Document ids of the test folder's ``cases``, by case."""
    place, everything = ENTITIES.index(entity), (*TEST, *BACKGROUND)
    order = everything[place:] + everything[:place]
    return {case: f"test-{entity}-{order.index(case) + 1:04d}" for case in cases}


def _write_case(folder: Path, stem: str, content: str, entity: str, annotated: bool) -> None:
    text, annotations = standoff(content)
    own = "".join(line for line in annotations.splitlines(keepends=True) if line.split("\t")[1].startswith(f"{entity.upper()} "))
    for kind, data in (("txt", text), ("ann", own)) if annotated else (("txt", text),):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        (folder / kind / f"{stem}.{kind}").write_bytes(data.encode("utf-8"))
