"""Tables of one's own: a folder with one SELECT becomes a table that is exact."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from convo_pipelines import testing
from convo_pipelines.authoring import application, compilation, proof
from convo_pipelines.authoring.declaration import RowsError
from convo_pipelines.database import addresses, declarations, own_tables, statements
from convo_pipelines.database.execution import fetch
from convo_pipelines.database.migrations import upgrade, validation
from convo_pipelines.database.migrations.runner import MigrationError
from convo_pipelines.database.statements import TableFoldersError
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import chunks, ticks
from convo_pipelines.engine.change_log import DefinitionError
from convo_pipelines.engine.registry import DeclarationError, Registry
from convo_pipelines.engine.scopes import Window
from convo_pipelines.lake import refresh, store
from convo_pipelines.lake import tables as lake_tables
from convo_pipelines.operations.schema import require as require_schema
from convo_pipelines.settings import Settings
from convo_pipelines_tests import oracle
from convo_pipelines_tests.lakes import in_database, in_lake
from convo_pipelines_tests.own_tables import LOG, OwnTables
from convo_pipelines_tests.world import DAY, World

REPLY_SLA = """-- Conversations that a customer began: answered within the target of their client, and when.
-- key = "conversation_id"
-- day = "asked_at"
-- asked_at: The first inbound message.
-- answered_at: The first outbound message after it; null: none.
select
    conversation.id as conversation_id,
    conversation.client_id,
    asked.asked_at,
    answered.answered_at,
    coalesce(answered.answered_at <= asked.asked_at + target.minutes * interval '1 minute', false) as is_in_time
