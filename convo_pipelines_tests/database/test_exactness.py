"""Whatever people do to histories tables, conversations, recipients, persons, crews and projects, and whatever runs at
the same time: after one more tick every table equals the oracle, and reconcile finds no drift."""

import logging
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from psycopg.types.json import Jsonb

from convo_pipelines.database import locks
from convo_pipelines.database.locks import TableLockedError
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import capture, chunks, spans, ticks
from convo_pipelines.engine.leases import Lease
from convo_pipelines.engine.scopes import Window
from convo_pipelines.model import crews, reconcile
from convo_pipelines.model.tables import DERIVED_TABLES, DISCOVERY, REGISTRY
from convo_pipelines.serving.follow import IDLE_SECONDS, Follower
from convo_pipelines.serving.sessions import SessionKey, complete
from convo_pipelines.sources.adoption import installation
from convo_pipelines_tests import adopted, oracle
from convo_pipelines_tests.interleaving import interleave
from convo_pipelines_tests.world import DAY, World, at

EXAMPLES = int(os.environ.get("EXACTNESS_EXAMPLES", "4"))
STEPS = int(os.environ.get("EXACTNESS_STEPS", "30"))
CLIENTS = ("C1", "C2")
CREWS = {"A": "C1", "B": "C1", "C": "C2"}
KINDS = {"email": "email", "phone": "phone", "linkedin": "linkedin_urn"}
SPELLED = {
    "email": [s for i, spellings in oracle.SPELLINGS.items() if i is None or "@" in i for s in spellings],
    "phone": [s for i, spellings in oracle.SPELLINGS.items() if i is None or i[0] == "+" for s in spellings],
    "linkedin": [s for i, spellings in oracle.SPELLINGS.items() if i is None or "li" in i for s in spellings],
}
spelled = st.sampled_from(list(KINDS)).flatmap(lambda kind: st.tuples(st.just(kind), st.sampled_from(SPELLED[kind])))
clients = st.sampled_from(CLIENTS)
crew_codes = st.sampled_from(list(CREWS))
sessions = st.sampled_from([*oracle.SESSION_IDS, "s1"])
identifiers = st.sampled_from([*filter(None, oracle.SESSION_IDS.values()), "ana@xn--mnchen-3ya.example"])
CALL = {"type": "ai", "content": "", "tool_calls": [{"name": "search"}]}
kinds = st.sampled_from(["human", "ai", "tool", CALL, {"role": "user", "content": "…"}])
instants = st.builds(at, st.integers(-2, 2), st.integers(0, 23))
chance = st.integers(0, 999)
TABLES = (
    "clients",
    "crews",
    "people",
    "contact_methods",
    "conversations",
    "messages",
    "message_recipients",
    "projects",
)
HIDDEN = ("people", "contact_methods", "messages", "message_recipients", "projects", "users")
COLUMNS = (
    ("people", "email", "varchar(300)"),
    ("people", "phone", "text"),
    ("contact_methods", "value", "varchar(300)"),
    ("conversations", "channel", "varchar(20)"),
    ("conversations", "started_at", "timestamptz"),
    ("messages", "sent_at", "timestamptz"),
    ("messages", "direction", "varchar(20)"),
    ("histories", "session_id", "varchar(100)"),
    ("histories", "created_at", "timestamptz"),
)
ACTORS = (str(UUID(int=1)), str(UUID(int=2)))
IS_CAPTURED = """
select from pg_trigger where tgrelid = %s::regclass and tgname like 'convo_pipelines_update%%'
"""
UNBOUND = "select from analytics.foreign_keys() where is_wanted and not (is_right and is_valid)"
UNKNOWN = "select identifier, client_id, status, conversations from analytics.unknown_sessions"
KEYS_OF = """
select conrelid::regclass::text as child, conname as name, pg_get_constraintdef(oid) as definition
from pg_constraint
where contype = 'f' and %s::regclass in (conrelid, confrelid) and connamespace = %s::regnamespace
"""
log = logging.getLogger("test")
SETTINGS = hypothesis_settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a real database makes shrinking take an hour
    report_multiple_bugs=False,
)

# What a run of the pipeline may be, as functions of a warehouse.


def run_tick(warehouse: Warehouse) -> None:
    for table in DERIVED_TABLES:
        ticks.tick(warehouse, table, log)


