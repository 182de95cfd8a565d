"""The dashboard in docs/deploy: a Prometheus answers each of its queries."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from convo_pipelines_tests.process.test_webhook import Webhook, start
from convo_pipelines_tests.processes import DEPLOY, free_port
from convo_pipelines_tests.servers import require
from convo_pipelines_tests.world import World

__all__ = ["start"]
SCRAPES = """
global: {{scrape_interval: 1s}}
scrape_configs: [{{job_name: convo, static_configs: [{{targets: ["{target}"]}}]}}]
"""


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Starts a Prometheus that scrapes an address; returns its own."""
    require(shutil.which("prometheus"), "prometheus")
    running: list[subprocess.Popen[bytes]] = []

    def scrape(target: str) -> str:
        config, address = tmp_path / "prometheus.yml", f"127.0.0.1:{free_port()}"
        config.write_text(SCRAPES.format(target=target))
        command = ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'series'}"]
        with (tmp_path / "prometheus.log").open("w") as log:
            running.append(
                subprocess.Popen([*command, f"--web.listen-address={address}"], stdout=log, stderr=subprocess.STDOUT)
            )
        return f"http://{address}"

    yield scrape
    for process in running:
        process.kill()
        process.wait()


def answer(prometheus: str, query: str, log: Path) -> list[dict[str, Any]]:
    """What a query returns, as soon as it returns anything."""
    deadline = time.monotonic() + 120
    while True:
        try:
            response = httpx.get(f"{prometheus}/api/v1/query", params={"query": query}, timeout=60)
        except httpx.TransportError:
            found = None
        else:
            assert response.status_code != httpx.codes.BAD_REQUEST, response.text
            found = response.is_success and response.json()["data"]["result"]
        if found:
            return found
        assert time.monotonic() < deadline, f"{query}: nothing\n{log.read_text()}"
        time.sleep(0.5)


def test_a_prometheus_answers_every_query_of_the_dashboard(
    world: World,
    start: Callable[..., Webhook],
    prometheus: Callable[[str], str],
    tmp_path: Path,
    environment: Callable[..., object],
) -> None:
    environment(LOG_FORMAT="json")
    world.crew()
    world.say("s1")
    world.tick()
    world.sync()
    world.execute("update analytics.crew_discovery_state set consecutive_failures = 4")
    called = start(world.url)
    assert called.complete("s1").status_code == 200
    server = prometheus(called.url.removeprefix("http://"))
    panels = json.loads((DEPLOY / "grafana-dashboard.json").read_text())["panels"]
    asked = [(target["expr"], target.get("legendFormat", "")) for panel in panels for target in panel["targets"]]
    assert len(asked) > len(panels) > 10
    for query, legend in asked:
        series = answer(server, query.replace("$__rate_interval", "1m"), tmp_path / "prometheus.log")
        for label in re.findall(r"{{(\w+)}}", legend):
            assert all(label in found["metric"] for found in series), query
    called.stop()
    lines = [json.loads(line) for line in called.log.read_text().splitlines()]
    assert {"uvicorn.error", "convo_pipelines.serving.sessions"} <= {line["logger"] for line in lines}
