"""No omission passes: the registry against the catalog, the dictionary and Dagster's definitions."""

import pytest

from convo_pipelines.database.warehouse import fetch
from convo_pipelines.engine.registry import (
    BOOKKEEPING,
    DERIVED_TABLES,
    DerivedTable,
)
from convo_pipelines.orchestration import metadata
from convo_pipelines_tests.conftest import ROOT, both_servers
from convo_pipelines_tests.world import World

DICTIONARY = ROOT / "docs" / "data-dictionary.md"
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
DESCRIBED = """
select relname as name, obj_description(oid) as comment from pg_class
where relnamespace = 'analytics'::regnamespace and relkind in ('r', 'v') and relname <> 'schema_migrations'
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
    written = {*target.key, *target.values}
    assert {name for name, has_default in columns.items() if not has_default} == written
    assert target.touched is None or columns[target.touched]
    parents = {(row["name"], row["parent"]) for row in world.execute(PARENTS, target.relation)}
    assert {(column, f"app.{parent}") for column, parent in target.parents} == parents


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


TEXTS = """
select attname as name from pg_attribute
where attrelid = to_regclass(%s) and attnum > 0 and atttypid in ('text'::regtype, 'varchar'::regtype)
"""
IMPERSONAL = {"channel", "client_code", "crew_code", "crew_name", "kind", "method", "source", "status"}


@each_table
def test_every_text_is_known_to_be_personal_or_not(world: World, table: DerivedTable) -> None:
    target = table.rows
    texts = {row["name"] for row in world.execute(TEXTS, target.relation)}
    unknown = texts - metadata.PERSONAL_COLUMNS - IMPERSONAL
    assert not unknown, "metadata.PERSONAL_COLUMNS if they may say who somebody is, else IMPERSONAL above"
