"""transformers, imported when it is first needed, since it takes seconds and most processes of a run meet no transformer."""

from threading import Lock
from typing import Any

# Two threads that make its lazy modules at once fail each other's imports.
_IMPORTING = Lock()


def auto_model() -> Any:
    """``transformers.AutoModel``."""
    return _quiet().AutoModel


def auto_tokenizer() -> Any:
    """``transformers.AutoTokenizer``."""
    return _quiet().AutoTokenizer


def _quiet() -> Any:
    with _IMPORTING:
        import transformers

        transformers.AutoModel, transformers.AutoTokenizer  # noqa: B018 the imports themselves
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
    return transformers
