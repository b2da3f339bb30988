import numpy as np
import pyarrow as pa
import pytest
import torch

from data_contracts import UNIT_VECTORS, ContractError
from pipeline_lib.encoding.model_files import EncoderError
from pipeline_lib.encoding.vectors import InOrder, chosen_device, chosen_precision, vector_tables
from tests.encoders import texts
from tests.pipeline_lib.encoding.conftest import Load
from tests.pipeline_lib.encoding.test_transformer import grid, vectors


def test_tables_hold_every_text_in_order_and_keep_their_contract(load: Load) -> None:
    encoder, some = load("unigram"), {f"d{number}": grid(text) for number, text in enumerate(texts()[:5])}
    parts = list(vector_tables(some, "es", encoder, at_once=2))
    assert [part.num_rows for part in parts] == [2, 2, 1]
    for part in parts:
        UNIT_VECTORS.check(part)
    found = InOrder(parts)
    for name, text in some.items():
        assert found.of(name) == pytest.approx(vectors(encoder, text).numpy(), abs=1e-3)
    row = parts[0].to_pylist()[0]
    assert (row["lang"], row["width"], row["precision"]) == ("es", encoder.width, "float32")
    assert row["windows"] == 3 and row["tokens"] > len(encoder.read(some["d0"]).pieces.ids)


def table(**documents: list[float]) -> pa.Table:
    facts = {"lang": "es", "units": 1, "width": 2, "tokens": 1, "windows": 1, "precision": "float32"}
    return UNIT_VECTORS.table(
        [{"document": name, "vectors": np.array(values, dtype=np.float16), **facts} for name, values in documents.items()]
    )


def test_vectors_are_read_in_the_order_of_their_rows_and_some_may_be_passed_over() -> None:
    found = InOrder([table(a=[1, 0], b=[0, 1]), table(c=[0.6, 0.8])])
    assert found.of("b").tolist() == [[0, 1]]
    assert found.of("c")[0].tolist() == pytest.approx([0.6, 0.8], abs=1e-3)
    with pytest.raises(KeyError):
        found.of("a")


@pytest.mark.parametrize(("values", "rule"), [([1.0], "vectors_are_complete"), ([1.0, float("nan")], "vectors_are_finite")])
def test_a_table_that_breaks_the_contract_is_an_error(values: list[float], rule: str) -> None:
    with pytest.raises(ContractError, match=rule):
        UNIT_VECTORS.check(table(a=values))


def test_auto_is_the_cpu_in_float32_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert chosen_device("auto") == chosen_device("cpu") == "cpu"
    assert chosen_precision("auto", "cpu") == torch.float32 and chosen_precision("bfloat16", "cpu") == torch.bfloat16
    with pytest.raises(EncoderError, match="there is no GPU here"):
        chosen_device("cuda")


def test_shards_share_several_gpus_and_a_number_means_that_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [chosen_device("auto", shard) for shard in range(4)] == ["cuda:0", "cuda:1", "cuda:0", "cuda:1"]
    assert chosen_device("cuda:1", 0) == "cuda:1"
    assert chosen_precision("auto", "cuda:1") == torch.bfloat16 and chosen_precision("float32", "cuda:1") == torch.float32
    with pytest.raises(EncoderError, match="there are 2 GPUs, from cuda:0 on"):
        chosen_device("cuda:2")
