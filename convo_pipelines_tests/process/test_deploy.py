"""What stands in docs/deploy: the systemd units are valid, and what they start works."""

import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import dagster as dg
import httpx
import kubernetes_validate
import pytest
import yaml
from dagster_graphql import DagsterGraphQLClient, DagsterGraphQLClientError

from convo_pipelines_tests.conftest import Server
from convo_pipelines_tests.processes import DEPLOY, UNITS, Units, installed_here
from convo_pipelines_tests.servers import require
from convo_pipelines_tests.world import World

CELL_UNITS = sorted((DEPLOY / "cells").glob("*.service"))


def test_the_units_are_valid(tmp_path: Path) -> None:
    require(shutil.which("systemd-analyze"), "systemd")
    for unit in (*UNITS, *CELL_UNITS):
        (tmp_path / unit.name).write_text(installed_here(unit.read_text()))
    command = ["systemd-analyze", "verify", "--man=no", *sorted(map(str, tmp_path.iterdir()))]
    verified = subprocess.run(command, capture_output=True, text=True)
    complaints = [line for line in verified.stderr.splitlines() if "convo-pipelines" in line]
    assert (len(UNITS), len(CELL_UNITS), complaints) == (6, 2, [])


def test_kubernetes_takes_the_manifests() -> None:
    manifests = [*yaml.safe_load_all((DEPLOY / "kubernetes" / "cell.yaml").read_text())]
    assert [manifest["kind"] for manifest in manifests] == ["Deployment", "Deployment", "Service"]
    for manifest in manifests:
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_the_chart_limits_runs_as_the_instance_of_cells_does() -> None:
    values = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text())
    instance = yaml.safe_load((DEPLOY / "cells" / "dagster.yaml").read_text())
    assert values["additionalInstanceConfig"]["concurrency"] == instance["concurrency"]
    for cell in values["dagster-user-deployments"]["deployments"]:
        assert cell["env"] == [{"name": "CONVO_CELL", "value": cell["name"]}]
        assert cell["envSecrets"] == [{"name": cell["name"]}]


@pytest.mark.long(16)
def test_what_the_units_start_runs_jobs_and_writes_where_dagster_is_at_home(
    world: World, server: Server, tmp_path: Path
) -> None:
    with Units(tmp_path, world.url, server.create(), ENABLE_BACKGROUND_JOBS="false") as units:
        deadline = time.monotonic() + 180
        run_id = None
        while run_id is None:
            assert time.monotonic() < deadline, units.logs
            time.sleep(1)
            with suppress(DagsterGraphQLClientError, OSError):
                client = DagsterGraphQLClient("127.0.0.1", port_number=units.port)
                run_id = client.submit_job_execution("health")
        while (status := client.get_run_status(run_id)) is not dg.DagsterRunStatus.SUCCESS:
            assert time.monotonic() < deadline, units.logs
            assert status is not dg.DagsterRunStatus.FAILURE, units.logs
            time.sleep(1)
        assert httpx.get(f"http://127.0.0.1:{units.ports['8080']}/healthz").json() == {"status": "ok"}
        assert "convo_database_up 1.0" in httpx.get(f"http://127.0.0.1:{units.ports['9464']}/metrics").text
        assert httpx.get(f"http://127.0.0.1:{units.ports['9464']}/nothing").status_code == httpx.codes.NOT_FOUND
    assert (units.home / "storage" / run_id).is_dir()
    assert list(units.elsewhere.iterdir()) == []
