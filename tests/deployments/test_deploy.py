"""Deploying: what a server has of a site afterwards, and that doing it again changes nothing that people have changed."""

from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.flows import load_flow_from_entrypoint

from deployments.deploy import COLLECTION_FLOWS, GPU_FLOWS, Deployed, deploy, parameters
from deployments.site import Site
from flows.config import RunConfig


def test_a_collection_and_the_gpu_stages_are_deployed_on_their_pools(deployed: Deployed, client: SyncPrefectClient) -> None:
    of_collection = {f"{name}/sample" for name in ("spanferry", "spanferry-train", "spanferry-project", "spanferry-landed")}
    of_gpu = {f"{name}/gpu" for name in ("spanferry-embed", "spanferry-distill", "spanferry-align", "spanferry-encode", "spanferry-tune")}
    assert set(deployed.deployments) == of_collection | of_gpu
    for name in deployed.deployments:
        found = client.read_deployment_by_name(name)
        assert found.work_pool_name == ("gpu" if name in of_gpu else "cpu")
        assert found.enforce_parameter_schema and "spanferry" in found.tags


def test_a_worker_finds_each_flow_by_its_module(deployed: Deployed, client: SyncPrefectClient) -> None:
    flows: tuple[Flow[..., object], ...] = (*COLLECTION_FLOWS.values(), *GPU_FLOWS)
    for name, flow in zip(deployed.deployments, flows, strict=True):
        found = client.read_deployment_by_name(name)
        assert found.entrypoint and ":" not in found.entrypoint and not found.pull_steps
        assert load_flow_from_entrypoint(found.entrypoint).name == flow.name


def test_a_deployment_holds_the_whole_configuration_and_the_form_knows_its_fields(
    deployed: Deployed, deployed_site: Site, client: SyncPrefectClient
) -> None:
    found = client.read_deployment_by_name("spanferry/sample")
    assert RunConfig.model_validate(found.parameters["config"]) == deployed_site.config("sample")
    assert found.parameters["config"]["gpu_pool"] == "gpu" and found.parameters["config"]["refit"] == "never"
    assert found.parameters["store"] == deployed_site.store.root
    fields = found.parameter_openapi_schema["definitions"]["RunConfig"]["properties"]
    assert set(fields) == set(RunConfig.model_fields)


def test_only_what_a_flow_takes_is_given_to_it(deployed_site: Site) -> None:
    collection = deployed_site.collections["sample"].model_copy(update={"model": "run-1", "support": "/support"})
    pinned = deployed_site.model_copy(update={"collections": {"sample": collection}})
    assert "out" not in parameters(pinned, "sample", "train") and "model" not in parameters(pinned, "sample", "whole")
    assert parameters(pinned, "sample", "project")["model"] == "run-1"
    assert parameters(pinned, "sample", "whole")["support"] == "/support"


def test_schedules_are_set_and_go_away_with_the_line_in_the_file(
    deployed: Deployed, deployed_site: Site, client: SyncPrefectClient
) -> None:
    assert [str(one.schedule.cron) for one in client.read_deployment_by_name("spanferry/sample").schedules] == ["0 3 * * 0"]
    collection = deployed_site.collections["sample"]
    fewer = collection.schedules.model_copy(update={"whole": None})
    deploy(deployed_site.model_copy(update={"collections": {"sample": collection.model_copy(update={"schedules": fewer})}}))
    assert client.read_deployment_by_name("spanferry/sample").schedules == []
    deploy(deployed_site)
    assert len(client.read_deployment_by_name("spanferry/sample").schedules) == 1


def test_the_scheduler_makes_runs_of_a_schedule(deployed: Deployed, client: SyncPrefectClient) -> None:
    found = client.read_deployment_by_name("spanferry-landed/sample")
    client.request("POST", f"/deployments/{found.id}/schedule", json={"min_runs": 1})
    runs = client.read_flow_runs(flow_run_filter=FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[found.id])))
    assert runs and all(run.auto_scheduled and run.expected_start_time and run.expected_start_time.minute % 30 == 0 for run in runs)


def test_a_scan_waits_for_no_other_scan(deployed: Deployed, client: SyncPrefectClient) -> None:
    found = client.read_deployment_by_name("spanferry-landed/sample")
    assert found.global_concurrency_limit is not None and found.global_concurrency_limit.limit == 1
    assert found.concurrency_options is not None and found.concurrency_options.collision_strategy == "CANCEL_NEW"


def test_deploying_again_keeps_ids_and_what_somebody_has_paused(deployed: Deployed, deployed_site: Site, client: SyncPrefectClient) -> None:
    before = {name: client.read_deployment_by_name(name).id for name in deployed.deployments}
    client.pause_deployment(before["spanferry-landed/sample"])
    assert deploy(deployed_site) == deployed
    assert {name: client.read_deployment_by_name(name).id for name in deployed.deployments} == before
    assert client.read_deployment_by_name("spanferry-landed/sample").paused
    client.resume_deployment(before["spanferry-landed/sample"])
    deploy(deployed_site)
    assert not client.read_deployment_by_name("spanferry-landed/sample").paused


def test_what_was_deployed_is_told_in_names_only(deployed: Deployed) -> None:
    assert deployed.lines()[:2] == ["work pools: cpu, gpu", f"limit: {deployed.limit}"]
    assert "deployment: spanferry-landed/sample" in deployed.lines()
