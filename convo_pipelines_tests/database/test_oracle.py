"""The oracle compares what it says it does: whatever is damaged in any table, it notices."""

from collections.abc import Callable

import pytest
from psycopg import sql

from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.model.tables import DERIVED_TABLES, DISCOVERY
from convo_pipelines_tests import oracle
from convo_pipelines_tests.world import World

pytestmark = pytest.mark.fast

COLUMNS = """
select attname as name, atttypid::regtype::text as type from pg_attribute
where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped and not atthasdef
"""
CHECKS = "select conname as name from pg_constraint where contype = 'c' and conrelid = to_regclass(%s)"
UNIQUE = "select conname as name from pg_constraint where contype in ('p', 'u') and conrelid = to_regclass(%s)"
OTHERWISE = {
    "uuid": "gen_random_uuid()",
    "text": "coalesce({0}, '') || 'x'",
    "date": "{0} + 1",
    "boolean": "not {0}",
    "timestamp with time zone": "coalesce({0}, now()) + interval '1 second'",
}
"""Another value than that of a column, by type; of all others, one more."""


def assert_right(world: World) -> None:
    oracle.assert_right(world)
    oracle.assert_links_right(world)


def notices(world: World, table: DerivedTable, damage: Callable[[sql.Identifier], sql.Composable]) -> bool:
    """Whether the oracle names a table that is damaged in a way in which no statement of ours could damage it."""
    compare = oracle.assert_right if table in DISCOVERY else oracle.assert_links_right
    relation = sql.Identifier(*table.rows.relation.split("."))
    with world.connection.transaction(force_rollback=True):
        world.execute("set local session_replication_role = replica")  # no foreign keys
        for query in (CHECKS, UNIQUE):
            for constraint in world.execute(query, table.rows.relation):
                name = sql.Identifier(constraint["name"])
                world.connection.execute(sql.SQL("alter table {} drop constraint {} cascade").format(relation, name))
        world.connection.execute(damage(relation))
        try:
            compare(world)
        except AssertionError as error:
            return str(error).startswith(table.name)
    return False


@pytest.mark.parametrize("table", DERIVED_TABLES, ids=lambda table: table.name)
def test_a_row_that_is_missing_or_wrong_in_any_column_is_noticed(full: World, table: DerivedTable) -> None:
    one = sql.SQL("where ctid = (select min(ctid) from {})")
    if table.rows.is_insert_only:
        one = sql.SQL("where ctid = (select min(ctid) from {} where crew_id is not null)")
    assert notices(full, table, lambda relation: sql.SQL("delete from {} ").format(relation) + one.format(relation))
    columns, _ = oracle.RECOMPUTED[table.name]
    types = {row["name"]: row["type"] for row in full.execute(COLUMNS, table.rows.relation)}
    unnoticed = []
    for column in columns:
        other = sql.SQL(OTHERWISE.get(types[column], "coalesce({0}, 0) + 1")).format(sql.Identifier(column))
        change = sql.SQL("update {} set {} = {} ")
        if not notices(
            full,
            table,
            lambda relation, column=column, other=other, change=change: (
                change.format(relation, sql.Identifier(column), other) + one.format(relation)
            ),
        ):
            unnoticed.append(column)
    assert unnoticed == []


@pytest.mark.parametrize("table", DERIVED_TABLES, ids=lambda table: table.name)
def test_every_column_is_recomputed_or_said_not_to_be(world: World, table: DerivedTable) -> None:
    columns, _ = oracle.RECOMPUTED[table.name]
    left_out = oracle.NOT_RECOMPUTED.get(table.name, set())
    if table.rows.is_insert_only:  # most columns of the application's rows are its own
        return
    there = {row["name"] for row in world.execute(COLUMNS, table.rows.relation)}
    assert {*columns, *left_out} == there


def test_a_table_without_an_entry_is_noticed(full: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(oracle.RECOMPUTED, "client_activity_daily")
    with pytest.raises(KeyError, match="client_activity_daily"):
        oracle.assert_right(full)


def test_an_entry_that_is_wrong_is_noticed(full: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, (columns, _) in list(oracle.RECOMPUTED.items()):
        wrong = (columns, lambda _, columns=columns: {tuple("wrong" for _ in columns)})
        with monkeypatch.context() as patched:
            patched.setitem(oracle.RECOMPUTED, name, wrong)
            with pytest.raises(AssertionError, match=f"^{name}"):
                assert_right(full)
