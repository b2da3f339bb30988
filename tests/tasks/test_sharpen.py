import numpy as np
import pytest

from data_contracts import TRANSPORT_PLANS
from pipeline_lib.alignment.sinkhorn import SharpenConfig
from pipeline_lib.storage.artifact import ArtifactRef
from tasks.sharpen import sharpen
from tests.tasks.chain import DAMAGES, Chain, assert_kept, assert_repaired, assert_reused, fingerprint, other, taken


def call(chain: Chain, config: SharpenConfig | None = None) -> ArtifactRef:
    return sharpen.fn(chain.root, chain.costs[0], config or SharpenConfig())


def test_plans_keep_their_contract(chain: Chain) -> None:
    for shard, ref in chain.plans.items():
        assert_kept(chain, ref, TRANSPORT_PLANS)
        assert ref.shard == chain.costs[shard].shard


def test_there_is_a_plan_for_every_cost_matrix_in_its_band(chain: Chain) -> None:
    columns = ["document", "source_lang", "target_lang", "rows", "columns", "low", "high"]
    for shard, ref in chain.plans.items():
        assert chain.store.read(ref, columns).to_pylist() == chain.store.read(chain.costs[shard], columns).to_pylist()


def test_a_smaller_reg_is_sharper(own: Chain) -> None:
    def highest(reg: float) -> float:
        (plan, *_) = own.store.read(call(own, SharpenConfig(reg=reg)))["plan"].to_pylist()
        return float(np.mean(np.sort(plan)[-100:]))

    assert highest(0.01) > highest(0.3)


def test_a_second_call_sharpens_nothing(chain: Chain) -> None:
    assert_reused(lambda: call(chain), chain.plans[0], "tasks.sharpen.sharpen_table")


@pytest.mark.parametrize("config", [SharpenConfig(reg=0.04), SharpenConfig(iterations=99), SharpenConfig(marginal_power=0.8)])
def test_it_depends_on_every_setting(chain: Chain, config: SharpenConfig) -> None:
    assert fingerprint(lambda: call(chain, config)) != chain.plans[0].fingerprint


def test_it_depends_on_its_costs_and_not_on_when_they_were_made(chain: Chain) -> None:
    assert fingerprint(lambda: sharpen.fn(chain.root, other(chain.costs[0]), SharpenConfig())) != chain.plans[0].fingerprint
    assert fingerprint(lambda: sharpen.fn("elsewhere", taken(chain.costs[0]), SharpenConfig())) == chain.plans[0].fingerprint


@DAMAGES
def test_a_damaged_table_is_made_again(own: Chain, damage: str) -> None:
    assert_repaired(lambda: call(own), own.root, damage)