def run_narrowed_tick(warehouse: Warehouse) -> None:
    for table in DISCOVERY:
        with suppress(crews.CrewError):  # it may be switched off
            ticks.tick(warehouse, table, log, crews.select(warehouse, ["A"]))


def run_backfill(warehouse: Warehouse) -> None:
    for table in DERIVED_TABLES:
        ticks.backfill(warehouse, table, Window.of_days(at(-1).date(), at(2).date()), log)


def run_reconcile(warehouse: Warehouse) -> None:
    assert reconcile.run(warehouse, log).drift.changed == 0


def run_complete(warehouse: Warehouse) -> None:
    complete(warehouse, [SessionKey(crew, session) for crew in CREWS for session in oracle.SESSION_IDS])


def unless_locked(run: Callable[[Warehouse], None]) -> Callable[[Warehouse], None]:
    """A run that may meet a view that another one reads, after an exchange: it fails, and the next tick goes on."""

    def attempt(warehouse: Warehouse) -> None:
        with suppress(TableLockedError):
            run(warehouse)

    return attempt


def run_follower(warehouse: Warehouse) -> None:
    follower = Follower(warehouse)
    for _ in range(2):
        follower.step()
    follower.end()


RUNS = (run_tick, run_narrowed_tick, run_backfill, run_reconcile, run_complete, run_follower)