from app.conversations as conversation
inner join app.reply_targets as target on target.client_id = conversation.client_id
cross join lateral (
    select min(sent_at) as asked_at from app.messages
    where conversation_id = conversation.id and direction = 'inbound'
) as asked
left join lateral (
    select min(sent_at) as answered_at from app.messages
    where conversation_id = conversation.id and direction = 'outbound' and sent_at > asked.asked_at
) as answered on true
where asked.asked_at is not null;
"""
OF_CLIENTS = """-- key = "client_id"
select client_id, count(*) as conversations, count(*) filter (where is_in_time) as in_time
from analytics.reply_sla group by client_id
"""
OF_SUMMARIES = """-- key = ["client_id", "week"]
select client_id, date_trunc('week', started_at) as week, count(*) as conversations, sum(message_count)::int as messages
from analytics.conversation_summaries group by 1, 2
"""


WAITING = "select from pg_locks where not granted and relation = 'app.csat'::regclass"


@pytest.fixture
def own(world: World, tmp_path: Path, environment: Callable[..., Settings]) -> Iterator[OwnTables]:
    environment(CONVO_TABLES=str(tmp_path))
    application.forget()
    world.execute("create table app.reply_targets (client_id uuid primary key, minutes int not null)")
    yield OwnTables(world, tmp_path)
    environment()
    application.forget()


def talk(world: World, minutes: int, client: str = "C1") -> None:
    conversation = world.conversation(client=client)
    world.message(conversation, when=DAY)
    world.message(conversation, "outbound", DAY + timedelta(minutes=minutes))


def test_a_table_is_exact_after_each_change_of_what_it_reads(own: OwnTables) -> None:
    world = own.world
    own.write("reply_sla", REPLY_SLA)
    own.apply()
    talk(world, 30)
    talk(world, 90)
    world.execute("insert into app.reply_targets select id, 60 from app.clients")
    own.tick()
    assert [row["is_in_time"] for row in sorted(own.rows("reply_sla"), key=lambda row: row["answered_at"])] == [
        True,
        False,
    ]
    for change in (
        "update app.reply_targets set minutes = 100",
        "update app.messages set sent_at = sent_at + interval '2 hours' where direction = 'outbound'",
        "update app.conversations set client_id = null where id = (select min(id::text)::uuid from app.conversations)",
        "delete from app.messages where direction = 'inbound' and id = (select min(id::text)::uuid from app.messages)",
        "truncate app.reply_targets",
        "insert into app.reply_targets select id, 1 from app.clients",
        "delete from app.conversations",
    ):
        world.execute(change)
        own.tick()
        own.assert_right()
        assert own.compare("reply_sla").outcome.counts.changed == 0
    oracle.assert_right(world)
    oracle.assert_links_right(world)


def test_what_another_version_generated_is_applied_again(own: OwnTables) -> None:
    own.write("reply_sla", REPLY_SLA)
    own.write("of_clients", OF_CLIENTS)
    own.apply()
    talk(own.world, 30)
    own.world.execute("insert into app.reply_targets select id, 60 from app.clients")
    file = own.folder / "reply_sla" / "generated" / "table.toml"
    file.write_text(file.read_text().replace("format = 1\n", "format = 0\nunknown = true\n"))
    application.forget()
    own.registry = Registry(declarations.tables(), declarations.logs())
    assert "reply_sla" not in own.registry.tables
    assert own_tables.edited() == ["reply_sla"]
    ticks.tick(own.world.warehouse, own.registry.tables["conversation_summaries"], LOG)
    with pytest.raises(
        own_tables.UnknownTablesError, match="another version of convo_pipelines generated reply_sla: run"
    ):
        upgrade.up(("analytics",), own.world.url)
    own.apply()
    own.tick()
    own.assert_right()
    assert own.rows("reply_sla") != []


def test_a_window_of_days_is_refreshed(own: OwnTables) -> None:
    own.write("reply_sla", REPLY_SLA)
    own.apply()
    talk(own.world, 30)
    own.world.execute("insert into app.reply_targets select id, 60 from app.clients")
    own.tick()
    own.world.execute("update analytics.reply_sla set is_in_time = not is_in_time")
    done = ticks.backfill(own.world.warehouse, own["reply_sla"], Window.of_days(DAY.date(), DAY.date()), LOG)
    assert done.outcome.counts.changed == 0
    tomorrow = DAY.date() + timedelta(days=1)
    done = ticks.backfill(own.world.warehouse, own["reply_sla"], Window.of_days(DAY.date(), tomorrow), LOG)
    assert done.outcome.counts.updated == 1
    own.assert_right()


def test_tables_follow_each_other_and_ours(own: OwnTables) -> None:
    own.write("of_clients", OF_CLIENTS)
    own.write("of_summaries", OF_SUMMARIES)
    own.write("reply_sla", REPLY_SLA)
    own.apply()
    world = own.world
    world.execute("insert into app.reply_targets select id, 60 from app.clients")
    for client in ("C1", "C2"):
        for minutes in (10, 100):
            talk(world, minutes, client)
    world.execute("insert into app.reply_targets select id, 60 from app.clients on conflict do nothing")
    own.tick()
    own.assert_right()
    assert len(own.rows("of_clients")) == len(own.rows("of_summaries")) == 2
    world.execute("update app.conversations set started_at = started_at + interval '30 days' where random() < 0.5")
    world.execute("delete from app.clients where client_code = 'C2'")
    own.tick()
    own.assert_right()


def test_the_catalog_is_what_the_definitions_and_the_folders_make(
    own: OwnTables, environment: Callable[..., Settings]
) -> None:
    own.write("reply_sla", REPLY_SLA)
    own.write("of_summaries", OF_SUMMARIES)
    own.write(
        "directions", '-- key = "direction"\nselect direction, count(*) as n from app.messages group by direction'
    )
    own.apply()
    environment(CONVO_TABLES=str(own.folder), CONVO_DATABASE_URL=own.world.url)
    addresses.database_url.cache_clear()
    assert list(validation.validate()) == []
    own.world.execute("alter table analytics.messages_changes add column surplus int")
    assert list(validation.validate()) == ["unexpected: column analytics.messages_changes.surplus"]
    addresses.database_url.cache_clear()


def test_only_what_is_edited_and_applied_changes(own: OwnTables) -> None:
    own.write("reply_sla", REPLY_SLA)
    assert own.plan("reply_sla").summary == "a new table"
    own.apply()
    talk(own.world, 30)
    talk(own.world, 90)
    own.world.execute("insert into app.reply_targets select id, 60 from app.clients")
    own.tick()
    before = own.world.execute("select * from analytics.reply_sla order by 1")
    assert own.plan("reply_sla").summary == "no change"
    assert own_tables.edited() == []

    own.write("reply_sla", REPLY_SLA.replace("target.minutes *", "2 * target.minutes *"))
    assert own_tables.edited() == ["reply_sla"]
    own.tick()
    assert own.world.execute("select * from analytics.reply_sla order by 1") == before
    assert own.plan("reply_sla").summary == "only expressions change; all rows are computed anew"
    own.apply()
    assert own.world.execute("select * from analytics.reply_sla order by 1") == before
    own.tick()
    own.assert_right()
    after = own.world.execute("select * from analytics.reply_sla order by 1")
    assert sum(row in before for row in after) == 1  # the one that was right is not touched


def test_columns_are_added_dropped_and_change_their_type(own: OwnTables) -> None:
    own.write("reply_sla", REPLY_SLA)
    own.apply()
    talk(own.world, 30)
    own.world.execute("insert into app.reply_targets select id, 60 from app.clients")
    own.tick()
    edited = REPLY_SLA.replace("    answered.answered_at,\n", "    target.minutes,\n").replace(
        "-- answered_at:", "-- minutes:"
    )
    edited = edited.replace("conversation.client_id,", "conversation.client_id::text as client_id,", 1)
    own.write("reply_sla", edited)
    assert sorted(own.plan("reply_sla").statements) == [
        'alter table "analytics"."reply_sla" add column "minutes" integer',
        'alter table "analytics"."reply_sla" alter column "client_id" type text using "client_id"::text',
        'alter table "analytics"."reply_sla" drop column "answered_at"',
    ]
    own.apply()
    own.tick()
    own.assert_right()


def test_what_a_transaction_changed_before_its_table_was_read_for_more_is_not_missed(own: OwnTables) -> None:
    """Its triggers logged without the column that the log gets."""
    own.world.execute("create table app.csat (id int primary key, grade int, remark text, person text)")
    own.world.execute("insert into app.csat values (1, 5, 'good', 'Ana')")
    own.write("grades", '-- key = "grade"\nselect grade, count(*) as n from app.csat group by grade')
    own.apply()
    own.tick()
    own.write("persons", '-- key = "person"\nselect person, count(*) as n from app.csat group by person')
    with psycopg.connect(own.world.warehouse.url) as writer, ThreadPoolExecutor() as pool:
        writer.execute("update app.csat set person = 'Bea'")
        applying = pool.submit(own.apply)
        while not applying.done() and not own.world.execute(WAITING):
            time.sleep(0.01)
        assert not applying.done()
        writer.commit()
        applying.result()
    own.tick()
    own.assert_right()


def test_another_key_needs_another_table(own: OwnTables) -> None:
    own.write("crew_codes", '-- key = "id"\nselect id, crew_code from app.crews')
    own.apply()
    own.world.crew("A")
    own.tick()
    own.write("crew_codes", '-- key = "crew_code"\nselect id, crew_code from app.crews')
    with pytest.raises(
        RowsError, match="the table that is there has the key id: run `convo-pipelines table remove crew_c"
    ):
        own.apply()
    own.tick()
    application.remove(own.world.warehouse, "crew_codes")
    own.apply()
    own.tick()
    own.assert_right()


def test_a_process_that_knows_another_definition_changes_nothing(own: OwnTables) -> None:
    own.write("reply_sla", REPLY_SLA)
    own.apply()
    talk(own.world, 30)
    own.world.execute("insert into app.reply_targets select id, 60 from app.clients")
    own.tick()
    former = own.registry
    own.write("reply_sla", REPLY_SLA.replace("target.minutes *", "2 * target.minutes *"))
    own.apply()
    own.world.execute("update app.reply_targets set minutes = 7")
    for run in (
        lambda: ticks.tick_all(own.world.warehouse, list(former), LOG),
        lambda: ticks.compare(own.world.warehouse, former.tables["reply_sla"], LOG),
    ):
        with pytest.raises(DefinitionError, match="reply_sla was defined anew by `convo-pipelines table apply`"):
            run()
    own.tick()
    own.assert_right()


def test_a_process_without_the_folder_neither_upgrades_nor_loses_changes(
    own: OwnTables, environment: Callable[..., Settings]
) -> None:
    own.write("of_summaries", OF_SUMMARIES)
    own.apply()
    own.tick()
    talk(own.world, 30)
    environment(CONVO_TABLES="")
    application.forget()
    without = OwnTables(own.world, own.folder)
    without.tick()
    with pytest.raises(own_tables.UnknownTablesError, match="the database has of_summaries, of which CONVO"):
        upgrade.up(("analytics",), own.world.url)
    environment(CONVO_TABLES=str(own.folder))
    application.forget()
    own.tick()
    own.assert_right()


def test_without_its_folder_a_table_can_be_removed_and_the_others_stay_as_they_are(
    own: OwnTables, environment: Callable[..., Settings]
) -> None:
    own.write("reply_sla", REPLY_SLA)
    own.write("of_summaries", OF_SUMMARIES)
    own.apply()
    own.tick()
    environment(CONVO_TABLES="")
    application.forget()
    for run in (
        lambda: application.remove(own.world.warehouse, "reply_sla"),
        lambda: require_schema(own.world.warehouse),
    ):
        with pytest.raises(own_tables.UnknownTablesError, match=r"the database has .*of_summaries.*, of which CONVO"):
            run()
    environment(CONVO_TABLES=str(own.folder))
    application.forget()
    talk(own.world, 30)
    own.tick()
    own.assert_right()
    (own.folder / "of_summaries").rename(own.folder / "gone")
    (own.folder / "gone" / "rows.sql").unlink()
    application.forget()
    application.remove(own.world.warehouse, "of_summaries")
    own.registry = Registry(declarations.tables(), declarations.logs())
    own.tick()
    own.assert_right()


def test_a_table_is_removed_with_all_that_is_stored_of_it(own: OwnTables) -> None:
    own.write("reply_sla", REPLY_SLA)
    own.write("of_clients", OF_CLIENTS)
    own.apply()
    own.tick()
    with pytest.raises(RowsError, match="of_clients reads reply_sla"):
        application.remove(own.world.warehouse, "reply_sla")
    for name in ("of_clients", "reply_sla"):
        application.remove(own.world.warehouse, name)
    named = "'reply_sla|of_clients|reply_targets'"
    for left in (
        f"select from pg_class where relname ~ {named} and relnamespace <> 'app'::regnamespace",
        f"select from pg_proc where proname ~ {named}",
        f"select from analytics.refresh_state where asset_key ~ {named}",
        "select from pg_trigger where tgrelid = 'app.reply_targets'::regclass",
    ):
        assert own.world.execute(left) == [], left
    OwnTables(own.world, own.folder).tick()
    assert own_tables.edited() == ["of_clients", "reply_sla"]
    talk(own.world, 30)
    for run in (own.tick, lambda: own.compare("reply_sla")):
        with pytest.raises(
            ticks.SourceError, match=r"reply_sla: .* does not exist: it was removed: restart this process"
        ):
            run()


def test_a_source_of_another_schema_and_of_a_view(own: OwnTables) -> None:
    own.world.execute("create schema crm")
    own.world.execute("create table crm.deals (id int primary key, client_id uuid, state text)")
    own.world.execute("create view crm.open_deals as select id, client_id from crm.deals where state = 'open'")
    own.write(
        "deals", '-- key = "client_id"\nselect client_id, count(*) as deals from crm.open_deals group by client_id'
    )
    own.apply()
    own.world.client()
    own.world.execute("insert into crm.deals select n, id, 'open' from app.clients, generate_series(1, 3) as n")
    own.tick()
    own.assert_right()
    own.world.execute("update crm.deals set state = 'won' where id = 2")
    own.tick()
    own.assert_right()
    assert [row["deals"] for row in own.rows("deals")] == [2]


def test_a_table_with_a_day_is_in_the_lake(
    own: OwnTables, tmp_path: Path, environment: Callable[..., Settings]
) -> None:
    environment(CONVO_DATABASE_URL=own.world.url, LAKE_URI=f"file://{tmp_path}/lake")
    addresses.database_url.cache_clear()
    store.catalog.cache_clear()
    own.write("reply_sla", REPLY_SLA)
    own.write("of_clients", OF_CLIENTS)
    own.apply()
    talk(own.world, 30)
    own.world.execute("insert into app.reply_targets select id, 60 from app.clients")
    own.tick()
    [table] = [table for table in lake_tables.in_lake(own.registry) if table.table.definition]
    assert refresh.tick(own.world.warehouse, table).is_everything
    assert in_lake(table) == in_database(own.world, table) != []
    talk(own.world, 90)
    own.world.execute("update app.messages set sent_at = sent_at + interval '30 days' where direction = 'outbound'")
    own.tick()
    assert not refresh.tick(own.world.warehouse, table).is_everything
    assert in_lake(table) == in_database(own.world, table)
    addresses.database_url.cache_clear()
    store.catalog.cache_clear()


CHECKED = REPLY_SLA.replace(
    '-- day = "asked_at"',
    """-- day = "asked_at"
