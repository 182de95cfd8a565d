"""How far a reader's watermark may move, given what other transactions may still write behind it.

A row gets its id and its times early, and is seen only when its transaction commits. What was seen at some moment
becomes the watermark once none of the transactions that were open at that moment is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from convo_pipelines.warehouse import Connection, fetch_one

Position = TypeVar("Position")


@dataclass(frozen=True)
class Candidate(Generic[Position]):
    """A watermark to be, and the transactions that were open when it was chosen."""

    position: Position
    transactions: Sequence[str]


@dataclass(frozen=True)
class OpenTransactions:
    """The transactions that may still write, as of one look."""

    ids: Sequence[str]
    is_one_prepared: bool

    def include(self, transactions: Sequence[str]) -> bool:
        """Whether any of `transactions` may still be open; a prepared one may be any of them."""
        return self.is_one_prepared or not set(self.ids).isdisjoint(transactions)


def look(connection: Connection, ignored: str | None = None) -> OpenTransactions:
    """Return the open transactions of this database, except those of sessions with the application name `ignored`."""
    return OpenTransactions(**fetch_one(connection, "transactions/open", ignored=ignored))


def settle(
    seen: Position, pending: Candidate[Position] | None, still_open: OpenTransactions
) -> tuple[Position | None, Candidate[Position] | None]:
    """Choose the watermark after what was `seen` just before the look at the open transactions.

    Returns:
        The position up to which nothing can appear any more, None if that is no further than before, and the
        candidate to ask about next time.

    """
    candidate = Candidate(seen, still_open.ids)
    if not still_open.ids and not still_open.is_one_prepared:
        return seen, None
    if pending is None:
        return None, candidate
    if still_open.include(pending.transactions):
        return None, pending
    return pending.position, candidate
