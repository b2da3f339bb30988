"""Base job templates: how a worker starts a run, one committed JSON file an infrastructure, and what a site fills into it.

``python -m deployments.jobs`` writes the files from the workers' own templates, so that every standard variable works;
``--check`` fails if one is stale.
"""

import json
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

from deployments.site import CPU, GPU, Infrastructure, Site

Json = dict[str, Any]

FOLDER = Path(__file__).parent / "templates"
INFRASTRUCTURES: tuple[Infrastructure, ...] = ("process", "docker", "kubernetes")

# What every run finds, wherever it runs. No credentials.
ENVIRONMENT = {
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",  # the automation that clears dead runs counts on it
    "PREFECT_LOGGING_EXTRA_LOGGERS": "pipeline_lib",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
}
BLOCKS = {
    "AWS_ACCESS_KEY_ID": "{{ prefect.blocks.secret.spanferry-store-key }}",
    "AWS_SECRET_ACCESS_KEY": "{{ prefect.blocks.secret.spanferry-store-secret }}",
}
USER = 10001  # of deployments/Dockerfile; Kubernetes believes in a user other than root only by number


def template(site: Site, pool: str) -> Json:
    """The base job template of a work pool: the committed file, with the site's values as the defaults of its variables."""
    found: Json = json.loads(files("deployments").joinpath("templates", f"{site.infrastructure}.json").read_text(encoding="utf-8"))
    variables = found["variables"]["properties"]
    variables["env"]["default"] |= _environment(site, pool)
    for name, value in _VALUES[site.infrastructure](site, pool).items():
        variables[name]["default"] = value
    return found


def _environment(site: Site, pool: str) -> dict[str, str]:
    own = dict(BLOCKS) if site.credentials == "blocks" else {}
    if site.store.endpoint:
        own["AWS_ENDPOINT_URL"] = site.store.endpoint
    if site.infrastructure == "process" and pool == CPU:
        own["CUDA_VISIBLE_DEVICES"] = ""
    if site.infrastructure == "process" and pool == GPU and site.gpu.workers == 1:
        own["CUDA_VISIBLE_DEVICES"] = site.gpu.devices  # several workers each have their own
    return own


def _process_values(site: Site, pool: str) -> Json:
    return {}


def _docker_values(site: Site, pool: str) -> Json:
    values: Json = {"image": site.docker.image, "networks": site.docker.networks, "volumes": site.docker.volumes}
    if pool == GPU:
        request = {"Driver": "nvidia", "DeviceIDs": site.gpu.each, "Capabilities": [["gpu"]]}
        values["container_create_kwargs"] = {"device_requests": [request]}
    return values


def _kubernetes_values(site: Site, pool: str) -> Json:
    own = site.kubernetes
    values: Json = {
        "image": own.image,
        "namespace": own.namespace,
        "service_account_name": own.service_account,
        "store_secret": own.secret,
        "finished_job_ttl": own.keep_jobs,
    }
    if pool == GPU:
        values |= {"gpus": 1, "node_selector": own.gpu_node_selector, "tolerations": own.gpu_tolerations}
    if own.claim:
        values["volumes"] = [*_SCRATCH["volumes"], {"name": "data", "persistentVolumeClaim": {"claimName": own.claim}}]
        values["volume_mounts"] = [*_SCRATCH["volume_mounts"], {"name": "data", "mountPath": "/data"}]
    return values


_VALUES = {"process": _process_values, "docker": _docker_values, "kubernetes": _kubernetes_values}

_SCRATCH: dict[str, list[Json]] = {
    "volumes": [{"name": "scratch", "emptyDir": {}}],
    "volume_mounts": [{"name": "scratch", "mountPath": "/tmp"}],
}


def base(infrastructure: Infrastructure) -> Json:
    """The worker's own template with our changes, as it is committed."""
    found = _own_template(infrastructure)
    found["variables"].pop("description", None)  # speaks of Prefect's class
    found["variables"]["properties"]["env"]["default"] = dict(ENVIRONMENT)
    if infrastructure == "docker":
        found["variables"]["properties"]["auto_remove"]["default"] = True
    if infrastructure == "kubernetes":
        _for_kubernetes(found)
    return found


def _own_template(infrastructure: Infrastructure) -> Json:
    # Imported here: Docker and Kubernetes are extras, and who deploys with neither needs none of them.
    if infrastructure == "docker":
        from prefect_docker.worker import DockerWorker as Worker
    elif infrastructure == "kubernetes":
        from prefect_kubernetes.worker import KubernetesWorker as Worker
    else:
        from prefect.workers.process import ProcessWorker as Worker
    found: Json = json.loads(json.dumps(Worker.get_default_base_job_template()))
    return found


def _for_kubernetes(found: Json) -> None:
    """GPU, placement, volumes, a Secret as environment, and no more rights than needed."""
    job = found["job_configuration"]["job_manifest"]["spec"]
    pod = job["template"]["spec"]
    # Prefect's template has these two in the pod, where the published schema does not know them.
    job["completions"], job["parallelism"] = pod.pop("completions"), pod.pop("parallelism")
    pod |= {
        "nodeSelector": "{{ node_selector }}",
        "tolerations": "{{ tolerations }}",
        "volumes": "{{ volumes }}",
        "automountServiceAccountToken": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    container = pod["containers"][0]
    container["resources"]["limits"]["nvidia.com/gpu"] = "{{ gpus }}"
    container |= {
        "envFrom": [{"secretRef": {"name": "{{ store_secret }}", "optional": True}}],
        "volumeMounts": "{{ volume_mounts }}",
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
    }
    found["variables"]["properties"] |= _KUBERNETES_VARIABLES
    found["variables"]["properties"]["finished_job_ttl"]["default"] = 86400


_KUBERNETES_VARIABLES: Json = {
    "gpus": {
        "title": "GPUs",
        "description": "Number of GPUs that the job gets; none if not set.",
        "anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}],
        "default": None,
    },
    "node_selector": {
        "title": "Node Selector",
        "description": "Labels of the nodes that may run the job.",
        "type": "object",
        "additionalProperties": {"type": "string"},
        "default": {},
    },
    "tolerations": {
        "title": "Tolerations",
        "description": "Taints of nodes that the job bears, as Kubernetes writes them.",
        "type": "array",
        "items": {"type": "object"},
        "default": [],
    },
    "store_secret": {
        "title": "Store Secret",
        "description": "Kubernetes Secret whose keys, such as AWS_ACCESS_KEY_ID, become environment variables; it need not exist.",
        "type": "string",
        "default": "spanferry-store",
    },
    "volumes": {
        "title": "Volumes",
        "description": "Volumes of the pod, as Kubernetes writes them.",
        "type": "array",
        "items": {"type": "object"},
        "default": _SCRATCH["volumes"],
    },
    "volume_mounts": {
        "title": "Volume Mounts",
        "description": "Where the container sees them.",
        "type": "array",
        "items": {"type": "object"},
        "default": _SCRATCH["volume_mounts"],
    },
}


def main(arguments: list[str]) -> int:
    stale = []
    for infrastructure in INFRASTRUCTURES:
        path, text = FOLDER / f"{infrastructure}.json", json.dumps(base(infrastructure), indent=2) + "\n"
        if arguments == ["--check"]:
            stale += [path.name] if not path.is_file() or path.read_text(encoding="utf-8") != text else []
        else:
            FOLDER.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if stale:
        sys.stderr.write(f"{', '.join(stale)} in deployments/templates: stale, run `make docs`\n")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
