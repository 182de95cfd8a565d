"""Upkeep of the lake: old snapshots expire, and files that no snapshot has are deleted."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from pyarrow import fs  # pyright: ignore[reportMissingTypeStubs]
from pyiceberg.io.pyarrow import PyArrowFileIO
from pyiceberg.manifest import ManifestFile
from pyiceberg.table import Table

from convo_pipelines.lake import store

KEPT = timedelta(hours=24)
"""How long readers may go on with a snapshot, and writers with files that they have not committed."""
MANY, SOON = 300, timedelta(hours=1)
"""Of more snapshots than these, only those of the last hour are kept: each commit takes longer the more there are."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kept:
    """What upkeep did to a table: the numbers of snapshots that expired, and of files that were deleted."""

    snapshots: int
    files: int


def clean(name: str) -> Kept:
    """Expire the snapshots of a table that are older than KEPT, and delete files of that age that no snapshot has."""
    with store.turn(name):
        return _clean(name, datetime.now(UTC) - KEPT, datetime.now(UTC) - KEPT)


def thin(table: Table) -> None:
    """Expire snapshots of a table that has many; their files stay until `clean`, so that who reads them goes on."""
    if len(table.metadata.snapshots) > MANY:
        _expire(table, datetime.now(UTC) - SOON)


def purge(name: str) -> Kept:
    """Delete at once all that the current snapshot of a table does not have: readers of older ones fail.

    With a REST catalog, files that a tick left when it died are deleted by `clean`: others may yet commit theirs.
    """
    with store.turn(name):
        now = datetime.now(UTC)
        _require_untagged(name)
        return _clean(name, now, now - KEPT if store.is_rest() else now)


def _require_untagged(name: str) -> None:
    """Check that no tag or branch keeps what a table had before.

    Raises:
        store.CatalogError: one does.

    """
    table = store.existing(name)
    if others := sorted(set(table.metadata.refs) - {"main"}) if table else []:
        raise store.CatalogError(
            f"lake/{name}: tags or branches keep what has to be deleted: {', '.join(others)}; remove them by "
            "`table.manage_snapshots()`, and run `convo-pipelines lake write --purge`"
        )


def _clean(name: str, expire_before: datetime, delete_before: datetime) -> Kept:
    table = store.of_ours(name)
    if table is None:
        return Kept(0, 0)
    had = set(_needed(table))
    expired = _expire(table, expire_before)
    table = table.refresh()
    needed = set(_needed(table))
    gone = [
        path
        for path, modified_at in _files(table)
        if path not in needed and (path in had or modified_at < delete_before)
    ]
    for path in gone:
        _filesystem(table).delete_file(path)
    _log.info("lake/%s: %d snapshots expired, %d files deleted", name, expired, len(gone))
    return Kept(expired, len(gone))


def _expire(table: Table, before: datetime) -> int:
    """Expire all snapshots before a time, but not those of branches and tags; return their number."""
    kept = {reference.snapshot_id for reference in table.metadata.refs.values()}
    milliseconds = int(before.timestamp() * 1000)
    old = [
        snapshot.snapshot_id
        for snapshot in table.metadata.snapshots
        if snapshot.timestamp_ms <= milliseconds and snapshot.snapshot_id not in kept
    ]
    if old:
        table.maintenance.expire_snapshots().by_ids(old).commit()
    return len(old)


def _needed(table: Table) -> Iterator[str]:
    """Yield the paths of the files of a table that its snapshots and its metadata need."""
    yield _path(table.metadata_location)
    for entry in table.metadata.metadata_log:
        yield _path(entry.metadata_file)
    for statistics in (*table.metadata.statistics, *table.metadata.partition_statistics):
        yield _path(statistics.statistics_path)
    manifests = dict[str, ManifestFile]()
    for snapshot in table.metadata.snapshots:
        yield _path(snapshot.manifest_list)
        manifests |= {manifest.manifest_path: manifest for manifest in snapshot.manifests(table.io)}
    for path, manifest in manifests.items():
        yield _path(path)
        for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
            yield _path(entry.data_file.file_path)


def _files(table: Table) -> Iterator[tuple[str, datetime]]:
    """Yield the files below a table's location: their path and when they were written."""
    found: Any = _filesystem(table).get_file_info(fs.FileSelector(_path(table.location()), recursive=True))
    for file in found:
        if file.type == fs.FileType.File:
            yield file.path, file.mtime.astimezone(UTC)


def _filesystem(table: Table) -> Any:
    scheme, netloc, _ = PyArrowFileIO.parse_location(table.location())
    return cast("Any", table.io).fs_by_scheme(scheme, netloc)


def _path(location: str) -> str:
    """Return a file's path in its file system."""
    return PyArrowFileIO.parse_location(location)[2]
