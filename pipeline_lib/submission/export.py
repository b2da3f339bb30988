"""Export: a finished run in one of the formats that others read."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from pipeline_lib.submission.archive import write_zip
from pipeline_lib.submission.conll import write_conll
from pipeline_lib.submission.finished import Selection, open_run, select
from pipeline_lib.submission.folder import ARCHIVE, CONFIG, Draft, Written, export_folder
from pipeline_lib.submission.multiclin import write_multiclin
from pipeline_lib.submission.standoff import write_brat

Format = Literal["multiclin", "brat", "conll"]

WRITERS: dict[Format, Callable[[Selection, Draft], Written]] = {"multiclin": write_multiclin, "brat": write_brat, "conll": write_conll}


def export_run(
    run: Path, form: Format, out: Path, labels: Sequence[str] = (), split: str | None = None, suffix: str = ""
) -> dict[str, Any]:
    """Write the finished run in folder ``run`` into ``out``, in place of an earlier export there; returns what ``config.json`` says.

    ``suffix`` stands behind every file name of a submission, such as ``.txt``.

    Raises:
        SubmissionError: no finished run, no such split or label, a name that cannot be a file's, or a folder of somebody else.
    """
    selection = select(open_run(run), split, labels, suffix)
    with export_folder(out) as draft:
        written = WRITERS[form](selection, draft)
        facts = _facts(selection, form, written)
        draft.write_config(facts)
        if form == "multiclin":
            write_zip(draft.folder / ARCHIVE, draft.folder, [*draft.files, CONFIG])
    return facts


def _facts(selection: Selection, form: Format, written: Written) -> dict[str, Any]:
    record = selection.run.record
    entities = sorted({count.entity for count in written.counts} - {"*"})
    return {
        "spanferry": version("spanferry"),
        "format": form,
        "run": record.run,
        "model": record.model,
        "source": record.source,
        "languages": selection.languages,
        "entities": entities,
        "split": selection.split,
        "labels": list(selection.labels) or selection.found_labels(),
        "documents": {lang: selection.of(lang).height for lang in selection.languages},
        "documents_without_text": selection.without_text,
        "counts": [asdict(count) for count in written.counts],
        "notes": written.notes,
        "config": record.config,
    }
