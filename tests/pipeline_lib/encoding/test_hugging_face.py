from concurrent.futures import ThreadPoolExecutor

import transformers

from pipeline_lib.encoding.hugging_face import auto_model, auto_tokenizer


def test_threads_may_ask_at_once() -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda number: auto_model() if number % 2 else auto_tokenizer(), range(16)))
    assert set(found) == {transformers.AutoModel, transformers.AutoTokenizer}
