"""Compiled loops, kept between processes: compiling all of them takes most of a minute, which every flow run would begin with.

numba keeps what it compiled in a folder of the user, as Python does with ``.pyc`` files and with the same trust. Whether that is still
valid it decides by a loop's own file; here the folder is named by the hash of that file and all that it imports, as an artifact is.
"""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import numba
from platformdirs import user_cache_path

from pipeline_lib.storage.fingerprint import code_hash

Loop = Callable[..., Any]

_SETTINGS: Any = numba.config
_DECORATING = Lock()


def compiled(**options: Any) -> Callable[[Loop], Loop]:
    """Decorator of a loop: compiled at its first call, run without the interpreter's lock, and kept if anything can be."""

    def decorate(loop: Loop) -> Loop:
        folder = cache_folder(loop.__module__)
        with _DECORATING:  # numba reads its setting here, and other packages' loops have other folders
            before, _SETTINGS.CACHE_DIR = _SETTINGS.CACHE_DIR, str(folder or "")
            try:
                decorated: Loop = numba.njit(nogil=True, cache=folder is not None, **options)(loop)
            finally:
                _SETTINGS.CACHE_DIR = before
        return decorated

    return decorate


def cache_folder(module: str) -> Path | None:
    """Folder of the module's compiled loops, below ``NUMBA_CACHE_DIR`` or the user's caches; None where nothing can be written."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or user_cache_path("spanferry"), "compiled", code_hash(module))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return None
    return folder
