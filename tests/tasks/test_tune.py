import random
import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from data_contracts import TRAINING_LOG
from pipeline_lib.storage.checkpoints import Checkpoints
from pipeline_lib.storage.store import Store
from tests.tasks.chain import Chain, fingerprint, other
from tests.tasks.transformers import TUNE, Made, call_tune

STEPS = 14


class Killed(Exception):
    """The worker is gone."""


def model_bytes(made: Made) -> bytes:
    with made.store.local(made.tuned.main) as folder:
        return (folder / "model.safetensors").read_bytes()


def test_the_log_keeps_its_contract_and_the_loss_falls(made: Made) -> None:
    log = made.store.read(made.tuned.log)
    TRAINING_LOG.check(log)
    losses = log["held_out_loss"].to_pylist()
    assert min(losses[1:]) < losses[0]


def test_plain_transformers_read_the_student(made: Made) -> None:
    with made.store.local(made.tuned.main) as folder:
        model, told = AutoModel.from_pretrained(folder, output_loading_info=True)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        assert {name.split(".")[0] for name in told["missing_keys"]} <= {"pooler"}
        assert model(**tokenizer("fiebre alta", return_tensors="pt")).last_hidden_state.shape[2] == 32


def test_it_is_trained_once_and_leaves_no_checkpoints(made: Made, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not made.store.files("checkpoints")
    monkeypatch.setattr("tasks.tune.load_encoder", None)
    assert call_tune(chain, made.root, made.plans, made.encoders["sentence"]).main.reused


def test_it_depends_on_start_and_settings_but_not_on_how_often_it_writes_itself_down(made: Made, chain: Chain) -> None:
    def of(**changes: object) -> str:
        return fingerprint(lambda: call_tune(chain, made.root, made.plans, made.encoders["sentence"], TUNE.model_copy(update=changes)))

    first = made.tuned.main.fingerprint
    assert of(keep_every=9) == first
    assert first not in {of(learning_rate=1e-4), of(seed=2), of(schedule="linear")}
    assert fingerprint(lambda: call_tune(chain, made.root, made.plans, other(made.encoders["sentence"]))) != first


def test_killed_at_any_step_it_goes_on_to_the_same_weights(
    made: Made, chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten times in a row, at random steps, with dropout at work."""
    whole = model_bytes(made)
    shutil.copytree(made.root, tmp_path / "store")
    shutil.rmtree(tmp_path / "store" / "student")
    store = Store(str(tmp_path / "store"))
    plain = Checkpoints.keep
    for kill_at in sorted(random.Random(3).sample(range(1, STEPS), 10)):

        def keep(self: Checkpoints, step: int, write: object, kill_at: int = kill_at) -> None:
            plain(self, step, write)  # type: ignore[arg-type]
            if step == kill_at:
                raise Killed

        monkeypatch.setattr(Checkpoints, "keep", keep)
        with pytest.raises(Killed):
            call_tune(chain, store.root, made.plans, made.encoders["sentence"])
        torch.rand(3)
    monkeypatch.setattr(Checkpoints, "keep", plain)
    again = call_tune(chain, store.root, made.plans, made.encoders["sentence"])
    with store.local(again.main) as folder:
        assert (folder / "model.safetensors").read_bytes() == whole
