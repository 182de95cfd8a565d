"""No omission passes: the registry against the catalog, the dictionary and Dagster's definitions."""

import runpy
from collections import defaultdict
from pathlib import Path

import dagster as dg
import pytest

from convo_pipelines import metadata
from convo_pipelines.assets.derived import derived_assets
from convo_pipelines.definitions import defs
from convo_pipelines.registry import (
    BOOKKEEPING,
    CREW_CONVERSATIONS,
    DERIVED_TABLES,
    DISCOVERY,
    HISTORIES_SESSIONS,
    DerivedTable,
)
from convo_pipelines.settings import settings
from convo_pipelines.statements import exists, statement
from convo_pipelines.warehouse import fetch
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers
from convo_pipelines_tests.world import LINKS, World, at

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
    target = table.rows
    if table is HISTORIES_SESSIONS:
        return  # its crews log again what they leave
    assert target.again, f"{target.relation}: rows that somebody has locked are lost; give its Target an `again`"
    assert exists(f"again/{target.again[0]}")
    keys = statement(f"keys/{table.name}").as_string()
    assert f"'{table.again}'" in keys, f"sql/keys/{table.name}.sql never reads what was logged as '{table.again}'"


WHOLE = ("participant_resolutions", "project_link_inconsistencies")
"""Their keys are of no crew or client."""


@each_table
def test_a_tables_keys_take_what_they_are_given(table: DerivedTable) -> None:
    for name in {table.name, table.all_keys}:
        keys = statement(f"keys/{name}").as_string()
        wanted = ["after", "rows", *(["crew_ids"] if table.name not in WHOLE else [])]
        wanted += ["client_ids"] if table.keyed_by == (("id", "conversation_id"),) else []
        for parameter in wanted:
            assert f"%({parameter})s" in keys, f"sql/keys/{name}.sql ignores %({parameter})s"


def test_every_table_is_recomputed_by_the_oracle() -> None:
    assert {table.name for table in DERIVED_TABLES} - set(oracle.RECOMPUTED) == {CREW_CONVERSATIONS.name}


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
        lines = [row["line"] for row in fetch(connection, "status/data_dictionary")]
    assert DICTIONARY.read_text() == "\n".join(lines) + "\n", "run `make reference`"


def test_the_page_about_checks_is_what_they_say() -> None:
    checks = runpy.run_path(str(DICTIONARY.parent / "checks.py"))
    assert (DICTIONARY.parent / "checks.md").read_text() == checks["page"](), "run `make reference`"


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
        assert "no_duplicates" in checks[table.name]
        assert ("no_orphans" in checks[table.name]) == bool(table.rows.parents)
        complete = [
            name for name in checks[table.name] if name.startswith(("every_", "no_sessions_", "projects_agree"))
        ]
        assert complete, f"{table.name} has no check that nothing is missing: see checks/completeness.py"


def test_no_statement_is_left_over() -> None:
    root = Path(__file__).parent.parent
    program = "".join(
        file.read_text() for folder in ("convo_pipelines", "benchmarks") for file in (root / folder).rglob("*.py")
    )
    generic = {name for table in DERIVED_TABLES for name in (table.name, table.all_keys, table.asked_keys)}
    generic |= {table.rows.again[0] for table in DERIVED_TABLES if table.rows.again}
    unused = [
        str(file.relative_to(root))
        for file in (root / "sql").rglob("*.sql")
        if file.relative_to(root / "sql").parts[0] not in ("migrations", "schema")
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
    assert event.metadata["dagster/row_count"].value >= 1  # an estimate
    spec = defs.resolve_asset_graph().get(dg.AssetKey("conversation_summaries"))
    assert spec.metadata["dagster/table_name"] == "analytics.conversation_summaries"
    [file, *_] = spec.metadata["dagster/code_references"].code_references
    assert Path(file.file_path).name == "conversation_summaries.sql"


def test_a_code_version_follows_what_statements_do_not_how_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"a": "-- one\nselect 1", "b": "select\n    1  -- two", "c": "select 2"}
    monkeypatch.setattr(metadata, "source", texts.__getitem__)
    assert metadata.version(["a"]) == metadata.version(["b"]) != metadata.version(["c"])


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


def test_what_dagster_keeps_names_nobody_unless_it_may(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.crew()
    for session, message in (("4915112345678", '{"type": "human"}'), ("4915112345678", "[]"), (None, "{}")):
        world.say_raw(session, message)
    stranger = world.contact("stranger@example.com")
    world.address(world.conversation(subject="of 4915112345678"), stranger)

    def kept() -> str:
        instance = dg.DagsterInstance.ephemeral()
        world.tick(instance=instance)
        world.tick(LINKS, instance=instance)
        events: list[str] = []
        for run in instance.get_runs():
            events += [entry.to_json() for entry in instance.all_logs(run.run_id)]
        return "".join(events) + "".join(str(check) for check in world.evaluations())

    assert "4915112345678" not in (events := kept())
    assert "stranger@example.com" not in events
    assert str(stranger) in events
    monkeypatch.setenv("PREVIEW_PERSONAL_DATA", "true")
    settings.cache_clear()
    world.say("4915112345678", "ai")
    assert "4915112345678" in kept()


def test_what_is_the_same_for_all_days_of_a_run_is_stored_once(world: World) -> None:
    world.crew()
    for day in range(3):
        world.say("s1", "human", at(day))
    result = world.backfill(at(0).date(), at(2).date())
    for table in DISCOVERY:
        events = result.asset_materializations_for_node(table.name)
        assert [event.partition for event in events] == ["2026-03-10", "2026-03-11", "2026-03-12"]
        assert ["preview" in event.metadata for event in events] == [False, False, True]
        assert all("rows_inserted" in event.metadata for event in events)


def test_a_tick_says_when_the_application_last_wrote(world: World) -> None:
    world.crew()
    world.tick()
    world.message(world.conversation())
    world.execute("update app.clients set name = 'new'")
    result = world.tick()
    seen = [event.asset_observation_data.asset_observation for event in result.get_asset_observation_events()]
    assert {observed.asset_key.path[-1] for observed in seen} >= {"conversations", "messages", "clients"}
    assert all("dagster/last_updated_timestamp" in observed.metadata for observed in seen)


def test_files_are_addresses_where_a_repository_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_URL", "https://github.com/example/pipelines")
    settings.cache_clear()
    [asset] = metadata.at_git(derived_assets[:1])
    [spec] = asset.specs
    [file, *_] = spec.metadata["dagster/code_references"].code_references
    assert file.url.startswith("https://github.com/example/pipelines/tree/main/sql/refresh/histories_sessions.sql")
