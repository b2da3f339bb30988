"""transformers, imported when it is first needed, since it takes seconds and most processes of a run meet no transformer."""

from typing import Any

from pipeline_lib.alignment.threads import LAZY_IMPORTS


def auto_model() -> Any:
    """``transformers.AutoModel``."""
    return _quiet().AutoModel


def auto_tokenizer() -> Any:
    """``transformers.AutoTokenizer``."""
    return _quiet().AutoTokenizer


def _quiet() -> Any:
    with LAZY_IMPORTS:
        import transformers

        transformers.AutoModel, transformers.AutoTokenizer  # noqa: B018 the imports themselves
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
    return transformers
