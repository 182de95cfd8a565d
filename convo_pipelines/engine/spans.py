"""Everything, or a window, as spans that several workers refresh at the same time.

Where each key is a row of one table, a span is a number of blocks of it: rows that were written together are read
together. Otherwise it is a number of keys in their order.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg import sql

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import Identifiers, fetch, fetch_one, identifier
from convo_pipelines.database.statements import fragment
from convo_pipelines.engine.keys import Chosen, ChunksOf, choose_keys, count_keys, every_nth_key
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.engine.scopes import EVERYTHING, Changes, Scope, Selection, Window
from convo_pipelines.settings import settings

SPANS = 8
"""So many spans for each worker, so that all have work until the end."""
SPAN_KEYS = 20_000
"""A span has at least so many keys."""
LARGE_PART = 4
"""If more than one in so many of all keys changed, everything is read: each chunk of changes reads all of the log."""


@dataclass(frozen=True)
class Keys:
    """The keys of a scope after one, up to another; None: from the first, to the last."""

    after: Row | None = None
    until: Row | None = None
    scope: Scope = EVERYTHING
    selection: Selection | None = None
    unread_since: str | None = None

    @property
    def start(self) -> Row | None:
        """Where its first chunk begins."""
        return self.after

    def choose(self, connection: Connection, table: DerivedTable, after: Row | None, rows: int) -> Chosen[Row]:
        """Choose the keys of a chunk, about so many."""
        since, until = self.unread_since, self.until
        return choose_keys(connection, table, self.scope, self.selection, after, rows, until=until, unread_since=since)


@dataclass(frozen=True)
class Block:
    """A position in a relation: a block, or after a key of it, in the order of keys."""

    number: int
    key: UUID | None = None


@dataclass(frozen=True)
class Blocks:
    """The keys of a half-open range of blocks, with about so many keys in each."""

    first: int
    end: int
    keys: int

    @property
    def start(self) -> Block:
        """Where its first chunk begins."""
        return Block(self.first)

    def choose(self, connection: Connection, table: DerivedTable, after: Block | None, rows: int) -> Chosen[Block]:
        """Choose the keys of a chunk: whole blocks, or, of fewer keys than a block has, those after a position."""
        at = after or self.start
        is_split = at.key is not None or rows < self.keys
        following = at.number + 1 if is_split else min(at.number + rows // self.keys, self.end)
        [key] = table.grain.order
        chosen = choose_keys(
            connection,
            table,
            EVERYTHING,
            None,
            {key: at.key} if at.key else None,
            rows if is_split else None,
            query=fragment("engine/spans/blocks").format(**_source(table)),
            first=f"({at.number},0)",
            end=f"({following},0)",
        )
        if chosen.next:
            return Chosen(chosen.keys, Block(at.number, chosen.next[key]))
        return Chosen(chosen.keys, Block(following) if following < self.end else None)


@dataclass(frozen=True)
class Gone:
    """The keys of rows that have none in the source any more."""

    start: Row | None = None

    def choose(self, connection: Connection, table: DerivedTable, after: Row | None, rows: int) -> Chosen[Row]:
        """Choose the keys of a chunk."""
        [(_, keyed)] = table.grain.keyed_by
        names = {**_source(table), "target": identifier(table.target), "keyed": sql.Identifier(keyed)}
        query = fragment("engine/spans/gone").format(**names)
        return choose_keys(connection, table, EVERYTHING, None, after, rows, query=query)


Span = ChunksOf[Any]
BY_KEY = Keys()
"""All keys in their order."""


def spans_of(connection: Connection, table: DerivedTable) -> list[list[Span]]:
    """Return lists of spans that contain every key of a table; those of a list may be refreshed at the same time."""
    most = settings().refresh_workers * SPANS
    if len(table.grain.order) == 1 and table.grain.source:
        relation, _ = table.grain.source
        schema, _, name = relation.partition(".")
        of_app = name if schema == "app" else None
        for size in fetch(connection, "engine/spans/relation", relation=relation, table_name=of_app):
            blocks = max(-(-size["blocks"] // most), SPAN_KEYS // size["keys"], 1)
            starts = range(0, size["blocks"], blocks)
            spans: list[Span] = [Blocks(first, min(first + blocks, size["blocks"]), size["keys"]) for first in starts]
            return [spans, [Gone()]]
    elif parts := table.own("spans"):
        return [_of_parts(fetch(connection, parts), most)]
    return [[BY_KEY]]


def spans_of_window(
    connection: Connection, table: DerivedTable, window: Window, selection: Selection | None = None
) -> list[Span]:
    """Return spans that contain every key of a window."""
    spans: list[Span] = []
    after: Row | None = None
    for key in every_nth_key(connection, table, window, selection, SPAN_KEYS):
        spans.append(Keys(after, key, window, selection))
        after = key
    return [*spans, Keys(after, None, window, selection)]


def is_large_part(connection: Connection, table: DerivedTable, changes: Changes) -> bool:
    """Return whether many keys changed, and they are a large part of all."""
    changed = count_keys(connection, table, changes)
    return changed > SPAN_KEYS and count_keys(connection, table, rows=LARGE_PART * changed) < LARGE_PART * changed


def file_of(connection: Connection, table: DerivedTable) -> int | None:
    """Return what identifies the file of the relation whose blocks are read; None if there is no such relation."""
    if not table.grain.source:
        return None
    return fetch_one(connection, "engine/spans/file", relation=table.grain.source[0])["file"]


def known_size(stages: Sequence[Sequence[Span]]) -> int:
    """Return about how many keys spans of blocks have."""
    blocks = [span for spans in stages for span in spans if isinstance(span, Blocks)]
    return sum((span.end - span.first) * span.keys for span in blocks)


def _of_parts(parts: list[Row], most: int) -> list[Span]:
    """Return spans of one or several parts, each of which is named by its last key."""
    smallest = max(sum(part["keys"] for part in parts) // most, SPAN_KEYS)
    spans: list[Span] = []
    after: Row | None = None
    keys = 0
    for part in parts:
        keys += part.pop("keys")
        if keys >= smallest:
            spans.append(Keys(after, part))
            after, keys = part, 0
    return [*spans, Keys(after)]


def _source(table: DerivedTable) -> Identifiers:
    [(relation, [column])] = [table.grain.source] if table.grain.source else []
    [key] = table.grain.order
    return {"relation": identifier(relation), "column": sql.Identifier(column), "key": sql.Identifier(key)}
