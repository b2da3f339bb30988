"""Site files for the tests of the roof."""

from pathlib import Path

from deployments.site import Site, read_site

PLAIN = """
[store]
root = "store"
[collections.sample]
corpus = "corpus"
targets = ["en"]
out = "results"
"""

CONTAINERS = """
infrastructure = "{infrastructure}"
[store]
root = "s3://bucket/prefix"
endpoint = "https://s3.example.org"
[docker]
image = "example.org/spanferry:1"
networks = ["spanferry"]
volumes = ["/data/corpora:/data/corpora:ro"]
[kubernetes]
image = "example.org/spanferry:1"
namespace = "annotation"
service_account = "spanferry"
claim = "corpora"
gpu_node_selector = {{ "nvidia.com/gpu.present" = "true" }}
[collections.sample]
corpus = "/data/corpora/sample"
targets = ["en", "it"]
out = "/data/results"
"""


def written(folder: Path, text: str = PLAIN) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def site(folder: Path, text: str = PLAIN) -> Site:
    return read_site(written(folder, text))


def in_containers(folder: Path, infrastructure: str) -> Site:
    return site(folder, CONTAINERS.format(infrastructure=infrastructure))
