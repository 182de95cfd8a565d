"""No omission passes: the registry against the catalog, the dictionary and Dagster's definitions."""

import pytest

from convo_pipelines.database.declarations import personal_columns
from convo_pipelines.database.execution import fetch
from convo_pipelines.engine import ticks
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.model import reconcile
from convo_pipelines.model.tables import BOOKKEEPING, DERIVED_TABLES, HISTORIES_SESSIONS, TABLES
from convo_pipelines_tests.conftest import ROOT, both_servers
from convo_pipelines_tests.world import LOG, World, at

pytestmark = pytest.mark.fast
DICTIONARY = ROOT / "docs" / "reference" / "data-dictionary.md"
COLUMNS = """
select attname as name, atthasdef as has_default from pg_attribute
where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
"""
PARENTS = """
select a.attname as name, c.confrelid::regclass::text as parent from pg_constraint as c
join pg_attribute as a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
where c.contype = 'f' and c.conrelid = to_regclass(%s)
"""
KEYS = """
select array_agg(a.attname::text order by a.attname) as key from pg_index as i
join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
where i.indisunique and i.indpred is null and i.indrelid = to_regclass(%s) group by i.indexrelid
"""
DESCRIBED = r"""
select relname as name, obj_description(oid) as comment from pg_class
where relnamespace = 'analytics'::regnamespace and relkind in ('r', 'v') and relname not like 'schema\_migration%'
"""
UNINDEXED = """
select conrelid::regclass::text as table_name, attname from pg_constraint
join pg_attribute on attrelid = conrelid and attnum = conkey[1]
where contype = 'f' and connamespace = 'analytics'::regnamespace and not exists (
    select from pg_index where indrelid = conrelid and indkey[0] = conkey[1] and indpred is null
)
"""

each_table = pytest.mark.parametrize("table", DERIVED_TABLES, ids=lambda table: table.name)


@each_table
def test_a_target_is_what_the_catalog_says(world: World, table: DerivedTable) -> None:
    target = table.rows
    keys = [row["key"] for row in world.execute(KEYS, target.relation)]
    assert sorted(target.key) in keys
    if target.is_insert_only:
        return
    columns = {row["name"]: row["has_default"] for row in world.execute(COLUMNS, target.relation)}
    assert not any(columns[column] for column in target.key)
    assert target.updated_at_column is None or columns[target.updated_at_column]
    parents = {(row["name"], row["parent"]) for row in world.execute(PARENTS, target.relation)}
    assert {(column, f"app.{parent}") for column, parent in target.parents} == parents


UNCOMMENTED = r"""
select attrelid::regclass || '.' || attname as name from pg_attribute
join pg_class on pg_class.oid = attrelid
where relnamespace = 'analytics'::regnamespace and relkind = 'r' and relname not like 'schema\_migration%'
    and attnum > 0 and not attisdropped and col_description(attrelid, attnum) is null
"""


def test_every_column_has_a_comment(world: World) -> None:
    assert [row["name"] for row in world.execute(UNCOMMENTED)] == []


def test_every_table_is_registered_an_answer_or_internal(world: World) -> None:
    kept = {table.name for table in DERIVED_TABLES} | set(BOOKKEEPING)
    views = {row["viewname"] for row in world.execute("select viewname from pg_views where schemaname = 'analytics'")}
    unknown = [
        row["name"]
        for row in world.execute(DESCRIBED)
        if row["name"] not in kept | views and not row["comment"].endswith("Internal.")
    ]
    assert unknown == [], "neither in DERIVED_TABLES nor in BOOKKEEPING, nor does its comment end with Internal."


def test_whoever_deletes_in_app_finds_our_rows_by_an_index(world: World) -> None:
    assert world.execute(UNINDEXED) == []


@both_servers
def test_the_dictionary_is_what_the_catalog_says(world: World) -> None:
    with world.warehouse.connection() as connection:
        lines = [row["line"] for row in fetch(connection, "cli/data_dictionary")]
    assert DICTIONARY.read_text() == "\n".join(lines) + "\n", "run `make reference`"


WORDS = """
select attname as name from pg_attribute
left join pg_type as type on type.oid = atttypid
left join pg_type as element on element.oid = coalesce(nullif(type.typelem, 0), nullif(type.typbasetype, 0), type.oid)
where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
    and element.typcategory not in ('B', 'D', 'N', 'T') and element.oid <> 'uuid'::regtype
"""
"""Columns that can hold words: all but truth values, times, numbers and uuids, and arrays and domains of such."""
IMPERSONAL = {"added_by_is", "channel", "client_code", "crew_code", "crew_name", "kind", "method", "source", "status"}


def unknown_words(world: World, table: DerivedTable) -> set[str]:
    words = {row["name"] for row in world.execute(WORDS, table.rows.relation)}
    return words - personal_columns() - IMPERSONAL


@each_table
def test_every_text_is_known_to_be_personal_or_not(world: World, table: DerivedTable) -> None:
    unknown = unknown_words(world, table)
    assert not unknown, (
        'if they may say who somebody is, their comments end with "Personal data."; else IMPERSONAL above'
    )


@pytest.mark.parametrize("type_", ["text", "text[]", "varchar(9)[]", "jsonb", "json[]", "hers", "xml", "bytea", "name"])
def test_words_are_found_in_columns_of_any_type(world: World, type_: str) -> None:
    world.execute("create domain public.hers as text")
    world.execute(f"alter table analytics.conversation_summaries add column said {type_}, add column years int[]")
    assert unknown_words(world, TABLES["conversation_summaries"]) == {"said"}


def test_reconciles_size_is_the_number_of_keys_that_it_reports(full: World) -> None:
    full.message(full.conversation(), "inbound", at(2))
    full.person()
    full.contact("other@example.com")
    full.project()
    full.tick()
    full.sync()
    done = {table.name: list[int]() for table in DERIVED_TABLES}
    for table in DERIVED_TABLES:
        ticks.compare(full.warehouse, table, LOG, done[table.name].append)
    keys = {name: sum(reported) for name, reported in done.items() if name != HISTORIES_SESSIONS.name}
    assert all(keys.values()), "a table without keys here proves nothing"
    assert reconcile.size(full.warehouse) == sum(keys.values()), keys
