"""SELECTs as users write them: whatever changes in what they read, after a tick each table is what its SELECT says."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg import sql
from psycopg.types.json import Jsonb

from convo_pipelines.authoring import application
from convo_pipelines.authoring.declaration import RowsError
from convo_pipelines.engine import chunks
from convo_pipelines.settings import Settings
from convo_pipelines_tests.own_tables import OwnTables
from convo_pipelines_tests.world import DAY, World

EXAMPLES = int(os.environ.get("OWN_SELECTS_EXAMPLES", "3"))
STEPS = int(os.environ.get("OWN_SELECTS_STEPS", "6"))
REFUSED = "-- refused: "


def _selects() -> dict[str, str]:
    text = (Path(__file__).parent / "own_selects.sql").read_text()
    blocks = (block.partition("\n") for block in text.split("-- name: ")[1:])
    return {name: select for name, _, select in blocks}


SELECTS = _selects()
SCHEMA = SELECTS.pop("schema")
REASONS = {
    name: select.partition("\n")[0].removeprefix(REFUSED)
    for name, select in SELECTS.items()
    if select.startswith(REFUSED)
}
KEPT = [name for name in SELECTS if name not in REASONS]


def values(*of: object) -> Callable[[int], object]:
    """Values of a column, which numbers choose."""
    return lambda number: of[number % len(of)]


def ids(of: int, *, may_be_null: bool = False) -> Callable[[int], object]:
    return values(*[UUID(int=number) for number in range(1, of + 1)], *[None] * may_be_null)


times = values(*[DAY + timedelta(hours=hours) for hours in (0, 1, 2, 30, 24 * 8, 24 * 40)])
COLUMNS: dict[str, dict[str, Callable[[int], object]]] = {
    "app.clients": {"id": ids(3), "client_code": values("C1", "C2", "C3"), "name": values("x"), "is_active": bool},
    "app.crews": {
        "id": ids(2), "client_id": ids(3), "crew_code": values("A", "B"), "name": values("a", "b"),
        "histories_table_name": values("histories_a"),
    },
    "app.people": {"id": ids(4), "client_id": ids(3), "name": values("x"), "email": values("a@b.c", "D@b.c ", None)},
    "app.contact_methods": {
        "id": ids(4), "person_id": ids(4, may_be_null=True), "kind": values("email"),
        "value": values("a@b.c", "d@b.c", "e@b.c"),
    },
    "app.conversations": {
        "id": ids(5), "client_id": ids(3, may_be_null=True), "channel": values("email", "chat", "whatsapp", "linkedin"),
        "crew_id": ids(2, may_be_null=True), "session_id": values("s1", "s2", None), "subject": values("x", None),
        "started_at": times,
    },
    "app.messages": {
        "id": ids(9), "conversation_id": ids(5), "direction": values("inbound", "outbound"), "sent_at": times,
    },
    "app.message_recipients": {
        "id": ids(9), "message_id": ids(9), "contact_method_id": ids(4), "role": values("from", "to"),
    },
    "app.reply_targets": {"client_id": ids(3), "minutes": values(30, 60, 1500)},
    "app.satisfaction": {
        "id": values(1, 2, 3, 4, 5), "conversation_id": ids(5, may_be_null=True), "score": values(1.5, 5, 9, None),
        "remark": values("good", "bad", "", None), "given_at": times,
    },
    "app.histories_a": {
        "session_id": values("s1", "s2"), "message": values(Jsonb({"type": "human"}), Jsonb({"type": "ai"})),
        "created_at": times,
    },
    "crm.accounts": {
        "client_id": ids(3), "region": values("north", "south", None), "seats": values(1, 2, 3, None),
        "parent_id": ids(3, may_be_null=True),
    },
    "crm.deals": {
        "id": values(1, 2, 3, 4), "client_id": ids(3, may_be_null=True), "owner": values("ana", "Ben", "{50%}", None),
        "stage": values("lead", "offer", "won"), "amount": values(5, 100, 2000.5, 0, None),
        "opened_on": values(date(2026, 3, 10), date(2026, 3, 11), None), "tags": values([], ["a"], ["a", "b"]),
        "details": values(Jsonb({}), Jsonb({"source": "web", "rival": 1}), Jsonb({"source": "fair"}), None),
    },
    "crm.deal_conversations": {
        "deal_id": values(1, 2, 3, 4), "conversation_id": ids(5), "role": values("main", "other", None),
    },
}  # fmt: skip
numbers = st.integers(0, 59)
tables = st.sampled_from(list(COLUMNS))
changes = st.one_of(
    st.tuples(st.just("insert"), tables, st.lists(numbers, min_size=8, max_size=8)),
    st.tuples(st.just("update"), tables, st.lists(numbers, min_size=3, max_size=3)),
    st.tuples(st.just("delete"), tables, st.lists(numbers, min_size=1, max_size=1)),
    st.tuples(st.just("renew"), tables, st.lists(numbers, min_size=9, max_size=9)),
)
rare = st.tuples(st.just("truncate"), tables, st.just([]))
transactions = st.lists(st.one_of(changes, changes, changes, changes, changes, rare), min_size=1, max_size=8)
histories = st.lists(st.tuples(transactions, st.booleans()), min_size=STEPS, max_size=STEPS)


ONE = sql.SQL(
    "ctid = (select ctid from {table} order by ctid limit 1 offset %s %% greatest(1, (select count(*) from {table})))"
)


def change(world: World, kind: str, table: str, said: list[int]) -> None:
    """Insert, update or delete a row; `renew` deletes one and inserts another."""
    relation, columns = sql.Identifier(*table.split(".")), COLUMNS[table]
    one = ONE.format(table=relation)
    if kind == "truncate":
        world.connection.execute(sql.SQL("truncate {} cascade").format(relation))
    if kind in ("delete", "renew"):
        world.connection.execute(sql.SQL("delete from {} where {}").format(relation, one), [said[0]])
    if kind == "update":
        column = list(columns)[said[1] % len(columns)]
        query = sql.SQL("update {} set {} = %s where {}").format(relation, sql.Identifier(column), one)
        world.connection.execute(query, [columns[column](said[2]), said[0]])
    if kind in ("insert", "renew"):
        row = {name: of(number) for (name, of), number in zip(columns.items(), said[-8:], strict=False)}
        query = sql.SQL("insert into {} ({}) values ({})").format(
            relation,
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(sql.Placeholder() * len(row)),
        )
        world.connection.execute(query, list(row.values()))


def fill(world: World) -> None:
    """Write a row for each number of each table, as far as they may be."""
    for table in COLUMNS:
        for number in range(9):
            with suppress(psycopg.Error):
                change(world, "insert", table, [number + place * number // 3 for place in range(8)])


@pytest.fixture
def own(
    world: World, tmp_path: Path, environment: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> Iterator[OwnTables]:
    folder = tmp_path / "own_selects"
    folder.mkdir()
    environment(CONVO_TABLES=str(folder))
    application.forget()
    world.crew()
    world.execute(SCHEMA)
    yield OwnTables(world, folder)
    environment()
    application.forget()


def test_whatever_changes_each_table_is_what_its_select_says(own: OwnTables, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEPT:
        own.write(name, SELECTS[name])
    own.apply()
    world = own.world

    @hypothesis_settings(max_examples=EXAMPLES, phases=[Phase.explicit, Phase.reuse, Phase.generate])
    @given(histories)
    def follow(history: list[tuple[list[tuple[str, str, list[int]]], bool]]) -> None:
        for table in COLUMNS:
            change(world, "truncate", table, [])
        fill(world)
        for transaction, is_in_chunks in history:
            with world.connection.transaction():
                for kind, table, said in transaction:
                    with suppress(psycopg.Error), world.connection.transaction():
                        change(world, kind, table, said)
            with monkeypatch.context() as patch:
                if is_in_chunks:
                    patch.setattr(chunks, "FEW_KEYS", -1)
                own.tick()
            own.assert_right()
        for name in KEPT:
            assert own.compare(name).outcome.counts.changed == 0, name

    follow()


@pytest.mark.parametrize("name", REASONS)
def test_what_cannot_be_kept_exact_is_refused(own: OwnTables, name: str) -> None:
    own.write(name, SELECTS[name].partition("\n")[2])
    with pytest.raises(RowsError, match=REASONS[name]):
        own.plan(name)