class Company(RuleBasedStateMachine):
    """An application whose tables are those of `app`."""

    new_world: Callable[[], World]
    monkeypatch: pytest.MonkeyPatch
    owner = "app"
    """The schema of the tables."""

    def arrange(self) -> None:
        """Put the tables where they are."""

    def name_of(self, _table: str, column: str) -> str:
        """Return the owner's name of a column."""
        return column

    @contextmanager
    def altering(self) -> Iterator[None]:
        """Alter tables, in one transaction."""
        with self.world.connection.transaction():
            yield

    @initialize(
        has_foreign_keys=st.booleans(),
        few_keys=st.sampled_from([-1, 2, 1_000]),
        span_keys=st.sampled_from([1, 20_000]),
    )
    def open(self, has_foreign_keys: bool, few_keys: int, span_keys: int) -> None:
        type(self).monkeypatch.setattr(chunks, "FEW_KEYS", few_keys)
        type(self).monkeypatch.setattr(spans, "SPAN_KEYS", span_keys)
        self.world = type(self).new_world()
        self.follower = Follower(self.world.warehouse)
        self.has_foreign_keys = has_foreign_keys
        if not has_foreign_keys:
            self.world.drop_foreign_keys()
        self.late: psycopg.Connection[Any] | None = None
        self.deleted: set[tuple[UUID, str]] = set()
        self.assigned: dict[UUID, oracle.Assigned] = {}
        for crew, client in CREWS.items():
            self.world.crew(crew, client=client)
        for client in CLIENTS:
            self.world.person(client, email="ben@b.example", phone="+4915112345678")
        self.world.person("C1", email="ana@münchen.example", linkedin_urn="urn:li:member:7")
        contacts = [
            self.world.contact(spellings[-1], kind=kind)
            for kind, spellings in (
                ("email", SPELLED["email"][:3]),
                ("email", ["ben@b.example"]),
                ("phone", ["nobody"]),
            )
        ]
        for client in (*CLIENTS, None):
            talk = self.world.conversation(client=client)
            for contact in contacts:
                self.world.address(talk, contact)
            self.world.project(talk)
        self.arrange()
        run_tick(self.world.warehouse)

    def rows(self, table: str) -> list[dict[str, Any]]:
        return self.world.execute(f"select * from app.{table} order by created_at, id")

    def any(self, table: str, chance: int) -> Any:
        rows = self.rows(table)
        return rows[chance % len(rows)]["id"] if rows else None

    def update(self, table: str, chance: int, **values: object) -> None:
        for column, value in values.items():
            self.world.execute(f"update app.{table} set {column} = %s where id = %s", value, self.any(table, chance))

    def delete(self, table: str, chance: int) -> None:
        self.world.execute(f"delete from app.{table} where id = %s", self.any(table, chance))

    def table_of(self, crew: str) -> str:
        [row] = self.world.execute("select histories_table_name as name from app.crews where crew_code = %s", crew)
        return row["name"]

    # Histories tables

    @rule(crew=crew_codes, session=sessions, kind=kinds, when=instants)
    def say(self, crew: str, session: str, kind: str | dict[str, Any], when: object) -> None:
        self.world.tables[crew] = self.table_of(crew)
        self.world.say(session, kind, when, crew)

    @rule(crew=crew_codes, number=st.integers(-3, 0), session=sessions, when=instants)
    def say_with_an_odd_id(self, crew: str, number: int, session: str, when: object) -> None:
        self.world.execute(
            f"insert into app.{self.table_of(crew)} (id, session_id, message, created_at) values (%s, %s, '{{}}', %s) "
            "on conflict (id) do update set created_at = excluded.created_at",
            *(number, session, when),
        )

    @rule(crew=crew_codes, which=chance, session=sessions, kind=kinds, when=instants)
    def edit_history(self, crew: str, which: int, session: str, kind: str | dict[str, Any], when: object) -> None:
        table = self.table_of(crew)
        message = Jsonb(kind if isinstance(kind, dict) else {"type": kind})
        self.world.execute(
            f"update app.{table} set session_id = %s, message = %s, created_at = %s where id = %s",
            *(session, message, when, self.any(table, which)),
        )

    @rule(crew=crew_codes, which=chance)
    def delete_history(self, crew: str, which: int) -> None:
        self.delete(self.table_of(crew), which)

    @rule(crew=crew_codes)
    def delete_newest(self, crew: str) -> None:
        table = self.table_of(crew)
        self.world.execute(f"delete from app.{table} where id = (select max(id) from app.{table})")

    @precondition(lambda self: self.late is None)
    @rule(crew=crew_codes)
    def truncate(self, crew: str) -> None:
        self.world.execute(f"truncate {self.owner}.{self.table_of(crew)} restart identity")

    @rule(one=crew_codes, other=crew_codes)
    def exchange_tables(self, one: str, other: str) -> None:
        tables = self.table_of(one), self.table_of(other)
        with self.world.connection.transaction():
            for crew, table in zip((one, other), reversed(tables), strict=True):
                self.world.execute("update app.crews set histories_table_name = %s where crew_code = %s", table, crew)

    @precondition(lambda self: self.late is None)
    @rule(crew=crew_codes, session=sessions)
    def swap_by_rename(self, crew: str, session: str) -> None:
        table = self.table_of(crew)
        with self.altering():
            self.world.execute(f"create table {self.owner}.new (like {self.owner}.{table} including all)")
            self.world.execute(f"alter table {self.owner}.{table} rename to old_{uuid4().hex}")
            self.world.execute(f"alter table {self.owner}.new rename to {table}")
        self.world.execute(f"insert into app.{table} (session_id, created_at) values (%s, %s)", session, at(0))

    @precondition(lambda self: self.late is None)
    @rule(crew=crew_codes, session=sessions, when=instants, is_saved=st.booleans())
    def begin_late(self, crew: str, session: str, when: object, is_saved: bool) -> None:
        self.late = psycopg.connect(self.world.url)
        table = self.table_of(crew)
        self.late.execute(f"insert into app.{table} (session_id, created_at) values (%s, %s)", [session, when])
        try:
            with self.late.transaction():
                self.late.execute(f"insert into app.{table} (session_id, created_at) values ('saved', %s)", [when])
                if not is_saved:
                    raise psycopg.Rollback
        except psycopg.Rollback:
            pass

    @precondition(lambda self: self.late is not None)
    @rule(is_committed=st.booleans())
    def end_late(self, is_committed: bool) -> None:
        if self.late:
            if is_committed:
                self.late.commit()
            self.late.close()
            self.late = None

    # Crews and clients

    @rule(crew=crew_codes, is_active=st.booleans())
    def switch_crew(self, crew: str, is_active: bool) -> None:
        self.world.execute("update app.crews set is_active = %s where crew_code = %s", is_active, crew)

    @rule(client=clients, is_active=st.booleans())
    def switch_client(self, client: str, is_active: bool) -> None:
        self.world.execute("update app.clients set is_active = %s where client_code = %s", is_active, client)

    @rule(crew=crew_codes, client=clients)
    def move_crew(self, crew: str, client: str) -> None:
        self.world.execute("update app.crews set client_id = %s where crew_code = %s", self.world.client(client), crew)

    # People and their identifiers

    @rule(client=clients, given=spelled)
    def new_person(self, client: str, given: tuple[str, str]) -> None:
        self.world.person(client, **{KINDS[given[0]]: given[1]})

    @rule(who=chance, given=spelled, is_cleared=st.booleans())
    def change_person(self, who: int, given: tuple[str, str], is_cleared: bool) -> None:
        self.update("people", who, **{KINDS[given[0]]: None if is_cleared else given[1]})

    @rule(who=chance, client=clients)
    def move_person(self, who: int, client: str) -> None:
        self.update("people", who, client_id=self.world.client(client))

    @rule(who=chance)
    def delete_person(self, who: int) -> None:
        self.delete("people", who)

    @rule()
    def reload_people(self) -> None:
        """As an import does that begins with a delete."""
        given_to = self.world.execute("select id, person_id from app.contact_methods where person_id is not null")
        people = self.rows("people")
        with self.world.connection.transaction():
            self.world.execute("delete from app.people")
            for person in people:
                self.world.insert("people", **person)
            for contact in given_to:
                assign = "update app.contact_methods set person_id = %s where id = %s"
                self.world.execute(assign, contact["person_id"], contact["id"])

    @rule(given=spelled, who=st.none() | chance)
    def new_contact(self, given: tuple[str, str], who: int | None) -> None:
        self.world.contact(given[1], None if who is None else self.any("people", who), given[0])

    @rule(which=chance, given=spelled)
    def respell_contact(self, which: int, given: tuple[str, str]) -> None:
        self.world.execute(
            "update app.contact_methods set kind = %s, value = %s where id = %s",
            *given,
            self.any("contact_methods", which),
        )

    @rule(which=chance, who=st.none() | chance)
    def assign_contact(self, which: int, who: int | None) -> None:
        self.update("contact_methods", which, person_id=None if who is None else self.any("people", who))

    @rule(which=chance)
    def delete_contact(self, which: int) -> None:
        self.delete("contact_methods", which)

    # What people decide by hand

    @rule(about=chance | identifiers, who=chance, decision=st.sampled_from(["link", "never"]))
    def decide(self, about: int | str, who: int, decision: str) -> None:
        named = about if isinstance(about, str) else self.any("contact_methods", about)
        person = self.any("people", who)
        if named and person:
            with suppress(psycopg.errors.UniqueViolation):
                self.world.decide(named, person, decision)

    @rule(which=chance)
    def revoke(self, which: int) -> None:
        if in_force := self.world.execute(
            "select id from curation.participant_decisions where revoked_at is null order by decided_at"
        ):
            self.world.execute(
                "update curation.participant_decisions set revoked_at = now() where id = %s",
                in_force[which % len(in_force)]["id"],
            )

    # Conversations and who they are addressed to

    @rule(client=st.none() | clients, project=st.none() | chance)
    def new_conversation(self, client: str | None, project: int | None) -> None:
        to = None if project is None else self.any("projects", project)
        talk = self.world.conversation(client=client, project_id=to)
        [row] = self.world.execute("select created_at from app.conversations where id = %s", talk)
        self.note_assignment(talk, to, row["created_at"], None)

    def note_assignment(self, talk: UUID, project: UUID | None, when: datetime, actor: str | None) -> None:
        if self.world.execute(IS_CAPTURED, f"{self.owner}.conversations"):
            self.assigned[talk] = (project, when, actor)

    @rule(which=chance, client=st.none() | clients)
    def move_conversation_to_client(self, which: int, client: str | None) -> None:
        self.update("conversations", which, client_id=client and self.world.client(client))

    @rule(which=chance, channel=st.sampled_from(["email", "chat"]), when=instants)
    def edit_conversation(self, which: int, channel: str, when: object) -> None:
        self.update("conversations", which, channel=channel, started_at=when)

    @rule(which=chance)
    def close(self, which: int) -> None:
        self.update("conversations", which, closed_at=at(1))

    @rule(which=chance, session=st.none() | sessions, is_crew_kept=st.booleans())
    def detach_from_session(self, which: int, session: str | None, is_crew_kept: bool) -> None:
        talks = [row for row in self.rows("conversations") if row["crew_id"]]
        if not talks:
            return
        talk = talks[which % len(talks)]
        taken = {(row["crew_id"], row["session_id"]) for row in talks}
        if session and is_crew_kept and (talk["crew_id"], session) in taken:
            return
        self.deleted.add((talk["crew_id"], talk["session_id"]))
        crew = talk["crew_id"] if is_crew_kept else None
        self.world.execute(
            "update app.conversations set session_id = %s, crew_id = %s where id = %s", session, crew, talk["id"]
        )

    @rule(which=chance)
    def delete_conversation(self, which: int) -> None:
        for talk in self.rows("conversations"):
            if talk["id"] == self.any("conversations", which):
                self.deleted.add((talk["crew_id"], talk["session_id"]))
        self.delete("conversations", which)

    @rule(which=chance, contact=chance)
    def address(self, which: int, contact: int) -> None:
        talk, to = self.any("conversations", which), self.any("contact_methods", contact)
        if talk and to:
            self.world.address(talk, to)

    @rule(which=chance, contact=chance, message=chance, is_moved=st.booleans())
    def readdress(self, which: int, contact: int, message: int, is_moved: bool) -> None:
        if is_moved and (to := self.any("messages", message)):
            self.update("message_recipients", which, message_id=to)
        elif to := self.any("contact_methods", contact):
            self.update("message_recipients", which, contact_method_id=to)

    @rule(which=chance, talk=chance)
    def move_message(self, which: int, talk: int) -> None:
        if to := self.any("conversations", talk):
            self.update("messages", which, conversation_id=to)

    @rule(which=chance, when=instants, direction=st.sampled_from(["inbound", "outbound"]))
    def edit_message(self, which: int, when: object, direction: str) -> None:
        self.update("messages", which, sent_at=when, direction=direction)

    @rule(which=chance, table=st.sampled_from(["message_recipients", "messages"]))
    def delete_message_or_recipient(self, which: int, table: str) -> None:
        self.delete(table, which)

    # Projects and their drifting arrays

    @rule(talks=st.lists(chance, max_size=3), has_stale_id=st.booleans())
    def new_project(self, talks: list[int], has_stale_id: bool) -> None:
        ids = [self.any("conversations", talk) for talk in talks]
        self.world.project(*(i for i in ids if i), *([uuid4()] if has_stale_id else []))

    @rule(which=chance, talks=st.lists(chance, max_size=3))
    def rewrite_array(self, which: int, talks: list[int]) -> None:
        ids = [self.any("conversations", talk) for talk in talks]
        self.update("projects", which, conversation_ids=[i for i in ids if i])

    @rule(which=chance, project=st.none() | chance, actor=st.sampled_from(["nobody", *ACTORS]))
    def move_conversation(self, which: int, project: int | None, actor: str) -> None:
        to = None if project is None else self.any("projects", project)
        for talk in self.rows("conversations"):
            if talk["id"] == self.any("conversations", which):
                moved_at = self.world.assign(talk["id"], to, actor)
                if talk["project_id"] != to:
                    self.note_assignment(talk["id"], to, moved_at, actor)

    @rule(which=chance)
    def delete_project(self, which: int) -> None:
        self.delete("projects", which)

    @rule(which=chance)
    def delete_user(self, which: int) -> None:
        self.delete("users", which)

    @rule(actor=st.sampled_from(ACTORS))
    def new_user(self, actor: str) -> None:
        self.world.execute("insert into app.users (id, name) values (%s, '…') on conflict do nothing", actor)

    # The application's schema

    @rule(table=st.sampled_from(TABLES))
    def exchange_table(self, table: str) -> None:
        """Exchange a table by rename for a copy, which gets the foreign keys."""
        owner = self.owner
        keys = self.world.execute(KEYS_OF, f"{owner}.{table}", owner)
        with self.altering():
            for key in keys:
                self.world.execute(f"alter table {key['child']} drop constraint {key['name']}")
            self.world.execute(f"create table {owner}.new (like {owner}.{table} including all)")
            self.world.execute(f"insert into {owner}.new select * from {owner}.{table}")
            self.world.execute(f"alter table {owner}.{table} rename to old_{uuid4().hex}")
            self.world.execute(f"alter table {owner}.new rename to {table}")
            for key in keys:
                self.world.execute(f"alter table {key['child']} add constraint {key['name']} {key['definition']}")

    @precondition(lambda self: self.late is None)
    @rule(column=st.sampled_from(COLUMNS))
    def exchange_column(self, column: tuple[str, str, str]) -> None:
        """Add a column, fill it, and exchange it by rename."""
        table, name, kind = column
        table = self.table_of("A") if table == "histories" else table
        former, own = f"former_{uuid4().hex}", self.name_of(table, name)
        table = f"{self.owner}.{table}"
        self.world.execute(f"alter table {table} add new {kind}")
        self.world.execute(f"update {table} set new = {own}")
        with self.altering():
            self.world.execute(f"alter table {table} rename {own} to {former}")
            self.world.execute(f"alter table {table} rename new to {own}")
            self.world.execute(f"alter table {table} alter {former} drop default, alter {former} drop not null")

    @precondition(lambda self: not self.has_foreign_keys)
    @rule()
    def truncate_conversations(self) -> None:
        self.deleted |= {(talk["crew_id"], talk["session_id"]) for talk in self.rows("conversations")}
        tables = [f"{self.owner}.{table}" for table in ("message_recipients", "messages", "conversations")]
        self.world.execute(f"truncate {', '.join(tables)}")

    # The pipeline

    @rule()
    def follow(self) -> None:
        """A follower that has seen what was before, and looks at the catalog now; it yields to the ticks in between."""
        self.follower._catalog.hurry()
        for _ in range(20):
            if self.follower.step() == IDLE_SECONDS:
                break
        self.assert_right()
        Lease(self.world.warehouse, [table.name for table in DERIVED_TABLES]).want()
        self.follower.step()
        self.world.execute(NOT_WANTED)

    @rule()
    def tick(self) -> None:
        run_tick(self.world.warehouse)
        self.assert_right()

    @rule()
    def reconcile(self) -> None:
        run_reconcile(self.world.warehouse)
        self.assert_right()

    @rule(steps=st.lists(st.tuples(st.sampled_from(DERIVED_TABLES), st.booleans()), min_size=1, max_size=6))
    def compare(self, steps: list[tuple[Any, bool]]) -> None:
        """Some tables are ahead of others: what differs then is no drift."""
        for table, is_compared in steps:
            outcome, _ = (ticks.compare if is_compared else ticks.tick)(self.world.warehouse, table, log)
            assert outcome.drift.changed == 0, table.name

    @rule(crew=crew_codes, session=sessions)
    def complete(self, crew: str, session: str) -> None:
        """Whoever asks for a session is told what there is of it, whatever no tick has read."""
        answer = complete(self.world.warehouse, [asked := SessionKey(crew, session)]).answers[asked]
        if isinstance(answer, dict):
            talk, summaries = answer["conversation_id"], oracle.summaries(self.world)
            counted = [dict(zip(oracle.SUMMARY_COLUMNS, row, strict=True)) for row in summaries if row[0] == talk]
            assert [row["message_count"] for row in counted] == [answer["message_count"]]
            assert answer["people"] == len({who for who, where in oracle.people_links(self.world) if where == talk})
            assert answer["clients"] == len({row[0] for row in oracle.client_links(self.world) if row[1] == talk})

    @rule(tables=st.sets(st.sampled_from(DERIVED_TABLES), min_size=1), day=st.integers(-2, 1), crew=crew_codes)
    def backfill(self, tables: set[Any], day: int, crew: str) -> None:
        first = (DAY + timedelta(days=day)).date()
        window = Window.of_days(first, first + timedelta(days=1))
        for table in DERIVED_TABLES:
            if table in tables:
                active = {row["code"] for row in self.world.execute(ACTIVE)}
                narrowing = crews.select(self.world.warehouse, [crew]) if day > 0 and crew in active else None
                ticks.backfill(self.world.warehouse, table, window, log, narrowing)

    @rule(
        runs=st.lists(st.sampled_from(RUNS), min_size=2, max_size=2),
        turns=st.lists(st.integers(0, 2), min_size=5, max_size=60),
        seed=chance,
    )
    def interleave(self, runs: list[Callable[[Warehouse], None]], turns: list[int], seed: int) -> None:
        rng = random.Random(seed)
        interleave(
            self.world.url,
            [unless_locked(run) for run in runs],
            turns,
            lambda: self.write_something(rng),
            type(self).monkeypatch,
        )
        self.tick()

    def write_something(self, rng: random.Random) -> None:
        crew, which = rng.choice(list(CREWS)), rng.randrange(1_000)
        session = rng.choice(list(oracle.SESSION_IDS))
        rng.choice([
            lambda: self.say(crew, session, "ai", at(rng.randint(-2, 2))),
            lambda: self.delete_history(crew, which),
            lambda: self.edit_history(crew, which, session, "human", at(0)),
            lambda: self.address(which, which // 7),
            lambda: self.delete_message_or_recipient(which, "message_recipients"),
            lambda: self.new_person("C1", ("email", "ben@b.example")),
            lambda: self.assign_contact(which, which // 7),
            lambda: self.move_message(which, which // 7),
            lambda: self.decide(which, which // 7, "link"),
            lambda: self.revoke(which),
            lambda: self.move_conversation_to_client(which, "C2"),
            lambda: self.move_conversation(which, which // 7, "nobody"),
        ])()  # fmt: skip

    def assert_right(self) -> None:
        oracle.assert_right(self.world, self.deleted)
        oracle.assert_links_right(self.world)
        oracle.assert_assigned(self.world, self.assigned)
        assert oracle.unknown_sessions(self.world) == {tuple(row.values()) for row in self.world.execute(UNKNOWN)}

    def teardown(self) -> None:
        if not hasattr(self, "deleted"):
            return
        self.end_late(True)
        self.world.execute("update app.crews set is_active = true; update app.clients set is_active = true")
        run_tick(self.world.warehouse)
        self.assert_right()
        if self.world.execute(UNBOUND):  # rows that violated the key were deleted by this tick: the next adds it
            capture.sync(self.world.warehouse, REGISTRY)
            assert not self.world.execute(UNBOUND)
        assert not ticks.have_news(self.world.warehouse, DERIVED_TABLES)
        assert reconcile.run(self.world.warehouse, log).repairs.changed == 0
        self.world.close()


class AdoptedCompany(Company):
    """An application with tables of its own, which `app` shows by views: a column has another name, rows are hidden."""

    owner = "owner"

    def arrange(self) -> None:
        adopted.move_to_owner(self.world)

    def name_of(self, table: str, column: str) -> str:
        return f'"its {column}"' if column == adopted.renamed(table) else column

    @contextmanager
    def altering(self) -> Iterator[None]:
        installation.release(self.world.warehouse)
        with self.world.connection.transaction():
            yield
        assert not [view for view in installation.restore(self.world.warehouse) if view.remark]

    @rule(table=st.sampled_from(TABLES))
    def exchange_table(self, table: str) -> None:
        """While a transaction that has written is open, views are not released: the table is not exchanged."""
        if self.late is None:
            super().exchange_table(table)
        else:
            with pytest.raises(TableLockedError, match=rf"pid {self.late.info.backend_pid} of"):
                installation.release(self.world.warehouse)

    @rule(table=st.sampled_from(HIDDEN), which=chance)
    def hide(self, table: str, which: int) -> None:
        self.world.execute(f"update owner.{table} set hidden = true where id = %s", self.any(table, which))

    @rule(table=st.sampled_from(HIDDEN))
    def show(self, table: str) -> None:
        self.world.execute(f"update owner.{table} set hidden = false")

    @rule(crew=crew_codes, is_hidden=st.booleans(), which=chance)
    def hide_history(self, crew: str, is_hidden: bool, which: int) -> None:
        table = self.table_of(crew)
        self.world.execute(f"update owner.{table} set hidden = %s where id %% 7 = %s", is_hidden, which % 7)


NOT_WANTED = "update analytics.refresh_state set lease_wanted_until = null, written_by = pg_current_xact_id()"
ACTIVE = """
select crew_code as code from app.crews join app.clients on clients.id = client_id
where crews.is_active and clients.is_active
"""


@pytest.mark.long(30)
@pytest.mark.parametrize("company", [Company, AdoptedCompany])
def test_after_any_history_and_one_more_tick_every_table_equals_the_oracle(
    new_world: Callable[[], World],
    monkeypatch: pytest.MonkeyPatch,
    environment: Callable[..., object],
    company: type[Company],
) -> None:
    environment(REFRESH_WORKERS="1")
    monkeypatch.setattr(locks, "LOCK_ATTEMPTS", 1)
    monkeypatch.setattr(capture, "RETRY_SECONDS", 0)
    company.new_world = staticmethod(new_world)
    with pytest.MonkeyPatch.context() as company.monkeypatch:  # of the class, so that no test after it keeps few keys
        run_state_machine_as_test(company, settings=SETTINGS)
