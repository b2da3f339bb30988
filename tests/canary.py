"""A word that stands for all clinical text: where it turns up, so would a patient's."""

from pathlib import Path

from tests.flows.tiny import small_corpus

CANARY = "zanahoriaquebradiza"


def canary_corpus(folder: Path) -> Path:
    """A corpus in which every text, and every kind of bad file, holds the canary."""
    small_corpus(folder)
    for path in folder.glob("*/*.txt"):
        path.write_bytes(path.read_bytes() + f" {CANARY}.".encode())
    bad = {
        "es/not-utf8.txt": f"{CANARY} \xff".encode("latin-1"),
        "en/not-utf8.txt": CANARY.encode(),
        "es/bad-lines.txt": f"Un {CANARY} agudo.".encode(),
        "en/bad-lines.txt": f"An acute {CANARY}.".encode(),
        "es/bad-lines.ann": "T1 @\nT2\tDISEASE 0 5\t@\nT3\tDISEASE x y\t@\nT4\tDISEASE 3 22\t@\n@\n".replace("@", CANARY).encode(),
        "en/bad-lines.ann": f"T1\tDISEASE 0 5\t{CANARY}\n".encode(),
        "es/bad-ann.txt": CANARY.encode(),
        "en/bad-ann.txt": CANARY.encode(),
        "es/bad-ann.ann": f"T1\tDISEASE 0 19\t{CANARY}\xff\n".encode("latin-1"),
    }
    for name, content in bad.items():
        (folder / name).write_bytes(content)
    return folder


def files_with_canary(folder: Path) -> set[str]:
    """Every file below the folder that holds the canary, as a path from there."""
    found = (path for path in folder.rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes())
    return {path.relative_to(folder).as_posix() for path in found}
