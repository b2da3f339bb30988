"""Job templates: committed, not stale, and rendered by the workers' own code into jobs that the published schemas accept."""

import asyncio
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock
from uuid import uuid4

import pytest
from docker.types import HostConfig
from kubernetes_asyncio.client import ApiClient, Configuration
from prefect.client.schemas.objects import FlowRun
from prefect.workers.process import ProcessJobConfiguration
from prefect_docker.worker import DockerWorkerJobConfiguration
from prefect_kubernetes.worker import KubernetesWorkerJobConfiguration

from deployments.jobs import ENVIRONMENT, FOLDER, INFRASTRUCTURES, base, main, template
from deployments.site import Site
from tests.deployments.sites import PLAIN, in_containers, site

Rendered = Any


class Reader(ApiClient):
    """Kubernetes' client as far as it reads and writes objects: nothing is connected."""

    def __init__(self) -> None:
        self.configuration = Configuration()


def read_as_job(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest as a job of the published API and back: what that does not know is gone; a missing or ill-typed part raises."""
    reader = Reader()
    found = reader.deserialize(SimpleNamespace(data=json.dumps(manifest)), "V1Job")
    return dict(reader.sanitize_for_serialization(found))


def render(kind: type[Rendered], found: Site, pool: str) -> Rendered:
    """What a worker of the pool would start for a run. The API is asked for nothing."""
    configuration = asyncio.run(kind.from_template_and_values(template(found, pool), {}, client=AsyncMock()))
    configuration.prepare_for_flow_run(FlowRun(flow_id=uuid4(), name="run"))
    return configuration


def job(found: Site, pool: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """A Kubernetes job, its pod and its container."""
    manifest = render(KubernetesWorkerJobConfiguration, found, pool).job_manifest
    pod = manifest["spec"]["template"]["spec"]
    return manifest, pod, pod["containers"][0]


def test_the_committed_templates_are_what_the_workers_and_we_make_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err


def test_a_stale_template_fails_the_check_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("process.json", "docker.json"):
        (tmp_path / name).write_bytes((FOLDER / name).read_bytes())
    (tmp_path / "kubernetes.json").write_text("{}", encoding="utf-8")
    monkeypatch.setattr("deployments.jobs.FOLDER", tmp_path)
    assert main(["--check"]) == 1
    assert "kubernetes.json in deployments/templates: stale" in capsys.readouterr().err
    assert main([]) == 0 and main(["--check"]) == 0


@pytest.mark.parametrize("infrastructure", INFRASTRUCTURES)
def test_every_variable_that_a_template_uses_is_one_that_it_declares(infrastructure: Any) -> None:
    found = base(infrastructure)
    used = {text.strip("{} -") for text in _strings(found["job_configuration"]) if text.startswith("{{")}
    assert used <= set(found["variables"]["properties"])


def _strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for part in value.values() for text in _strings(part)]
    if isinstance(value, list):
        return [text for part in value for text in _strings(part)]
    return [value] if isinstance(value, str) else []


def test_a_process_is_told_of_heartbeats_and_of_its_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "of the worker")
    found = site(tmp_path)
    cpu, gpu = (render(ProcessJobConfiguration, found, pool).env for pool in found.pools)
    assert ENVIRONMENT.items() <= cpu.items()
    assert (cpu["CUDA_VISIBLE_DEVICES"], gpu["CUDA_VISIBLE_DEVICES"]) == ("", "0")
    assert cpu["AWS_ACCESS_KEY_ID"] == "of the worker"


def test_each_of_several_gpu_workers_keeps_its_own_device(tmp_path: Path) -> None:
    found = site(tmp_path, '[gpu]\nworkers = 2\ndevices = "0,1"\n' + PLAIN)
    assert "CUDA_VISIBLE_DEVICES" not in template(found, "gpu")["variables"]["properties"]["env"]["default"]


def test_a_container_gets_image_network_volumes_and_the_gpu(tmp_path: Path) -> None:
    found = in_containers(tmp_path, "docker")
    cpu, gpu = (render(DockerWorkerJobConfiguration, found, pool) for pool in found.pools)
    for configuration in (cpu, gpu):
        assert configuration.image == "example.org/spanferry:1" and configuration.networks == ["spanferry"]
        assert configuration.volumes == ["/data/corpora:/data/corpora:ro"] and configuration.auto_remove
        assert configuration.env["AWS_ENDPOINT_URL"] == "https://s3.example.org"
    assert cpu.container_create_kwargs is None
    host = HostConfig(version="1.47", **gpu.container_create_kwargs)
    assert host["DeviceRequests"] == [{"Driver": "nvidia", "Count": 0, "DeviceIDs": ["0"], "Capabilities": [["gpu"]], "Options": {}}]


@pytest.mark.parametrize("pool", ["cpu", "gpu"])
def test_a_kubernetes_job_is_one_in_the_eyes_of_kubernetes_own_client(tmp_path: Path, pool: str) -> None:
    manifest, _, container = job(in_containers(tmp_path, "kubernetes"), pool)
    for quantities in container["resources"].values():
        quantities |= {name: str(quantity) for name, quantity in quantities.items()}  # either way is right, text is the client's
    assert read_as_job(manifest) == manifest
    assert read_as_job(manifest | {"spec": manifest["spec"] | {"backofLimit": 0}}) == manifest, "what no job has, it loses"


def test_a_kubernetes_job_is_not_tried_again_and_goes_away(tmp_path: Path) -> None:
    manifest, pod, _ = job(in_containers(tmp_path, "kubernetes"), "cpu")
    spec = manifest["spec"]
    assert (spec["backoffLimit"], spec["ttlSecondsAfterFinished"], spec["completions"], spec["parallelism"]) == (0, 86400, 1, 1)
    assert manifest["metadata"]["namespace"] == "annotation" and pod["serviceAccountName"] == "spanferry"
    assert pod["restartPolicy"] == "Never"


def test_a_kubernetes_job_has_no_more_rights_than_it_needs(tmp_path: Path) -> None:
    _, pod, container = job(in_containers(tmp_path, "kubernetes"), "gpu")
    assert pod["securityContext"]["runAsNonRoot"] is True and pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    dockerfile = (FOLDER.parent / "Dockerfile").read_text(encoding="utf-8")
    assert f"\nUSER {pod['securityContext']['runAsUser']}\n" in dockerfile


def test_only_jobs_of_the_gpu_pool_ask_for_a_gpu_and_its_nodes(tmp_path: Path) -> None:
    found = in_containers(tmp_path, "kubernetes")
    _, pod, container = job(found, "gpu")
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert pod["nodeSelector"] == {"nvidia.com/gpu.present": "true"}
    assert pod["tolerations"] == [{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    _, pod, container = job(found, "cpu")
    assert "nvidia.com/gpu" not in container["resources"]["limits"]
    assert pod["nodeSelector"] == {} and pod["tolerations"] == []


def test_a_kubernetes_job_reads_its_credentials_from_a_secret_and_its_corpora_from_a_claim(tmp_path: Path) -> None:
    _, pod, container = job(in_containers(tmp_path, "kubernetes"), "cpu")
    assert container["envFrom"] == [{"secretRef": {"name": "spanferry-store", "optional": True}}]
    assert {"name": "data", "persistentVolumeClaim": {"claimName": "corpora"}} in pod["volumes"]
    assert {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]} == {"scratch": "/tmp", "data": "/data"}


@pytest.mark.parametrize("infrastructure", INFRASTRUCTURES)
def test_credentials_are_references_to_blocks_and_never_values(
    tmp_path: Path, infrastructure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "open sesame")
    plain = site(tmp_path) if infrastructure == "process" else in_containers(tmp_path, infrastructure)
    for credentials in ("worker", "blocks"):
        found = template(plain.model_copy(update={"credentials": credentials}), "cpu")
        variables = found["variables"]["properties"]["env"]["default"]
        assert "open sesame" not in str(found)
        assert ("AWS_SECRET_ACCESS_KEY" in variables) is (credentials == "blocks")
    assert variables["AWS_SECRET_ACCESS_KEY"] == "{{ prefect.blocks.secret.spanferry-store-secret }}"
