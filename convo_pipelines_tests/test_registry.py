"""No omission passes: the registry against the catalog, the dictionary and Dagster's definitions."""

from collections import defaultdict
from pathlib import Path

import dagster as dg
import pytest

from convo_pipelines import metadata
from convo_pipelines.definitions import defs
from convo_pipelines.registry import BOOKKEEPING, DERIVED_TABLES, DerivedTable
from convo_pipelines.statements import exists
from convo_pipelines.warehouse import fetch
from convo_pipelines_tests.conftest import both_servers
from convo_pipelines_tests.world import World

DICTIONARY = Path(__file__).parent.parent / "docs" / "data-dictionary.md"
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

each_table = pytest.mark.parametrize("table", DERIVED_TABLES, ids=lambda table: table.name)


@each_table
def test_a_target_is_what_the_catalog_says(world: World, table: DerivedTable) -> None:
    for target in table.targets:
        keys = [row["key"] for row in world.execute(KEYS, target.relation)]
        assert sorted(target.key) in keys
        if target.is_insert_only:
            continue
        columns = {row["name"]: row["has_default"] for row in world.execute(COLUMNS, target.relation)}
        written = {*target.key, *target.values}
        assert {name for name, has_default in columns.items() if not has_default} == written
        assert target.touched is None or columns[target.touched]
        parents = {(row["name"], row["parent"]) for row in world.execute(PARENTS, target.relation)}
        assert {(column, f"app.{parent}") for column, parent in target.parents} == parents


@each_table
def test_a_table_has_its_statements(table: DerivedTable) -> None:
    assert exists(f"keys/{table.name}")
    assert exists(f"keys/{table.all_keys}")
    assert exists(f"refresh/{table.name}")
    assert all(target.again is None or exists(f"again/{target.again[0]}") for target in table.targets)


def test_every_table_is_registered_an_answer_or_internal(world: World) -> None:
    kept = {target.name for table in DERIVED_TABLES for target in table.targets} | set(BOOKKEEPING)
    views = {row["viewname"] for row in world.execute("select viewname from pg_views where schemaname = 'analytics'")}
    unknown = [
        row["name"]
        for row in world.execute(DESCRIBED)
        if row["name"] not in kept | views and not row["comment"].endswith("Internal.")
    ]
    assert unknown == []


@both_servers
def test_the_dictionary_is_what_the_catalog_says(world: World) -> None:
    with world.warehouse.connection() as connection:
        lines = [row["line"] for row in fetch(connection, "status/data_dictionary")]
    assert DICTIONARY.read_text() == "\n".join(lines) + "\n"


def test_every_table_is_ticked_and_checked() -> None:
    checks: dict[str, set[str]] = defaultdict(set)
    for definition in defs.asset_checks or ():
        assert isinstance(definition, dg.AssetChecksDefinition)
        for key in definition.check_keys:
            checks[key.asset_key.to_user_string()].add(key.name)
    ticked = {
        key.to_user_string()
        for job in ("conversation_discovery", "link_sync")
        for key in defs.resolve_job_def(job).asset_layer.selected_asset_keys
    }
    for table in DERIVED_TABLES:
        assert table.name in ticked
        assert {"no_duplicates", "no_orphans"} <= checks[table.name]
        assert any(name.startswith(("every_", "no_sessions_", "projects_agree")) for name in checks[table.name]), (
            table.name
        )


def test_no_statement_is_left_over() -> None:
    root = Path(__file__).parent.parent
    program = "".join(
        file.read_text() for folder in ("convo_pipelines", "benchmarks") for file in (root / folder).rglob("*.py")
    )
    generic = {table.name for table in DERIVED_TABLES} | {t.name for table in DERIVED_TABLES for t in table.targets}
    generic |= {table.all_keys for table in DERIVED_TABLES} | {
        t.again[0] for table in DERIVED_TABLES for t in table.targets if t.again
    }
    unused = [
        str(file.relative_to(root))
        for file in (root / "sql").rglob("*.sql")
        if "migrations" not in file.parts
        and file.stem not in generic
        and file.stem.removesuffix("_of_messages").removesuffix("_of_conversations") not in program
    ]
    assert unused == []


def test_an_asset_says_what_its_table_and_its_code_are(world: World) -> None:
    world.message(world.conversation())
    world.tick()
    world.execute("analyze analytics.conversation_summaries")
    result = world.tick()
    [event] = result.asset_materializations_for_node("conversation_summaries")[-1:]
    schema = event.metadata["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchemaMetadataValue)
    columns = {column.name: column for column in schema.schema.columns}
    assert columns["message_count"].description == "All messages."
    assert columns["conversation_id"].constraints.unique
    assert not columns["conversation_id"].constraints.nullable
    assert event.metadata["dagster/row_count"].value == 1
    spec = defs.resolve_asset_graph().get(dg.AssetKey("conversation_summaries"))
    assert spec.metadata["dagster/table_name"] == "analytics.conversation_summaries"
    [file, *_] = spec.metadata["dagster/code_references"].code_references
    assert Path(file.file_path).name == "conversation_summaries.sql"


def test_a_code_version_follows_what_statements_do_not_how_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"a": "-- one\nselect 1", "b": "select\n    1  -- two", "c": "select 2"}
    monkeypatch.setattr(metadata, "source", texts.__getitem__)
    assert metadata.version(["a"]) == metadata.version(["b"]) != metadata.version(["c"])
