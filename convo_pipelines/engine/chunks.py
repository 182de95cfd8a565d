"""A scope, chunk by chunk: each in a transaction of its own, by one of the two executors."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import psycopg

from convo_pipelines.database.connections import Connection
from convo_pipelines.database.execution import error_message
from convo_pipelines.database.locks import TableLockedError
from convo_pipelines.database.statements import own_folders
from convo_pipelines.database.transactions import PASSING_ERRORS, refreshing, refreshing_few
from convo_pipelines.engine import change_log
from convo_pipelines.engine.change_log import Watermark
from convo_pipelines.engine.chunk_size import ChunkSize, TooSlowError
from convo_pipelines.engine.executors import Arrays, Executor, TemporaryTables, UnsettledError, outcomes
from convo_pipelines.engine.hooks import hooks_of
from convo_pipelines.engine.keys import FEW_KEYS, ChunksOf, FewKeys, P, few_keys
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.engine.scopes import Asked, Changes, Selection
from convo_pipelines.engine.work import Outcome, Work
from convo_pipelines.errors import ConvoPipelinesError

FEW_SECONDS = 1.0
"""How long a statement on few keys may take."""

_log = logging.getLogger(__name__)


class KeyOfSeveralRowsError(ConvoPipelinesError):
    """Several rows of a source have the same key, as those of a view may have."""

    def __init__(self, table: DerivedTable, error: psycopg.Error):
        """Name the table that is refreshed."""
        if folder := own_folders().get(table.name):
            said = f"see {folder / 'rows.sql'}"
        else:
            said = (
                f"rows of app.{', app.'.join(table.sources)} have the same key; "
                "`convo-pipelines adopt --check FILE` counts them"
            )
        super().__init__(f"{table.name}: {error_message(error)}: {said}")


def chunks(
    connection: Connection, work: Work, span: ChunksOf[P], size: ChunkSize
) -> Iterator[tuple[list[Outcome], P | None]]:
    """Refresh chunk by chunk; yield the outcome of each part, and where the next chunk begins, None after the last.

    Args:
        connection: outside of a transaction.
        work: the parameters of the refresh.
        span: chooses the keys of each chunk.
        size: of the first chunk.

    Raises:
        TableLockedError: a whole table was locked at several attempts.

    """
    following = span.start
    is_done = False
    while not is_done:
        try:
            outcomes, reached = chunk(connection, work, span, size, following)
        except (*PASSING_ERRORS, TooSlowError, TableLockedError) as error:
            size.back_off(error)
            continue
        except psycopg.errors.CardinalityViolation as error:
            raise KeyOfSeveralRowsError(work.table, error) from None
        yield outcomes, reached
        following, is_done = reached, reached is None
        size.grow()


def chunk(
    connection: Connection, work: Work, span: ChunksOf[P], size: ChunkSize, after: P | None = None
) -> tuple[list[Outcome], P | None]:
    """Refresh one chunk, in one transaction; return the outcome of each part, and where the next chunk begins."""
    with refreshing(connection, work.locks, work.reads, work.seconds_left, is_shared=work.is_shared):
        change_log.require_definition(work.table, change_log.definition(connection, work.table))
        with size.choose():
            chosen = span.choose(connection, work.table, after, size.rows)
        with size.refresh():
            done = _refresh(connection, work, TemporaryTables(chosen, size) if chosen.keys else None)
    return done, chosen.next


def _refresh(connection: Connection, work: Work, executor: Executor | None) -> list[Outcome]:
    """Refresh what an executor has been given, if anything, and renew the lease."""
    done = executor.refresh(connection, work) if executor else outcomes(work, {}, [], 0)
    if work.lease:
        work.lease.renew(connection)
    return done


@dataclass(frozen=True)
class AtOnce:
    """What one statement did: the outcome of each part; what it read in the log, and the watermark, if it moved."""

    outcomes: list[Outcome]
    operations: frozenset[str]
    reached: Watermark | None


def at_once(
    connection: Connection,
    work: Work,
    scope: Changes | Asked,
    selection: Selection | None = None,
    since: Watermark | None = None,
    **more: object,
) -> AtOnce | None:
    """Refresh a scope of a few keys by one statement, in one transaction.

    Args:
        connection: outside of a transaction.
        work: the parameters of the refresh.
        scope: the changes, or what a caller names.
        selection: narrows the keys.
        since: the watermark of the table, which moves unless narrowed; None: it stays.
        more: further parameters of the statement that finds the keys.

    Returns:
        None, if nothing was done: there are more keys, everything has to be read, another run has moved the watermark,
        or the statement failed. Chunks do what it cannot do, or fail with a message that says why.

    """
    if not hooks_of(work.table).may_insert:
        return None
    started = time.monotonic()
    seconds = min(FEW_SECONDS, work.seconds_left)
    done: AtOnce | None = None
    try:
        with refreshing_few(connection, work.locks, seconds):
            few = few_keys(connection, work.table, scope, selection, **more)
            change_log.require_definition(work.table, few.news["definition"])
            if few.keys <= FEW_KEYS:
                done = _all_at_once(connection, work, few, since, is_narrowed=selection is not None)
            if done is None:
                raise psycopg.Rollback
    except (psycopg.Error, UnsettledError) as error:
        is_cancelled = isinstance(error, psycopg.errors.QueryCanceled) and time.monotonic() - started < seconds
        if connection.closed or is_cancelled:  # by an operator: the message of a timeout may be in any language
            raise
        _log.info("%s is refreshed in chunks: %s", work.table.name, error_message(error))
        return None
    return done


def _all_at_once(
    connection: Connection, work: Work, few: FewKeys, since: Watermark | None, *, is_narrowed: bool
) -> AtOnce | None:
    """Refresh a few keys, and move the watermark unless narrowed; return None if that has to be undone."""
    work = replace(work, written_at=few.news["written_at"])
    done = _refresh(connection, work, Arrays(few) if few.keys else None)
    if since is None:
        return AtOnce(done, frozenset(), None)
    at = change_log.position(work.table, since, few.news)
    reached = None if at.is_everything or is_narrowed else change_log.store(connection, at)
    is_right = not at.is_everything and (is_narrowed or reached)
    return AtOnce(done, at.operations, reached) if is_right else None
