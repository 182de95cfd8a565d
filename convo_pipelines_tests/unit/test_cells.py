"""A code location that is a cell: its keys, tags, logs, metrics and messages."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable

import dagster as dg
import pytest
from dagster import AssetKey
from prometheus_client import CollectorRegistry, Gauge

from convo_pipelines import logs
from convo_pipelines.operations import alerts
from convo_pipelines.orchestration import cells
from convo_pipelines.serving.metrics import metrics_route

DEFINITIONS = """
import json
from convo_pipelines.definitions import defs
jobs = [defs.resolve_job_def(name) for name in ("conversation_discovery", "link_sync", "reconcile", "health")]
graph = defs.resolve_asset_graph()
print(json.dumps({
    "assets": sorted(key.to_user_string() for key in graph.get_all_asset_keys()),
    "materializable": sorted(key.to_user_string() for key in graph.materializable_asset_keys),
    "checks": sorted(check.asset_key.to_user_string() for check in graph.asset_check_keys),
    "pools": [*{str(graph.get(key).pools) for key in graph.materializable_asset_keys}],
    "tags": [job.tags.get("convo_pipelines/cell") for job in jobs],
}))
"""


def definitions(**environment: str) -> dict[str, list[str]]:
    """The names that a process with these variables defines."""
    done = subprocess.run(
        [sys.executable, "-c", DEFINITIONS], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_a_cells_names_differ_from_those_without_a_cell_by_its_name_only() -> None:
    plain, cell = definitions(), definitions(CONVO_CELL="eu1")
    assert cell["assets"] == [f"eu1/{name}" for name in plain["assets"]]
    assert cell["checks"] == [f"eu1/{name}" for name in plain["checks"]]
    assert (plain["tags"], cell["tags"]) == ([None] * 4, ["eu1"] * 4)
    assert (plain["pools"], cell["pools"]) == (["set()"], ["{'eu1'}"])


def test_a_cell_writes_into_tables_of_the_lake_that_no_cell_owns() -> None:
    cell = definitions(CONVO_CELL="eu1", LAKE_URI="file:///tmp/lake")
    assert {"eu1/lake/conversation_summaries", "lake/conversation_summaries"} <= {*cell["assets"]}
    assert not [name for name in cell["materializable"] if not name.startswith("eu1/")]


def run(*selected: str, cell: str | None = None) -> dg.DagsterRun:
    return dg.DagsterRun(
        "job",
        tags={cells.CELL_TAG: cell} if cell else {},
        asset_selection=frozenset(map(AssetKey.from_user_string, selected)),
    )


@pytest.mark.parametrize(
    ("found", "is_ours"),
    [
        (run(cell="eu1"), True),
        (run(cell="eu2"), False),
        (run("eu1/people_conversations"), True),
        (run("eu2/people_conversations"), False),
        (run("eu1/people_conversations", "shared"), False),
        (run(), False),
    ],
)
def test_a_cell_knows_its_runs(environment: Callable[..., object], found: dg.DagsterRun, is_ours: bool) -> None:
    environment(CONVO_CELL="eu1")
    assert cells.has_run(found) is is_ours


def test_without_a_cell_runs_of_cells_are_others(environment: Callable[..., object]) -> None:
    environment()
    assert cells.has_run(run("people_conversations"))
    assert not cells.has_run(run(cell="eu1"))


def test_logs_metrics_and_alerts_name_the_cell(environment: Callable[..., object]) -> None:
    environment(CONVO_CELL="eu1", LOG_FORMAT="json")
    record = logging.LogRecord("convo_pipelines", logging.INFO, "", 1, "done", None, None)
    assert json.loads(logs.Formatter().format(record))["cell"] == "eu1"
    registry = CollectorRegistry()
    Gauge("convo_rows", "Rows.", ["table"], registry=registry).labels("messages").set(3)
    page = metrics_route(registry).endpoint(None).body
    assert b'convo_rows{cell="eu1",table="messages"} 3.0' in page
    due = {"kind": "a run failed", "subject": "link_sync", "ended_at": None, "notified_at": None}
    assert alerts._title([due]) == "convo_pipelines eu1: 1 new: a run failed: link_sync"
