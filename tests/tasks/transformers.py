"""The tasks of transformer teachers on the chain's texts: tiny encoders, and what they make."""

from dataclasses import dataclass
from pathlib import Path

from pipeline_lib.alignment.align import AlignConfig
from pipeline_lib.alignment.sinkhorn import SharpenConfig
from pipeline_lib.encoding.model_files import ModelSource
from pipeline_lib.encoding.tuned import TuneConfig
from pipeline_lib.encoding.vectors import EncodeConfig
from pipeline_lib.encoding.views import ROLES, Role, ViewsConfig
from pipeline_lib.storage.artifact import ArtifactRef
from pipeline_lib.storage.store import Store
from tasks.distill import Distilled
from tasks.encode import encode
from tasks.encoders import take_encoder
from tasks.sharpen import sharpen
from tasks.tune import Pair, tune_student
from tasks.views import see
from tests.encoders import FAMILIES, save_encoder
from tests.tasks.chain import Chain

SOURCES = {
    role: ModelSource(model=family, hidden_state=2 if role == "token" else 0, overlap=32)
    for role, family in zip(ROLES, FAMILIES, strict=True)
}
ENCODE = EncodeConfig(device="cpu")
VIEWS = ViewsConfig()
ALIGN = AlignConfig(student_plan="cosine")
TUNE = TuneConfig(epochs=1, least_steps=14, crop=64, crops_a_step=2, keep_every=2, learning_rate=1e-3, threads=1, start=SOURCES["sentence"])


@dataclass(frozen=True)
class Made:
    """What transformer teachers and their student make of a chain; by role, language and shard."""

    root: str
    encoders: dict[Role, ArtifactRef]
    vectors: dict[tuple[Role, str, int], ArtifactRef]
    costs: dict[int, ArtifactRef]
    plans: dict[int, ArtifactRef]
    tuned: Distilled

    @property
    def store(self) -> Store:
        return Store(self.root)


def make(chain: Chain, root: str, folder: Path) -> Made:
    """Into the store ``root``, a copy of the chain's."""
    encoders: dict[Role, ArtifactRef] = {}
    for role, family in zip(ROLES, FAMILIES, strict=True):
        save_encoder(folder / role, family)
        encoders[role] = take_encoder.fn(root, role, ModelSource(model=str(folder / role)), f"teachers.{role}")
    vectors = {
        (role, lang, shard): encode.fn(root, texts, encoders[role], SOURCES[role], ENCODE)
        for role in ROLES
        for (lang, shard), texts in chain.texts.items()
    }
    costs = {shard: call_see(chain, root, vectors, shard) for shard in chain.segments}
    plans = {shard: sharpen.fn(root, costs[shard], SharpenConfig()) for shard in costs}
    tuned = call_tune(chain, root, plans, encoders["sentence"])
    return Made(root, encoders, vectors, costs, plans, tuned)


def call_see(
    chain: Chain, root: str, vectors: dict[tuple[Role, str, int], ArtifactRef], shard: int, config: ViewsConfig = VIEWS
) -> ArtifactRef:
    ours, theirs = ({role: vectors[role, lang, shard] for role in ROLES} for lang in ("es", "en"))
    return see.fn(root, chain.costs[shard].shard, ours, theirs, chain.segments[shard], config)


def call_tune(chain: Chain, root: str, plans: dict[int, ArtifactRef], start: ArtifactRef, config: TuneConfig = TUNE) -> Distilled:
    pairs = [Pair(chain.whole("en"), list(chain.segments.values()), list(plans.values()))]
    return tune_student.fn(root, "es-en", chain.whole("es"), pairs, start, ALIGN, ENCODE, config)
