"""Dagster's definitions against the registry, and what its runs say of each asset."""

import runpy
from collections import defaultdict
from pathlib import Path

import dagster as dg
import pytest

from convo_pipelines.database.declarations import personal_columns
from convo_pipelines.definitions import defs
from convo_pipelines.model.tables import DERIVED_TABLES, DISCOVERY
from convo_pipelines.orchestration import metadata
from convo_pipelines.orchestration.assets.derived import derived_assets
from convo_pipelines.settings import settings
from convo_pipelines_tests.conftest import ROOT
from convo_pipelines_tests.world import LINKS, PIPELINE, World, asset_graph, at
from convo_pipelines_tests.world import metadata as metadata_of


def test_the_page_about_checks_is_what_they_say() -> None:
    checks = runpy.run_path(str(ROOT / "docs" / "reference" / "checks.py"))
    assert (ROOT / "docs" / "reference" / "checks.md").read_text() == checks["page"](), "run `make reference`"


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
        assert complete, f"{table.name} has no check that nothing is missing: see CONTRIBUTING.md, Add a check"


def test_the_ui_describes_what_it_lists() -> None:
    repository = defs.get_repository_def()
    for listed in (*repository.schedule_defs, *repository.sensor_defs):
        assert listed.description, listed.name
    for job in repository.get_all_jobs():
        assert job.description or job.name == "__ASSET_JOB", job.name
    for spec in defs.resolve_all_asset_specs():
        assert spec.description, spec.key


def test_tables_with_personal_data_are_tagged(world: World) -> None:
    rows = world.execute(
        "select format('%%s.%%s', table_schema, table_name) as relation from information_schema.columns "
        "where table_schema in ('analytics', 'app') and column_name = any(%s)",
        list(personal_columns()),
    )
    personal = {row["relation"] for row in rows}
    graph = defs.resolve_asset_graph()
    for table in DERIVED_TABLES:
        tags = graph.get(dg.AssetKey(table.name)).tags
        assert tags["personal_data"] == ("yes" if table.target in personal else "no"), table.name
        assert tags["tier"] in {"1", "2", "3"}


def test_the_histories_tables_are_in_the_lineage(world: World) -> None:
    for crew in ("A", "B"):
        world.crew(crew)
        world.say("s1", when=at(0, 9), crew=crew)
    world.execute("analyze app.histories_a, app.histories_b")
    result = world.materialize(["histories_sessions"])
    [observed] = [e for e in result.get_asset_observation_events() if e.asset_key.path == ["app", "histories"]]
    facts = observed.asset_observation_data.asset_observation.metadata
    assert (facts["tables"].value, facts["rows_estimated"].value) == (2, 2)
    assert facts["dagster/last_updated_timestamp"].value == at(0, 9).timestamp()
    assert (
        dg.AssetKey(["app", "histories"])
        in defs.resolve_asset_graph()
        .get(result.asset_materializations_for_node("histories_sessions")[0].asset_key)
        .parent_keys
    )


def test_an_asset_says_what_its_table_and_its_code_are(world: World) -> None:
    world.message(world.conversation())
    result = world.materialize()
    [event] = result.asset_materializations_for_node("conversation_summaries")[-1:]
    schema = event.metadata["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchemaMetadataValue)
    columns = {column.name: column for column in schema.schema.columns}
    assert columns["message_count"].description == "All messages."
    assert columns["conversation_id"].constraints.unique
    assert not columns["conversation_id"].constraints.nullable
    spec = defs.resolve_asset_graph().get(dg.AssetKey("conversation_summaries"))
    assert spec.metadata["dagster/table_name"] == "analytics.conversation_summaries"
    [file, *_] = spec.metadata["dagster/code_references"].code_references
    assert Path(file.file_path).parts[-2:] == ("conversation_summaries", "rows.sql")


def test_a_code_version_follows_what_statements_do_not_how_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"a": "-- one\nselect 1", "b": "select\n    1  -- two", "c": "select 2"}
    monkeypatch.setattr(metadata, "source", texts.__getitem__)
    assert metadata.version(["a"]) == metadata.version(["b"]) != metadata.version(["c"])


