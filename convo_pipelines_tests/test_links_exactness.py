"""Whatever people do to conversations, recipients, persons and projects: one more tick, and the links are right.

What is deleted without a trace is right after the next reconcile.
"""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from convo_pipelines import watermarks
from convo_pipelines.settings import settings
from convo_pipelines_tests import oracle
from convo_pipelines_tests.world import DAY, LINKS, World, at

CLIENTS = ("C1", "C2")
KINDS = {"email": "email", "phone": "phone", "linkedin": "linkedin_urn"}
SPELLED = {
    "email": [s for i, spellings in oracle.SPELLINGS.items() if i is None or "@" in i for s in spellings],
    "phone": [s for i, spellings in oracle.SPELLINGS.items() if i is None or i[0] == "+" for s in spellings],
    "linkedin": [s for i, spellings in oracle.SPELLINGS.items() if i is None or "li" in i for s in spellings],
}
spelled = st.sampled_from(list(KINDS)).flatmap(lambda kind: st.tuples(st.just(kind), st.sampled_from(SPELLED[kind])))
clients = st.sampled_from(CLIENTS)
chance = st.integers(0, 999)


class Office(RuleBasedStateMachine):
    world: World
    new_world: object

    @initialize()
    def open(self) -> None:
        self.world = type(self).new_world()
        for client in CLIENTS:
            self.world.crew(client, client=client)
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
        self.is_traced = True

    def any(self, table: str, chance: int) -> UUID | None:
        rows = self.world.execute(f"select id from app.{table} order by created_at, id")
        return rows[chance % len(rows)]["id"] if rows else None

    def update(self, table: str, chance: int, **values: object) -> None:
        for column, value in values.items():
            row = self.any(table, chance)
            self.world.execute(f"update app.{table} set {column} = %s where id = %s", value, row)

    def delete(self, table: str, chance: int) -> None:
        self.world.execute(f"delete from app.{table} where id = %s", self.any(table, chance))

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
        self.is_traced = False

    # Conversations and who they are addressed to

    @rule(client=st.none() | clients, project=st.none() | chance)
    def new_conversation(self, client: str | None, project: int | None) -> None:
        self.world.conversation(client=client, project_id=None if project is None else self.any("projects", project))

    @rule(crew=clients, session=st.sampled_from(list(oracle.SESSION_IDS)))
    def say(self, crew: str, session: str) -> None:
        self.world.say(session, "human", at(0), crew)
        self.world.tick(["histories_sessions", "crew_conversations"])

    @rule(which=chance, client=clients)
    def move_crew(self, which: int, client: str) -> None:
        self.update("crews", which, client_id=self.world.client(client))

    @rule(which=chance, client=st.none() | clients)
    def move_conversation_to_client(self, which: int, client: str | None) -> None:
        self.update("conversations", which, client_id=client and self.world.client(client))

    @rule(which=chance, contact=chance)
    def address(self, which: int, contact: int) -> None:
        talk, to = self.any("conversations", which), self.any("contact_methods", contact)
        if talk and to:
            self.world.address(talk, to)

    @rule(which=chance, contact=chance)
    def readdress(self, which: int, contact: int) -> None:
        if to := self.any("contact_methods", contact):
            self.update("message_recipients", which, contact_method_id=to)

    @rule(which=chance, table=st.sampled_from(["message_recipients", "messages"]))
    def delete_message_or_recipient(self, which: int, table: str) -> None:
        self.delete(table, which)
        self.is_traced = False

    @rule(which=chance)
    def delete_conversation(self, which: int) -> None:
        self.delete("conversations", which)
        self.is_traced = False

    # Projects and their drifting arrays

    @rule(talks=st.lists(chance, max_size=3), has_stale_id=st.booleans())
    def new_project(self, talks: list[int], has_stale_id: bool) -> None:
        ids = [self.any("conversations", talk) for talk in talks]
        self.world.project(*(i for i in ids if i), *([uuid4()] if has_stale_id else []))

    @rule(which=chance, talks=st.lists(chance, max_size=3))
    def rewrite_array(self, which: int, talks: list[int]) -> None:
        ids = [self.any("conversations", talk) for talk in talks]
        self.update("projects", which, conversation_ids=[i for i in ids if i])

    @rule(which=chance, project=st.none() | chance)
    def move_conversation(self, which: int, project: int | None) -> None:
        self.update("conversations", which, project_id=None if project is None else self.any("projects", project))

    @rule(which=chance)
    def delete_project(self, which: int) -> None:
        self.delete("projects", which)

    # The pipeline

    @rule()
    def tick(self) -> None:
        self.world.sync()
        if self.is_traced:
            oracle.assert_links_right(self.world)

    @rule(assets=st.sets(st.sampled_from(LINKS), min_size=1).map(sorted), day=st.integers(-2, 1))
    def backfill(self, assets: list[str], day: int) -> None:
        first = (DAY + timedelta(days=day)).date()
        self.world.backfill(first, first + timedelta(days=1), assets)

    @rule()
    def reconcile(self) -> None:
        self.world.reconcile()
        oracle.assert_links_right(self.world)
        assert self.world.reconcile().repairs.total == self.world.reconcile().repairs.unchanged
        self.is_traced = True

    def teardown(self) -> None:
        if not hasattr(self, "is_traced"):
            return
        if not self.is_traced:
            self.world.reconcile()
        self.world.sync()
        oracle.assert_links_right(self.world)
        assert self.world.link_days() is None
        self.world.close()


def test_after_any_history_and_one_more_tick_the_links_equal_the_oracle(
    new_world: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the lookback, which would read everything of the last minutes again and so hide what is missed."""
    monkeypatch.setattr(watermarks, "settings", lambda: settings().model_copy(update={"link_sync_lookback_seconds": 0}))
    Office.new_world = staticmethod(new_world)
    run_state_machine_as_test(
        Office,
        settings=hypothesis_settings(max_examples=20, stateful_step_count=30),
    )
