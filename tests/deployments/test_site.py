"""Site files: what they say, what they may leave out, and what is refused and how."""

from importlib.resources import files
from pathlib import Path

import pytest

from deployments.site import SiteError, read_site
from tests.deployments.sites import CONTAINERS, PLAIN, in_containers, site, written


def test_a_site_file_may_be_short(tmp_path: Path) -> None:
    found = site(tmp_path)
    assert found.infrastructure == "process" and found.store.runs == 2 and found.pools == ("cpu", "gpu")
    assert found.collections["sample"].profile == "embedded"


def test_relative_paths_count_from_the_site_file(tmp_path: Path) -> None:
    found = site(tmp_path / "somewhere")
    assert found.store.root == str(tmp_path / "somewhere" / "store")
    assert found.collections["sample"].corpus == str(tmp_path / "somewhere" / "corpus")
    assert found.collections["sample"].out == str(tmp_path / "somewhere" / "results")


def test_a_bucket_and_absolute_paths_stay_as_they_are(tmp_path: Path) -> None:
    found = in_containers(tmp_path, "docker")
    assert (found.store.root, found.collections["sample"].corpus) == ("s3://bucket/prefix", "/data/corpora/sample")


def test_settings_and_refit_reach_the_configuration(tmp_path: Path) -> None:
    found = site(tmp_path, PLAIN + 'settings = ["sharpen.reg=0.07"]\nrefit = "grown:20%"\n')
    config = found.config("sample")
    assert (config.sharpen.reg, config.refit, config.gpu_pool) == (0.07, "grown:20%", "gpu")


def test_without_gpus_there_is_no_gpu_pool(tmp_path: Path) -> None:
    found = site(tmp_path, "[gpu]\nworkers = 0\n" + PLAIN)
    assert found.pools == ("cpu",) and found.config("sample").gpu_pool == ""


def test_schedules_are_cron_lines_in_a_time_zone(tmp_path: Path) -> None:
    found = site(tmp_path, PLAIN + '[collections.sample.schedules]\nlanded = "*/30 * * * *"\ntimezone = "Europe/Madrid"\n')
    schedules = found.collections["sample"].schedules
    landed = schedules.cron("landed")
    assert landed is not None and (landed.cron, landed.timezone) == ("*/30 * * * *", "Europe/Madrid")
    assert schedules.cron("whole") is None


def test_the_example_is_a_site(tmp_path: Path) -> None:
    text = files("deployments").joinpath("site.example.toml").read_text(encoding="utf-8")
    found = site(tmp_path, text)
    assert list(found.collections) == ["sample"] and found.collections["sample"].schedules.landed
    assert found.config("sample").refit == "grown:20%"


@pytest.mark.parametrize("table", ["[docker]", "[kubernetes]"])
def test_what_the_example_leaves_out_could_be_switched_on(tmp_path: Path, table: str) -> None:
    lines = files("deployments").joinpath("site.example.toml").read_text(encoding="utf-8").splitlines()
    start = lines.index(f"# {table}")
    stop = next(number for number in range(start, len(lines)) if not lines[number])
    extra = "\n".join(line.removeprefix("# ") for line in lines[start:stop])
    assert site(tmp_path, f"{extra}\n{PLAIN}")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[store\n", "cannot be read"),
        (PLAIN.replace("corpus", "korpus", 1), "collections.sample: unknown setting korpus; the nearest known one is corpus"),
        ("[gpu]\nworker = 1\n" + PLAIN, "unknown setting gpu.worker; the nearest known one is gpu.workers"),
        (PLAIN + '[collections.sample.schedules]\nhole = "0 3 * * *"\n', "the nearest known one is schedules.whole"),
        (PLAIN + '[collections.sample.schedules]\nwhole = "0 3 * *"\n', 'Invalid cron string: "0 3 * *"'),
        (PLAIN + '[collections.sample.schedules]\nwhole = "0 3 * * *"\ntimezone = "Mars"\n', 'Invalid timezone: "Mars"'),
        (PLAIN.replace('targets = ["en"]', "targets = []"), "setting targets"),
        (PLAIN + 'settings = ["sharpen.rag=1"]\n', "unknown setting sharpen.rag; the nearest known one is sharpen.reg"),
        (PLAIN + 'refit = "monthly"\n', "setting refit"),
        (PLAIN + 'profile = "nobody"\n', "no profile 'nobody'"),
        ("[store]\nroot = 'store'\n", "setting collections"),
        ("[store]\nroot = 'store'\n[collections]\nsample = 1\n", "[collections.NAME]"),
        ("[gpu]\nworkers = 2\n" + PLAIN, "gpu.devices names 1 devices, and gpu.workers is 2"),
        (CONTAINERS.format(infrastructure="docker") + "[gpu]\nworkers = 2\ndevices = '0,1'\n", "gpu.workers is 1 at most with docker"),
        ("infrastructure = 'kubernetes'\n" + PLAIN, "paths are absolute with kubernetes"),
    ],
)
def test_a_bad_site_file_is_refused_with_its_name_and_the_rule(tmp_path: Path, text: str, told: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SiteError) as caught:
        read_site(path)
    assert str(path) in str(caught.value) and told in str(caught.value)


def test_a_site_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="No such file"):
        read_site(tmp_path / "site.toml")