def test_what_dagster_keeps_names_nobody_unless_it_may(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.crew()
    for session, message in (("4915112345678", '{"type": "human"}'), ("4915112345678", "[]"), (None, "{}")):
        world.say_raw(session, message)
    stranger = world.contact("stranger@example.com")
    world.address(world.conversation(subject="of 4915112345678"), stranger)

    def kept() -> str:
        instance = dg.DagsterInstance.ephemeral()
        world.materialize(instance=instance)
        world.materialize(LINKS, instance=instance)
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


def test_what_a_run_did_stands_on_the_last_of_its_days_only(world: World) -> None:
    world.crew()
    world.tick()
    for day in range(3):
        world.say("s1", "human", at(day))
    result = world.materialize(days=(at(0).date(), at(2).date()))
    for table in DISCOVERY:
        events = result.asset_materializations_for_node(table.name)
        assert [event.partition for event in events] == ["2026-03-10", "2026-03-11", "2026-03-12"]
        for name in ("rows_inserted", "milliseconds", "preview", "dagster/row_count"):
            assert [name in event.metadata for event in events] == [False, False, True]


def test_the_row_count_is_that_of_the_table_or_missing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    contact = world.contact("ana@example.com", world.person())
    for _ in range(3):
        world.address(world.conversation(), contact)
    for expected in (3, 2):
        result = world.materialize([*PIPELINE, *LINKS])
        for table in DERIVED_TABLES:
            [rows] = world.execute(f"select count(*) from {table.target}")
            assert metadata_of(result, table.name)["dagster/row_count"] == rows["count"]
        assert metadata_of(result, "people_conversations")["dagster/row_count"] == expected
        world.execute("delete from app.conversations where id = (select min(id::text)::uuid from app.conversations)")
    monkeypatch.setattr(metadata, "COUNTED_BYTES", 0)
    assert "dagster/row_count" not in metadata_of(world.materialize(LINKS), "people_conversations")


def test_a_tick_says_when_the_application_last_wrote(world: World) -> None:
    world.crew()
    world.say("s1")
    world.tick()
    world.message(world.conversation())
    world.execute("update app.clients set name = 'new'")
    result = world.materialize()
    seen = [event.asset_observation_data.asset_observation for event in result.get_asset_observation_events()]
    assert {observed.asset_key.path[-1] for observed in seen} >= {"conversations", "messages", "clients"}
    assert all("dagster/last_updated_timestamp" in observed.metadata for observed in seen)


def test_files_are_addresses_where_a_repository_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_URL", "https://github.com/example/pipelines")
    settings.cache_clear()
    [asset] = metadata.at_git(derived_assets[:1])
    [spec] = asset.specs
    [file, *_] = spec.metadata["dagster/code_references"].code_references
    assert file.url.startswith("https://github.com/example/pipelines/tree/main/sql/tables/histories_sessions/rows.sql")


def test_the_picture_of_the_asset_graph_shows_the_assets_that_there_are() -> None:
    shown = (ROOT / "docs" / "asset-graph.txt").read_text()
    assert shown == asset_graph(), "run `make docs`: docs/asset-graph.png shows other assets"


def test_columns_are_shown_before_anything_is_materialized() -> None:
    graph = defs.resolve_asset_graph()
    for name in (*(table.name for table in DERIVED_TABLES), "app/people", "app/histories"):
        schema = graph.get(dg.AssetKey(name.split("/"))).metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema), name
        columns = {column.name: column for column in schema.columns}
        assert columns, name
        described = [column for column in columns.values() if column.description]
        is_apps = name in ("crew_conversations", "app/people")  # which has columns that are not read
        assert described, name
        assert is_apps or len(described) == len(columns), name
    people = graph.get(dg.AssetKey(["app", "people"])).metadata["dagster/column_schema"]
    assert {column.name: "personal" in column.tags for column in people.columns}["email"]
