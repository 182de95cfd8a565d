"""The cell that this code location is (CONVO_CELL): the prefix of its asset keys, and the tags of its runs."""

import os
import socket

import dagster as dg

from convo_pipelines.settings import settings

CELL_TAG = "convo_pipelines/cell"
PROCESS_TAG = "convo_pipelines/process"


def key(name: str) -> dg.AssetKey:
    """Return the key of an asset of this cell, such as `app/conversations`."""
    return dg.AssetKey([*_prefix(), *name.split("/")])


def name_of(asset: dg.AssetKey) -> str:
    """Return the name of an asset of this cell, without the cell."""
    return "/".join(asset.path[len(_prefix()) :])


def is_ours(asset: dg.AssetKey) -> bool:
    """Whether an asset is one of this cell; without a cell, every asset is."""
    return asset.path[: len(_prefix())] == _prefix()


def qualified(name: str) -> str:
    """Return the name of what each cell has one of, such as a tick: after the cell's name."""
    return "/".join([*_prefix(), name])


def tags() -> dict[str, str]:
    """Return the tags of the cell's runs."""
    cell = settings().convo_cell
    return {CELL_TAG: cell} if cell else {}


def process_tags() -> dict[str, str]:
    """Return the tags that identify this process, for runs that it executes itself."""
    return {PROCESS_TAG: f"{socket.gethostname()}:{os.getpid()}", **tags()}


def has_run(run: dg.DagsterRun) -> bool:
    """Whether a run is one of this cell: by the tag of its jobs; of materializations by clicks, by their assets."""
    if CELL_TAG in run.tags or not settings().convo_cell:
        return run.tags.get(CELL_TAG) == settings().convo_cell
    checks = {check.asset_key for check in run.asset_check_selection or ()}
    selected = checks | {*(run.asset_selection or ())}
    return bool(selected) and all(map(is_ours, selected))


def pool() -> str | None:
    """Return the pool of the cell's assets, by which Dagster limits the runs of each cell; None without a cell."""
    return settings().convo_cell


def _prefix() -> list[str]:
    cell = settings().convo_cell
    return [cell] if cell else []