-- not_null = ["client_id", "answered_at"]
-- accepted_values = { is_in_time = [true] }
-- range = { asked_at = ["2026-01-01", "2026-12-31"] }
-- recency = { asked_at = "100 years" }
-- relationship = { client_id = "app.clients(id)" }""",
)


def test_checks_are_declared_by_a_word(own: OwnTables) -> None:
    own.write("reply_sla", CHECKED)
    (own.folder / "reply_sla" / "checks").mkdir()
    (own.folder / "reply_sla" / "checks" / "of_my_own.sql").write_text("-- Mine.\nselect 1 as one where false;\n")
    own.apply()
    talk(own.world, 90)
    unanswered = own.world.conversation()
    own.world.message(unanswered, when=DAY)
    own.world.execute("insert into app.reply_targets select id, 60 from app.clients")
    own.tick()
    offenders: dict[str, int] = {}
    for name in statements.names("tables/reply_sla/checks"):
        with own.world.warehouse.connection() as connection:
            offenders[name.rpartition("/")[2]] = len(fetch(connection, name))
    assert offenders == {
        "accepted_values_of_is_in_time": 2,
        "not_null_of_answered_at": 1,
        "not_null_of_client_id": 0,
        "of_my_own": 0,
        "range_of_asked_at": 0,
        "recency_of_asked_at": 0,
        "relationship_of_client_id": 0,
    }
    assert own_tables.edited() == []
    own.write("reply_sla", CHECKED.replace('"100 years"', '"1 second"'))
    assert own.plan("reply_sla").summary == "only the declaration changes"


@pytest.mark.parametrize("is_in_chunks", [False, True])
def test_rows_with_the_same_key_are_named(own: OwnTables, monkeypatch: pytest.MonkeyPatch, is_in_chunks: bool) -> None:
    own.world.execute("create table app.visits (id int primary key, client_id int, note text)")
    own.write("visitors", '-- key = ["client_id", "note"]\nselect client_id, note, id from app.visits')
    own.apply()
    own.world.execute("insert into app.visits values (1, 1, 'a'), (2, 2, 'a')")
    own.tick()
    own.assert_right()
    if is_in_chunks:
        monkeypatch.setattr(chunks, "FEW_KEYS", -1)
    own.world.execute("update app.visits set client_id = 1")
    said = r"visitors: several rows have the same client_id, note: 1, a: see /.*/visitors/rows\.sql"
    for run in (own.tick, lambda: own.compare("visitors")):
        with pytest.raises(chunks.KeyOfSeveralRowsError, match=said):
            run()
    own.world.execute("delete from app.visits where id = 1")
    own.tick()
    own.assert_right()


def test_a_source_that_is_exchanged_or_loses_its_key(own: OwnTables) -> None:
    world = own.world
    world.execute("create table app.visits (id int primary key, client int)")
    own.write("visitors", '-- key = "client"\nselect client, count(*) as visits from app.visits group by client')
    own.apply()
    world.execute("insert into app.visits select n, n % 3 from generate_series(1, 9) as n")
    own.tick()
    with world.connection.transaction():
        world.execute("create table app.visits_new (like app.visits including all)")
        world.execute("insert into app.visits_new select id, client + 1 from app.visits")
        world.execute("alter table app.visits rename to visits_old")
        world.execute("alter table app.visits_new rename to visits")
    own.tick()
    own.assert_right()
    world.execute("alter table app.visits drop constraint visits_new_pkey")
    world.execute("insert into app.visits values (1, 7), (1, 7)")
    world.execute("update app.visits set client = 8 where id = 2")
    own.tick()
    own.assert_right()
    with world.connection.transaction():
        world.execute("truncate app.visits")
        world.execute("insert into app.visits values (1, 1)")
    own.tick()
    own.assert_right()
    assert own.compare("visitors").outcome.counts.changed == 0


def test_each_source_is_captured_also_if_its_table_and_its_schema_were_there(own: OwnTables) -> None:
    world = own.world
    for name in ("visits", "orders"):
        world.execute(f"create table app.{name} (id int primary key, client int)")
    for name in ("visits", "orders"):
        own.write(f"{name}_of", f'-- key = "client"\nselect client, count(*) as n from app.{name} group by client')
        own.apply()
        own.tick()
    for name in ("visits", "orders"):
        world.execute(f"insert into app.{name} values (1, 1)")
    own.tick()
    own.assert_right()


def test_names_that_need_quotes(own: OwnTables) -> None:
    world = own.world
    world.execute('create table app."Orders" ("Id" int primary key, "user" text, "a.b" int)')
    own.write(
        "buyers", '-- key = ["user", "a.b"]\nselect "user", "a.b", count(*) as "N" from app."Orders" group by 1, 2'
    )
    own.apply()
    world.execute("insert into app.\"Orders\" values (1, 'x', 1), (2, 'x', 1), (3, 'y', 2)")
    own.tick()
    own.assert_right()
    world.execute('update app."Orders" set "user" = \'z\', "a.b" = 3 where "Id" < 3')
    own.tick()
    own.assert_right()
    assert len(own.rows("buyers")) == 2


def test_a_select_of_any_spelling(own: OwnTables) -> None:
    own.write(
        "odd",
        '\ufeff-- key = "id"\r\n/* {a} % */ with keys as (select id, name from app.clients), rows as (table keys)\r\n'
        "select id, name like '%{c}_' as \"like\", '50% {x} %s $1' as text, id as diff, name as day -- {x} %s\n"
        "from rows; -- the end",
    )
    own.apply()
    own.world.client("a{c}1")
    own.tick()
    own.assert_right()
    assert own.compare("odd").outcome.counts.changed == 0


def test_rows_that_decide_about_each_other_are_computed_together(own: OwnTables) -> None:
    own.write(
        "places",
        '-- key = "id"\n-- by = "client_id"\nselect id, client_id, row_number() over (partition by client_id '
        "order by subject, id) as place from app.conversations",
    )
    own.apply()
    world = own.world
    for number in range(6):
        world.conversation(client=f"C{number % 2}", subject=str(9 - number))
    own.tick()
    own.assert_right()
    world.execute("update app.conversations set client_id = %s where subject < '7'", world.client("C1"))
    own.tick()
    own.assert_right()
    assert {row["place"] for row in own.rows("places")} == {1, 2, 3, 4}
    world.execute("delete from app.conversations where subject = '4'")
    own.tick()
    own.assert_right()
    assert own.compare("places").outcome.counts.changed == 0


def test_values_of_types_of_ones_own(own: OwnTables) -> None:
    world = own.world
    world.execute("create type app.mood as enum ('good', 'bad')")
    world.execute("create domain app.code as varchar(5)")
    world.execute("create table app.notes (id numeric(10, 2) primary key, mood app.mood, code app.code, tags int[])")
    own.write("last_notes", '-- key = ["code", "mood"]\nselect code, mood, max(id) as id from app.notes group by 1, 2')
    own.write("tags", '-- key = "id"\nselect id, tags, code, mood from app.notes')
    own.apply()
    world.execute("insert into app.notes values (1.5, 'good', 'a', '{1}'), (2, 'bad', 'b', '{}'), (3, null, 'b', null)")
    own.tick()
    own.assert_right()
    world.execute("update app.notes set code = 'c', tags = '{3}' where id < 3")
    own.tick()
    own.assert_right()


@pytest.mark.parametrize("number", ["text::int", "case when text ~ '^\\d+$' then text::int end", "ln(text::int)"])
def test_a_key_that_cannot_be_computed_of_a_row_that_is_left_out(own: OwnTables, number: str) -> None:
    own.world.execute("create table app.notes (id int primary key, text text)")
    own.write(
        "numbers",
        f'-- key = "number"\nselect {number} as number, count(*) as n from app.notes\n'
        "where text ~ '^\\d+$' group by 1",
    )
    own.apply()
    own.world.execute("insert into app.notes values (1, '1'), (2, '2')")
    own.tick()
    own.world.execute("insert into app.notes values (3, 'x'), (4, '1'), (5, null)")
    own.tick()
    own.assert_right()
    own.world.execute("update app.notes set text = '3' where id in (2, 3)")
    own.tick()
    own.assert_right()
    assert own.compare("numbers").outcome.counts.changed == 0


def test_equal_values_that_look_different(own: OwnTables) -> None:
    own.world.execute("create table app.notes (id int primary key, amount numeric, took interval, ratio float8)")
    own.write("amounts", '-- key = "id"\nselect id, amount, took, ratio from app.notes')
    own.write("texts", '-- key = "id"\nselect id, concat(amount, took, ratio) as text from analytics.amounts')
    own.apply()
    own.world.execute("insert into app.notes values (1, 1.0, '1 day', 0), (2, 1, '1 day', 0), (3, null, null, null)")
    own.tick()
    for change in ("amount = 1.00", "took = '24 hours'", "ratio = '-0'", "amount = null"):
        own.world.execute(f"update app.notes set {change} where id < 2")
        own.tick()
        own.assert_right()
    assert own.compare("amounts").outcome.counts.changed == 0
    own.world.execute("update app.notes set amount = 2.0 where id = 1")
    own.tick()
    own.world.execute("update app.notes set amount = 2.00 where id = 1")
    done = own.tick()
    assert done["amounts"].outcome.counts.updated == 0
    shown = own.world.execute("select amount::text, text from analytics.amounts join analytics.texts using (id)")
    assert shown[-1] == {"amount": "2.00", "text": "2.0024:00:00-0"}


def test_a_key_that_is_computed_of_what_values_look_like(own: OwnTables) -> None:
    own.world.execute("create table app.prices (id int primary key, amount numeric, took interval)")
    own.write("labels", '-- key = "label"\nselect amount::text as label, count(*) as n from app.prices group by 1')
    own.write("spans", '-- key = "label"\nselect took::text as label, count(*) as n from app.prices group by 1')
    own.apply()
    own.world.execute("insert into app.prices values (1, 1.0, '1 day'), (2, 1, '24 hours'), (3, 2, null)")
    own.tick()
    own.assert_right()
    for change in (
        "update app.prices set amount = 1.00, took = '24 hours' where id = 1",
        "update app.prices set amount = 1.000, took = '1 day'",
        "insert into app.prices values (4, 1.0, '1 day'), (5, 1, '24 hours')",
        "delete from app.prices",
    ):
        own.world.execute(change)
        own.tick()
        own.assert_right()


@pytest.mark.parametrize(
    ("read", "change"),
    [
        ("app.shown", "create or replace view app.shown as select id, a * 2 as a from app.numbers"),
        ("app.shown", "create or replace view app.shown as select id, a from app.others"),
        ("app.of_shown", "create or replace view app.shown as select id, a from app.others"),
        ("app.called", "create or replace function app.f(x int) returns int language sql immutable as 'select -x'"),
        ("app.shown", "drop view app.shown cascade; create view app.shown as select id, a from app.others"),
    ],
)
def test_a_view_or_function_that_is_redefined(own: OwnTables, read: str, change: str) -> None:
    world = own.world
    for table in ("numbers", "others"):
        world.execute(f"create table app.{table} (id int primary key, a int)")
    world.execute("create view app.shown as select id, a from app.numbers")
    world.execute("create view app.of_shown as select id, a from app.shown where a <> 0")
    world.execute("create function app.f(x int) returns int language sql immutable as 'select x + 1'")
    query = "select id, app.f(a) as a from app.numbers" if read == "app.called" else f"select id, a from {read}"
    own.write("numbered", f'-- key = "id"\n{query}')
    own.apply()
    world.execute("insert into app.numbers values (1, 1), (2, 2); insert into app.others values (2, 3), (3, 4)")
    own.tick()
    own.assert_right()
    world.execute(change)
    world.execute("update app.numbers set a = 5 where id = 1")
    said = r"app\.(shown|f), which numbered reads, was redefined: run `convo-pipelines table apply numbered`"
    for _ in range(2):
        with pytest.raises(DefinitionError, match=said):
            own.tick()
        with pytest.raises(DefinitionError, match=said):
            own.compare("numbered")
    assert own.plan("numbered").is_change
    own.apply()
    own.tick()
    own.assert_right()
    world.execute("update app.others set a = 7; update app.numbers set a = 8")
    own.tick()
    own.assert_right()


def test_a_view_that_is_redefined_and_again_as_it_was(own: OwnTables) -> None:
    world = own.world
    world.execute("create table app.numbers (id int primary key, a int)")
    world.execute("create view app.shown as select id, a from app.numbers")
    own.write("numbered", '-- key = "id"\nselect id, a from app.shown')
    own.apply()
    own.tick()
    world.execute("create or replace view app.shown as select id, -a as a from app.numbers")
    world.execute("insert into app.numbers values (1, 1)")
    with pytest.raises(DefinitionError):
        own.tick()
    world.execute("create or replace view app.shown as select id, a from app.numbers")
    own.tick()
    own.assert_right()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "drop table app.visits",
            'visitors: relation "app.visits" does not exist: correct its rows.sql, and run',
        ),
        ("alter table app.visits rename client to person", 'visitors: column "client" does not exist: correct its'),
        (
            "alter table app.visits alter client type text",
            "visitors: .* types text and integer cannot be matched: correct",
        ),
    ],
)
def test_a_source_that_is_not_there_any_more_is_named(own: OwnTables, change: str, said: str) -> None:
    own.world.execute("create table app.visits (id int primary key, client int)")
    own.write("visitors", '-- key = "client"\nselect client, count(*) as visits from app.visits group by client')
    own.apply()
    own.world.execute("insert into app.visits values (1, 1)")
    own.tick()
    own.world.execute(change)
    with pytest.raises(ticks.SourceError, match=said):
        own.tick()
    with pytest.raises(ticks.SourceError, match=said):
        own.compare("visitors")


def test_a_source_whose_columns_get_other_types(own: OwnTables) -> None:
    world = own.world
    world.execute("create table app.visits (id int primary key, client int)")
    world.execute("create table app.names (client int primary key, name text)")
    own.write("visitors", '-- key = "client"\nselect client, count(*) as visits from app.visits group by client')
    own.write(
        "named",
        '-- key = "name"\nselect name, sum(visits) as visits from analytics.visitors join app.names using (client) '
        "group by name",
    )
    own.apply()
    world.execute("insert into app.visits select n, n % 3 from generate_series(1, 9) as n")
    world.execute("insert into app.names values (0, 'x'), (1, 'y'), (2, 'x')")
    own.tick()
    own.assert_right()
    for table in ("visits", "names"):
        world.execute(f"alter table app.{table} alter client type text using 'c' || client")
    world.execute("update app.visits set client = 'c1' where id = 2")
    own.apply()
    for change in (
        "update app.visits set client = 'c1' where id < 4",
        "update app.names set name = 'z' where client = 'c1'",
        "insert into app.visits values (10, 'c4'), (11, 'c1')",
        "insert into app.names values ('c4', 'y')",
        "delete from app.visits where client = 'c1'",
        "truncate app.visits",
    ):
        world.execute(change)
        own.tick()
        own.assert_right()


def test_a_view_in_another_schema_shows_the_table(own: OwnTables) -> None:
    world = own.world
    upgrade.up(("roles",), url=world.url)
    in_schema = REPLY_SLA.replace("-- day =", '-- schema = "reporting"\n-- personal = "client_id"\n-- day =')
    own.write("reply_sla", in_schema)
    assert own.plan("reply_sla").statements[-3:-1] == [
        "create schema reporting",
        'create or replace view "reporting"."reply_sla" as table "analytics"."reply_sla"',
    ]
    own.apply()
    assert own.plan("reply_sla").is_change is False
    talk(world, 30)
    world.execute("insert into app.reply_targets select id, 60 from app.clients")
    own.tick()
    shown = "select conversation_id, asked_at from reporting.reply_sla order by 1"
    assert len(world.execute(shown)) > 0
    assert world.execute(shown) == world.execute(shown.replace("reporting", "analytics"))
    with world.connection.transaction():
        world.execute("set local role convo_analyst")
        world.execute("select * from reporting.reply_sla")
    with world.connection.transaction():
        world.execute("set local role convo_observer")
        world.execute("select conversation_id from reporting.reply_sla")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), world.connection.transaction():
            world.execute("select client_id from reporting.reply_sla")
    world.execute("create view public.of_view as select conversation_id from reporting.reply_sla")
    own.write("reply_sla", in_schema.replace("as is_in_time", "as is_in_time, target.minutes"))
    own.apply()
    assert "minutes" in world.execute("select to_jsonb(s) as row from reporting.reply_sla s limit 1")[0]["row"]
    own.write("reply_sla", in_schema.replace("    answered.answered_at,\n", "").replace("-- answered_at", "--"))
    assert own.plan("reply_sla").statements[0] == 'drop view "reporting"."reply_sla"'
    with pytest.raises(MigrationError, match=r"of_view depends on view reporting\.reply_sla"):
        own.apply()
    world.execute("drop view public.of_view")
    own.apply()
    own.tick()
    assert "answered_at" not in world.execute("select to_jsonb(s) as row from reporting.reply_sla s limit 1")[0]["row"]
    own.write("reply_sla", in_schema.replace("reporting", "bi"))
    own.apply()
    kept = (
        "select relnamespace::regnamespace::text as place from pg_class where relname = 'reply_sla' and relkind = 'v'"
    )
    assert world.execute(kept) == [{"place": "bi"}]
    application.remove(world.warehouse, "reply_sla")
    assert world.execute(kept) == []


def test_a_schema_that_cannot_have_the_view_is_named(own: OwnTables) -> None:
    for name in ("app", "analytics", "pg_catalog", "My schema"):
        own.write("of_crews", f'-- key = "id"\n-- schema = "{name}"\nselect id, name from app.crews')
        with pytest.raises(RowsError, match=rf"rows\.sql:2: a view .* cannot be in the schema {name}: name one"):
            own.apply()
    own.world.execute("create schema bi; create table bi.of_crews (id int)")
    own.write("of_crews", '-- key = "id"\n-- schema = "bi"\nselect id, name from app.crews')
    with pytest.raises(RowsError, match=r"bi\.of_crews is there, and is no view of this table: rename the folder"):
        own.apply()


def test_a_role_without_rights(own: OwnTables) -> None:
    world = own.world
    upgrade.up(("roles",), url=world.url)
    world.execute("create schema crm; create table crm.deals (id int primary key, owner text)")
    own.write("owners", '-- key = "owner"\nselect owner, count(*) as deals from crm.deals group by owner')
    own.apply()
    owner, world.warehouse = (
        world.warehouse,
        Warehouse(make_url(world.url).set(username="convo_pipeline").render_as_string(hide_password=False)),
    )
    try:
        for right in ("usage on schema crm", "select on crm.deals"):
            world.execute("insert into crm.deals select 1 + count(*), 'ana' from crm.deals")
            talk(world, 30)
            with pytest.raises(ticks.SourceError, match=r"owners: permission denied for .*: grant that to the role"):
                own.tick()
            world.execute(f"grant {right} to convo_pipeline")
        own.tick()
        own.assert_right()
        with pytest.raises(MigrationError, match="must be owner of"):
            application.remove(world.warehouse, "owners")
        own.tick()
        own.assert_right()
    finally:
        world.warehouse.close()
        world.warehouse = owner
    application.remove(world.warehouse, "owners")


REFUSED = [
    (
        "select id from app.crews",
        'no key is declared: add a line such as `-- key = "conversation_id"`',
    ),
    (
        '-- key = "id"\nselect id from\n\nwhere',
        'rows.sql:4: syntax error at or near \\"where\\"',
    ),
    (
        '-- key = "id"\ndelete from app.crews',
        "it has to be one SELECT",
    ),
    (
        '-- key = "id"\nselect id from app.crews; select 1',
        "it has to be one SELECT",
    ),
    (
        '-- key = "id"\n\nselect id,\n  nothing from app.crews',
        'rows.sql:4: column \\"nothing\\" does not exist',
    ),
    (
        '-- key = "no"\nselect id from app.crews',
        "there is no column no: the SELECT returns id",
    ),
    (
        '-- key = "id"\n-- x: text\nselect id from app.crews',
        "there is no column x: the SELECT returns id",
    ),
    (
        '-- key = "id"\n-- colour = "red"\nselect id from app.crews',
        "rows.sql:2: colour cannot be declared: only accepted_values, by, cron",
    ),
    (
        "-- key = id\nselect id from app.crews",
        "rows.sql:1: id is no value: write",
    ),
    (
        '-- key = "id"\nselect id, id from app.crews',
        "column 1 has no name of its own",
    ),
    (
        '-- key = "id"\nselect id, 1 from app.crews',
        "column 2 has no name of its own",
    ),
    (
        '-- key = "id"\nselect id, name as refreshed_at from app.crews',
        "refreshed_at cannot be the name of a column",
    ),
    (
        "-- key = \"id\"\nselect id, '{}'::json as j from app.crews",
        "values of json cannot be compared: cast column j to jsonb",
    ),
    (
        '-- key = "id"\nselect id from crews',
        "rows.sql:2: crews has no schema: write, for example, app.crews",
    ),
    (
        '-- key = "id"\nselect id from app.nothing',
        "rows.sql:2: there is no table or view app.nothing",
    ),
    (
        '-- key = "id"\nselect id, now() as t from app.crews',
        "rows.sql:2: now\\(\\) is not deterministic",
    ),
    (
        '-- key = "id"\nselect id,\ncurrent_date as t from app.crews',
        "rows.sql:3: current_date is not deterministic",
    ),
    (
        '-- key = "id"\nselect id, random() as r from app.crews',
        "random\\(\\) is volatile",
    ),
    (
        '-- key = "id"\nselect id, age(created_at) as r from app.crews',
        "age\\(\\) is not deterministic",
    ),
    (
        '-- key = "client_id"\nselect client_id, array_agg(id) as a from app.crews group by 1',
        "array_agg\\(\\) without ORDER BY",
    ),
    (
        '-- key = "id"\nselect id from app.crews order by name limit 3',
        "LIMIT takes rows of app.crews in an order that is not",
    ),
    (
        '-- key = "client_id"\nselect distinct on (client_id) client_id, id from app.crews order by client_id, name',
        "DISTINCT ON takes rows of app.crews in an order that is not complete: add id",
    ),
    (
        '-- key = "id"\nselect id, row_number() over (order by name) as n from app.crews',
        "row_number\\(\\) takes rows of app.crews",
    ),
    (
        '-- key = "id"\nselect id, count(*) over () as n from app.crews',
        "a row of app.crews does not lead to id",
    ),
    (
        '-- key = "n"\nselect count(*) as n from app.crews',
        "does not lead to n",
    ),
    (
        '-- key = "id"\nselect id from analytics.refresh_state as r (id)',
        "whose changes are not logged",
    ),
    (
        '-- key = "id"\nselect a as id from app.without_key',
        "app.without_key has no primary key: add one",
    ),
    (
        '-- key = "id"\nselect a as id from app.materialized',
        "app.materialized is a materialized view, whose changes cannot",
    ),
    ('-- key = "id"\n-- job = "mine"\nselect id from app.crews', "rows.sql:2: there is no job mine"),
    (
        '-- key = "id"\n-- cron = "hourly"\nselect id from app.crews',
        "rows.sql:2: hourly is not a cron expression of five",
    ),
    (
        '-- key = "id"\n-- cron = "0 6 * * *"\n-- job = "link_sync"\nselect id from app.crews',
        "a job or a cron, not both",
    ),
    ('-- key = "id"\n-- range = "id"\nselect id from app.crews', "rows.sql:2: range is of columns: write"),
    ('-- key = "id"\n-- range = { id = 1 }\nselect id from app.crews', r"range of id is not one: write `\{ minutes = "),
    ('-- key = "id"\n-- not_null = ["x"]\nselect id from app.crews', "not_null: there is no column x"),
    (
        '-- key = "id"\nselect id, $1::text as x from app.crews',
        r"rows.sql:2: there is no parameter \$1",
    ),
    (
        '-- key = "id"\nselect id, public.f(id) as x from app.crews',
        r"rows.sql:2: function public.f\(uuid\) does not exist",
    ),
    (
        "-- key = \"id\"\nselect id, created_at > 'today' as x from app.crews",
        "'today' is not deterministic",
    ),
    (
        '-- key = "id"\nselect id, array_agg(name order by is_active) as x from app.crews group by id',
        r"array_agg\(\) takes rows of app.crews in an order that is not complete",
    ),
    (
        '-- key = "id"\nselect id, x from app.view_of_now',
        "the view app.view_of_now: current_date is not deterministic",
    ),
    (
        '-- key = "id"\nselect id, sum(extract(epoch from created_at)::float8) as x from app.crews group by id',
        r"sum\(\) of floating-point numbers depends on their order",
    ),
    (
        '-- key = "id"\nselect id, sum(1) over (partition by client_id order by name rows 2 preceding) as x '
        "from app.crews",
        r"sum\(\) takes rows of app.crews in an order that is not complete",
    ),
    (
        '-- key = "id"\nselect distinct on (client_id) client_id, name as id from app.crews order by client_id, id',
        "DISTINCT ON takes rows of app.crews in an order that is not complete: add id",
    ),
    (
        '-- key = "id"\nselect id, name as present from app.crews',
        "present cannot be the name of a column",
    ),
    (
        '-- key = "id"\nselect id, name as "50%" from app.crews',
        "50% cannot be the name of a column",
    ),
    (
        '-- key = "id"\nselect id, name collate "C" as name from app.crews',
        "name has a collation of its own: write",
    ),
    (
        '-- key = "id"\nselect oid as id from pg_catalog.pg_class',
        "pg_catalog.pg_class is a catalog",
    ),
    (
        '-- key = "id"\nselect tags[1] as id, count(*) as n from app.with_array group by 1',
        r"the keys depend on tags of app.with_array, whose type integer\[\] cannot be logged",
    ),
    (
        '-- key = "id"\nselect crew.id, count(*) as n from app.crews as crew '
        "inner join app.with_array as other on other.word = crew.name group by 1",
        "the keys depend on word of app.with_array, whose collation is not deterministic",
    ),
    (
        '-- key = "id"\nselect one.id from app."with array" as one inner join app.with_array as other using (id)',
        "would be logged by the name of another, with_array: rename one of them",
    ),
    (
        '-- key = "id"\nselect tags as id, count(*) as n from app.with_array group by 1',
        "id is an array, which cannot be a key",
    ),
    (
        '-- key = "id"\nselect app.last(id::text) as id from app.crews group by name',
        r"app.last\(\) is an aggregate whose keys are not known",
    ),
    (
        '-- key = "id"\n-- personal = "nam"\nselect id, name from app.crews',
        "there is no column nam: the SELECT returns id, name",
    ),
    (
        '-- key = "id"\n-- day = "name"\nselect id, name from app.crews',
        "day = name: its values are text, neither days nor times",
    ),
    (
        '-- key = "id"\nselect id from app.histories_a',
        "rows.sql:2: app.histories_a is the histories table of a crew, of which only session ids and days are logged",
    ),
    (
        '-- key = "id"\nselect id from app.of_histories',
        "app.histories_a is the histories table of a crew",
    ),
]


@pytest.mark.parametrize(("rows", "said"), REFUSED)
def test_what_cannot_be_kept_exact_is_refused_with_the_place_and_the_remedy(
    own: OwnTables, rows: str, said: str
) -> None:
    own.world.execute("create table app.without_key (a int)")
    own.world.execute("create collation app.vague (locale = 'C')")
    own.world.execute("set allow_system_table_mods = on")
    own.world.execute("update pg_collation set collisdeterministic = false where collname = 'vague'")
    own.world.execute("create table app.with_array (id int primary key, tags int[], word text collate app.vague)")
    own.world.execute("create view app.view_of_now as select id, created_at > current_date as x from app.crews")
    own.world.execute('create table app."with array" (id int primary key)')
    own.world.execute("create aggregate app.last(text) (sfunc = textcat, stype = text)")
    own.world.execute("create materialized view app.materialized as select a from app.without_key")
    own.world.crew("A")
    own.world.execute("create view app.of_histories as select * from app.histories_a")
    own.write("wrong", rows)
    with pytest.raises(RowsError, match=said):
        own.apply()
    assert not (own.folder / "wrong" / "generated").exists()


def test_names_and_folders(own: OwnTables, environment: Callable[..., Settings]) -> None:
    own.write("Wrong-name", OF_SUMMARIES)
    with pytest.raises(RowsError, match="Wrong-name cannot be the name of a table"):
        own.apply()
    (own.folder / "Wrong-name" / "rows.sql").unlink()
    own.write("clients_conversations", OF_SUMMARIES)
    with pytest.raises(TableFoldersError, match="clients_conversations has the name of the table in"):
        own.apply()
    (own.folder / "clients_conversations" / "rows.sql").unlink()
    own.write("crews", OF_SUMMARIES)
    with pytest.raises(RowsError, match=r"the log of app\.crews has the name crews_changes: rename"):
        own.apply()
    (own.folder / "crews" / "rows.sql").unlink()
    for name in ("client_names", "refresh_state", "schema_migration_code"):
        own.write(name, OF_SUMMARIES)
        with pytest.raises(RowsError, match=f"analytics has {name}, which is no table of one's own: rename the folder"):
            own.apply()
        (own.folder / name / "rows.sql").unlink()
    own.write("messages_changes", OF_SUMMARIES)
    with pytest.raises(RowsError, match=r"messages_changes cannot be the name of a table: .* without _changes"):
        own.apply()
    (own.folder / "messages_changes").rename(own.folder / "latin")
    (own.folder / "latin" / "rows.sql").write_bytes(b"-- \xe4\n")
    with pytest.raises(RowsError, match=r"latin/rows\.sql cannot be read: 'utf-8' codec"):
        own.apply()
    (own.folder / "latin" / "rows.sql").unlink()
    environment(CONVO_TABLES="/nowhere")
    application.forget()
    with pytest.raises(TableFoldersError, match="CONVO_TABLES names /nowhere, which is no folder"):
        own.apply()


def test_tables_that_follow_each_other_in_a_circle_are_named(own: OwnTables) -> None:
    own.write("one", '-- key = "id"\nselect id from app.crews')
    own.apply()
    own.write("two", '-- key = "id"\nselect id from analytics.one')
    own.apply()
    own.write("one", '-- key = "id"\nselect id from analytics.two')
    with pytest.raises(DeclarationError, match="tables follow each other in a circle: "):
        own.apply("one")
    assert "from app.crews" in (own.folder / "one" / "generated" / "rows.sql").read_text()
    own.tick()


def test_a_database_that_cannot_be_changed_leaves_the_files_as_they_were(own: OwnTables) -> None:
    own.write("one", '-- key = "id"\nselect id, name from app.crews')
    own.apply()
    own.world.execute("create view public.of_one as select name from analytics.one")
    own.write("one", '-- key = "id"\nselect id from app.crews')
    with pytest.raises(MigrationError, match="of_one"):
        own.apply()
    assert "name" in (own.folder / "one" / "generated" / "table.toml").read_text()
    own.tick()


def test_a_table_is_tried_on_a_scratch_server(own: OwnTables) -> None:
    own.write("reply_sla", REPLY_SLA)
    own.write("of_clients", OF_CLIENTS)
    own.apply()
    talk(own.world, 30)
    own.world.execute("insert into app.reply_targets select id, 60 from app.clients")
    before = [
        own.world.execute(f"select * from app.{table}") for table in ("messages", "conversations", "reply_targets")
    ]
    testing.assert_exact("reply_sla", seconds=2, seed=1, warehouse=own.world.warehouse)
    found = proof.check(own.world.warehouse, "of_clients", seconds=6, seed=2)
    assert found.failure == ()
    assert found.changes
    assert found.comparisons
    after = [
        own.world.execute(f"select * from app.{table}") for table in ("messages", "conversations", "reply_targets")
    ]
    assert after == before
    assert own_tables.edited() == []


def test_a_table_that_is_not_exact_is_shown_with_the_shortest_sequence(
    own: OwnTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.write("reply_sla", REPLY_SLA)
    talk(own.world, 30)
    own.world.execute("insert into app.reply_targets select id, 60 from app.clients")
    derived = compilation.derived_keys

    def without_messages(*arguments: Any) -> list[str]:
        return [query for query in derived(*arguments) if "messages" not in query]

    monkeypatch.setattr(compilation, "derived_keys", without_messages)
    with pytest.raises(AssertionError) as failed:
        testing.assert_exact("reply_sla", seconds=20, seed=1, warehouse=own.world.warehouse)
    said = str(failed.value).splitlines()
    assert said[0] == "the table is wrong after these changes:"
    changes = [line for line in said if line.startswith(("insert", "update", "delete"))]
    assert len(changes) == 1
    assert "messages" in changes[0]
    assert said[said.index("-- the difference:") + 1].startswith(("-- missing: (", "-- wrong: ("))
