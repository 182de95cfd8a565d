"""Who is in which conversation: links appear and disappear with what they stand for."""

import random
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg
import pytest

from convo_pipelines.engine import chunk_size, chunks, refresh, ticks
from convo_pipelines.model import identifiers
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers, both_servers_if_wide
from convo_pipelines_tests.world import LINKS, World, at, sample


def links(world: World, kind: str = "people") -> list[dict[str, Any]]:
    return world.execute(f"select * from analytics.{kind}_conversations order by id")


def resolution(world: World, contact: UUID) -> dict[str, Any]:
    [row] = world.execute("select * from analytics.participant_resolutions where contact_method_id = %s", contact)
    return row


# Participants


@both_servers
def test_every_spelling_finds_its_person(world: World) -> None:
    columns = {"email": "email", "phone": "phone", "linkedin": "linkedin_urn"}
    known = {identifier: spellings for identifier, spellings in oracle.SPELLINGS.items() if identifier}
    for identifier, spellings in known.items():
        kind = "email" if "@" in identifier else "phone" if identifier.startswith("+") else "linkedin"
        world.person(**{columns[kind]: spellings[0]})
        for spelling in spellings:
            world.address(world.conversation(), world.contact(spelling, kind=kind))
    world.sync()
    oracle.assert_links_right(world)
    assert {row["status"] for row in world.execute("select * from analytics.participant_resolutions")} == {"resolved"}
    assert len(links(world)) == sum(len(spellings) for spellings in known.values())


def test_the_application_wins(world: World) -> None:
    ana, ben = world.person(email="ana@example.com"), world.person(email="ben@example.com")
    matched, given_ = world.contact("ana@example.com"), world.contact("Ana@example.com", ben)
    world.sync()
    assert resolution(world, given_)["person_id"] == ben
    assert resolution(world, given_)["method"] == "manual"
    assert float(resolution(world, given_)["confidence"]) == 1.0
    assert resolution(world, matched)["status"] == "ambiguous"
    assert resolution(world, matched)["candidate_count"] == 2
    world.execute("update app.contact_methods set person_id = null where id = %s", given_)
    world.sync()
    assert resolution(world, matched)["person_id"] == resolution(world, given_)["person_id"] == ana


@both_servers_if_wide
def test_a_contact_that_two_clients_share_is_whom_the_conversations_client_knows(world: World) -> None:
    of_c1, of_c2 = (world.person(client, email="shared@example.com") for client in ("C1", "C2"))
    contact = world.contact("Shared@Example.com")
    talks = {client: world.conversation(client=client) for client in ("C1", "C2", "C3", None)}
    for talk in talks.values():
        world.address(talk, contact)
    world.sync()
    oracle.assert_links_right(world)
    assert resolution(world, contact)["status"] == "ambiguous"
    assert world.linked() == {(of_c1, talks["C1"]), (of_c2, talks["C2"])}
    why = world.execute("select distinct method, confidence, is_narrowed from analytics.conversation_people")
    assert why == [{"method": "email", "confidence": Decimal("0.95"), "is_narrowed": True}]
    checks = world.checks("no_cross_client_links", "no_ambiguous_participants")
    assert checks["no_cross_client_links"].passed
    assert sample(checks["no_ambiguous_participants"])[0]["messages"] == 2
    for code in ("C3", None):
        world.execute("delete from app.conversations where id = %s", talks[code])
    assert world.checks("no_ambiguous_participants")["no_ambiguous_participants"].passed


@pytest.mark.representatives(5)
@pytest.mark.parametrize(
    "change",
    [
        "update app.people set email = null where id = %(of_c1)s",
        "update app.people set client_id = (select id from app.clients where client_code = 'C2') where id = %(of_c1)s",
        "update app.people set client_id = (select id from app.clients where client_code = 'C1') where id = %(of_c2)s",
        "delete from app.people where id = %(of_c1)s",
        "delete from app.people where id = %(of_c2)s",
        "insert into app.people (client_id, name, email) select client_id, '…', email from app.people",
        "update app.people set email = 'ben@b.example' where id = %(of_c2)s",
        "update app.conversations set client_id = (select id from app.clients where client_code = 'C2')",
        "update app.contact_methods set person_id = %(of_c2)s where value = 'shared@example.com'",
        "update app.contact_methods set person_id = %(of_c1)s where value = 'Shared@Example.com'",
        "update app.crews set client_id = (select id from app.clients where client_code = 'C2')",
    ],
)
def test_what_narrows_a_shared_contact_changes_and_links_follow(world: World, change: str) -> None:
    people = {f"of_{code.lower()}": world.person(code, email="shared@example.com") for code in ("C1", "C2")}
    contact = world.contact("shared@example.com")
    world.contact("Shared@Example.com", people["of_c1"])
    for client in ("C1", "C2", None):
        world.address(world.conversation(client=client), contact)
    for client, crew in (("C1", "A"), ("C2", "B")):
        world.crew(crew, client=client)
        world.say("SHARED@example.com", crew=crew)
    world.tick()
    world.sync()
    oracle.assert_links_right(world)
    world.connection.execute(change, people)
    world.sync()
    oracle.assert_links_right(world)
    assert world.reconcile().drift.changed == 0


@both_servers_if_wide
@pytest.mark.parametrize("chunk", [1, 5_000])
def test_people_who_are_deleted_and_loaded_again_at_once_keep_their_links(
    world: World, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(refresh, "CHUNK_KEYS", chunk)
    monkeypatch.setattr(chunks, "FEW_KEYS", -1)
    matched, given_, decided = (
        world.person(email="ana@example.com"),
        world.person(),
        world.person(phone="+4915112345678"),
    )
    contacts = [world.contact("ana@example.com"), world.contact("ben@b.example", given_), world.contact("nobody")]
    world.decide(contacts[2], decided)
    for contact in contacts:
        world.address(world.conversation(), contact)
    world.crew()
    world.say("4915112345678")
    world.tick()
    world.sync()
    assert {person for person, _ in world.linked()} == {matched, given_, decided}
    before = world.linked()
    people = world.execute("select * from app.people")
    with world.connection.transaction():
        world.execute("delete from app.people")
        for person in people:
            world.insert("people", **person)
        world.execute("update app.contact_methods set person_id = %s where id = %s", given_, contacts[1])
    world.sync()
    oracle.assert_links_right(world)
    assert world.linked() == before


def test_a_match_never_crosses_clients_but_the_application_may_and_the_check_says_so(world: World) -> None:
    other = world.person("C2", email="other@example.com")
    matched, given_ = world.contact("other@example.com"), world.contact("nobody@example.com", other)
    talk = world.conversation(client="C1")
    world.address(talk, matched)
    world.sync()
    assert links(world) == []
    assert world.checks("no_cross_client_links")["no_cross_client_links"].passed
    world.address(talk, given_)
    world.sync()
    assert [link["person_id"] for link in links(world)] == [other]
    check = world.checks("no_cross_client_links")["no_cross_client_links"]
    assert not check.passed
    assert [str(talk), "C1", str(other), "C2"] in [list(row.values())[:4] for row in sample(check)]
    oracle.assert_links_right(world)


def test_a_deleted_person_makes_an_ambiguous_address_clear(world: World) -> None:
    ana, twin = world.person(email="ana@example.com"), world.person(email="ana@example.com")
    contact = world.contact("ana@example.com")
    world.address(world.conversation(), contact)
    world.sync()
    world.execute("delete from app.people where id = %s", twin)
    assert world.has_news(LINKS)
    world.sync()
    assert [link["person_id"] for link in links(world)] == [ana]
    world.execute("delete from app.people where id = %s", ana)
    world.sync()
    assert resolution(world, contact)["status"] == "unmatched"
    assert links(world) == []


def test_only_what_changed_is_normalized_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    monkeypatch.setitem(identifiers._FORMS, "email", lambda value: seen.append(value) or identifiers.emails(value))
    world.person(email="ana@example.com")
    world.contact("Ana@example.com")
    world.sync()
    world.execute("update app.people set name = 'Ana'")
    world.sync()
    assert sorted(seen) == ["Ana@example.com", "ana@example.com"]
    world.execute("update app.people set email = 'a@example.com'")
    world.sync()
    assert seen[2:] == ["a@example.com"]
    world.reconcile()
    assert sorted(seen[3:]) == ["Ana@example.com", "a@example.com"]


# People and clients


@pytest.mark.parametrize("role", ["from", "to", "cc", "bcc"])
def test_any_role_links_once_and_a_right_link_is_not_touched(world: World, role: str) -> None:
    contact = world.contact("ana@example.com", world.person())
    talk = world.conversation()
    world.address(talk, contact, role)
    world.address(talk, contact, "to")
    world.sync()
    before = links(world) + links(world, "clients")
    assert len(before) == 2
    world.address(talk, contact, "cc")
    result = world.sync()
    assert links(world) + links(world, "clients") == before
    assert result["people_conversations"].outcome.counts.unchanged == 1
    world.backfill(at(0).date(), at(400).date(), LINKS)
    assert links(world) + links(world, "clients") == before


def recipient_changes(world: World, ben: UUID) -> None:
    world.execute("update app.message_recipients set contact_method_id = %s", world.contact("ben@b.example", ben))


def contact_is_reassigned(world: World, ben: UUID) -> None:
    world.execute("update app.contact_methods set person_id = %s", ben)


def contact_is_respelled(world: World, _ben: UUID) -> None:
    world.execute("update app.contact_methods set person_id = null, value = 'Ben@B.Example'")


def person_gets_the_identifier(world: World, ben: UUID) -> None:
    world.execute("update app.contact_methods set person_id = null, value = 'urn:li:member:7', kind = 'linkedin'")
    world.sync()
    assert links(world) == []
    world.execute("update app.people set linkedin_urn = 'urn:li:member:7' where id = %s", ben)


@pytest.mark.parametrize(
    "change", [recipient_changes, contact_is_reassigned, contact_is_respelled, person_gets_the_identifier]
)
def test_links_follow_in_both_directions(world: World, change: Callable[[World, UUID], None]) -> None:
    ana, ben = world.person("C1"), world.person("C2", email="ben@b.example")
    talk = world.conversation(client=None)
    world.address(talk, world.contact("ana@münchen.example", ana))
    world.sync()
    assert [link["person_id"] for link in links(world)] == [ana]
    change(world, ben)
    world.sync()
    oracle.assert_links_right(world)
    assert [link["person_id"] for link in links(world)] == [ben]
    assert [link["client_id"] for link in links(world, "clients")] == [world.client("C2")]


def test_an_unassigned_contact_takes_its_links_along(world: World) -> None:
    world.address(world.conversation(client=None), world.contact("ana@example.com", world.person()))
    world.sync()
    world.execute("update app.contact_methods set person_id = null")
    world.sync()
    assert links(world) == links(world, "clients") == []


def test_a_person_takes_conversations_to_the_new_client(world: World) -> None:
    talk = world.conversation(client=None)
    world.address(talk, world.contact("ana@example.com", world.person("C1")))
    world.sync()
    before = links(world)
    world.execute("update app.people set client_id = %s", world.client("C2"))
    world.sync()
    assert links(world) == before
    assert [link["client_id"] for link in links(world, "clients")] == [world.client("C2")]


def test_a_session_id_names_a_person_of_the_crews_client_only(world: World) -> None:
    ours = world.person("C1", phone="+49 151 12345678")
    world.person("C2", phone="+4915112345678")
    world.crew("A", client="C1")
    world.crew("B", client="C3")
    for crew in "AB":
        world.say("4915112345678", crew=crew)
        world.say("0b1c2d3e", crew=crew)
    world.tick()
    world.sync()
    oracle.assert_links_right(world)
    assert [link["person_id"] for link in links(world)] == [ours]
    assert len(links(world, "clients")) == 4
    world.person("C1", phone="tel:+49-151-12345678")
    world.sync()
    assert links(world) == []


@both_servers_if_wide
def test_a_view_says_why_somebody_is_in_a_conversation(world: World) -> None:
    crew = world.crew()
    ana = world.person(email="ana@example.com", phone="+49 151 12345678")
    set_by_hand, matched = world.contact("ben@b.example", ana), world.contact("ANA@example.com")
    talk = world.conversation()
    for contact in (set_by_hand, matched, matched):
        world.address(talk, contact)
    world.say("4915112345678")
    world.tick()
    world.sync()
    [chat] = world.execute("select id from app.conversations where crew_id = %s", crew)
    columns = ["conversation_id", "person_id", "via", "contact_method_id", "method", "confidence"]
    assert oracle.rows(world, "analytics.conversation_people", columns) == {
        (talk, ana, "recipient", set_by_hand, "manual", Decimal("1.00")),
        (talk, ana, "recipient", matched, "email", Decimal("0.95")),
        (chat["id"], ana, "session", None, "phone", Decimal("0.90")),
    }
    assert oracle.rows(world, "analytics.conversation_clients", ["conversation_id", "via", "person_id"]) == {
        (talk, "person", ana),
        (talk, "conversation", None),
        (chat["id"], "person", ana),
        (chat["id"], "crew", None),
    }


def test_a_conversation_is_its_clients_whoever_takes_part(world: World) -> None:
    unknown, silent = world.conversation(), world.conversation()
    nobodys = world.conversation(client=None)
    for talk in (unknown, nobodys):
        world.address(talk, world.contact(f"{talk}@example.com"))
    world.sync()
    oracle.assert_links_right(world)
    found = {(link["client_id"], link["conversation_id"]) for link in links(world, "clients")}
    assert found == {(world.client("C1"), unknown), (world.client("C1"), silent)}
    world.execute("update app.conversations set client_id = %s where id = %s", world.client("C2"), unknown)
    world.execute("update app.conversations set client_id = null where id = %s", silent)
    world.sync()
    assert [(link["client_id"], link["conversation_id"]) for link in links(world, "clients")] == [
        (world.client("C2"), unknown)
    ]
    assert world.checks("every_client_is_linked")["every_client_is_linked"].passed


def test_a_backfill_links_the_conversations_of_its_days(world: World) -> None:
    contact = world.contact("ana@example.com", world.person())
    world.execute("update app.people set updated_at = %s", at(-100))
    old, new = (world.conversation(started_at=at(day)) for day in (0, 5))
    for talk, day in ((old, 0), (new, 5)):
        message = world.message(talk, when=at(day))
        world.insert("message_recipients", message_id=message, contact_method_id=contact, role="to")
    result = world.backfill(at(5).date(), at(5).date(), LINKS)
    assert [link["conversation_id"] for link in links(world)] == [new]
    assert result["clients_conversations"].outcome.counts.inserted == 1
    world.backfill(at(0).date(), at(5).date(), LINKS)
    assert {link["conversation_id"] for link in links(world)} == {old, new}


# Projects


def test_a_link_dates_from_the_creation_when_a_backfill_sees_it_and_from_the_change_afterwards(
    unbuilt: World,
) -> None:
    world = unbuilt
    one, two = world.project(), world.project()
    world.conversation(project_id=one, created_at=at(-10), started_at=at(0))
    world.backfill(at(0).date(), assets=LINKS)
    [link] = links(world, "project")
    [user] = world.execute("select id from app.users")
    assert (link["project_id"], link["added_at"], link["added_by"]) == (one, at(-10), user["id"])
    world.sync()
    assert links(world, "project") == [link]
    world.execute("update app.conversations set project_id = %s", two)
    world.execute("truncate curation.project_assignments")  # as if the table had not been captured
    world.sync()
    [moved] = links(world, "project")
    [changed] = world.execute("select updated_at from app.conversations")
    assert (moved["project_id"], moved["added_at"]) == (two, changed["updated_at"])
    world.sync()
    later = world.conversation(project_id=one, created_at=at(-10))
    world.sync()
    [changed] = world.execute("select updated_at from app.conversations where id = %s", later)
    assert [link["added_at"] for link in links(world, "project") if link["conversation_id"] == later] == [
        changed["updated_at"]
    ]


@pytest.mark.parametrize(
    "ending",
    ["update app.conversations set project_id = null", "delete from app.projects", "delete from app.conversations"],
)
def test_a_link_ends_with_either_side(world: World, ending: str) -> None:
    world.conversation(project_id=world.project())
    world.sync()
    assert len(links(world, "project")) == 1
    world.execute(ending)
    world.sync()
    assert links(world, "project") == []


def test_inconsistencies_are_dated_and_gone_when_resolved(world: World) -> None:
    project = world.project(UUID(int=7))
    talk = world.conversation(project_id=project)
    world.execute("update app.projects set conversation_ids = conversation_ids || %s", world.conversation())
    world.sync()
    oracle.assert_links_right(world)
    first = world.table("analytics.project_link_inconsistencies")
    assert set(first["kind"]) == {"stale_id", "project_mismatch", "missing_from_array"}
    world.reconcile()
    again = world.table("analytics.project_link_inconsistencies")
    assert sorted(again["first_seen_at"]) == sorted(first["first_seen_at"])
    assert min(again["last_seen_at"]) > max(first["last_seen_at"])
    world.execute("update app.projects set conversation_ids = array[%s]", talk)
    world.sync()
    assert world.table("analytics.project_link_inconsistencies").empty


@both_servers_if_wide
def test_two_writers_moving_the_same_conversation_leave_one_link(world: World) -> None:
    projects = [world.project() for _ in range(4)]
    talk = world.conversation(project_id=projects[0])
    stop = threading.Event()

    def move(seed: int) -> None:
        rng = random.Random(seed)
        with psycopg.connect(world.url) as connection:
            while not stop.is_set():
                project = rng.choice([*projects, None])
                connection.execute("update app.conversations set project_id = %s where id = %s", [project, talk])
                stop.wait(rng.random() * 0.1)
                connection.commit()
            connection.execute("update app.conversations set project_id = %s", [projects[seed]])

    writers = [threading.Thread(target=move, args=[seed]) for seed in (1, 2)]
    for writer in writers:
        writer.start()
    for _ in range(5):
        world.tick(["project_conversations"])
    stop.set()
    for writer in writers:
        writer.join()
    world.sync()
    [named] = world.execute("select project_id from app.conversations")
    assert [link["project_id"] for link in links(world, "project")] == [named["project_id"]]
    oracle.assert_links_right(world)


# Reconcile


def test_reconcile_repairs_what_went_around_the_triggers_and_counts_it(world: World) -> None:
    ana, ben = world.person(), world.person("C2")
    talk, other = world.conversation(client=None), world.conversation(client=None)
    for contact in (world.contact("ana@a.example", ana), world.contact("ben@b.example", ben)):
        world.address(talk, contact)
        world.address(other, contact)
    alone = world.conversation()
    world.address(alone, world.contact("ana@a.example", ana))
    world.tick()
    world.sync()
    assert world.reconcile().drift.changed == 0
    world.execute(
        "alter table app.message_recipients disable trigger convo_pipelines_delete;"
        "delete from app.message_recipients using app.contact_methods "
        "where contact_methods.id = contact_method_id and value = 'ben@b.example'"
    )
    world.execute("delete from analytics.clients_conversations where conversation_id = %s", alone)
    [known] = world.execute("select identity from analytics.source_tables('{message_recipients}')")
    world.execute(
        "update analytics.capture_state set identity = %s where table_name = 'message_recipients'", known["identity"]
    )
    result = world.reconcile()
    oracle.assert_links_right(world)
    oracle.assert_right(world)
    assert result.tables["people_conversations"].drift.deleted == 2
    assert result.tables["clients_conversations"].drift.inserted == 1
    assert result.tables["conversation_summaries"].drift.updated == 2
    assert result.totals["people_links"] == result.totals["conversations_with_people"] == 3
    assert world.reconcile().drift.changed == 0


def test_what_is_committed_while_reconcile_runs_is_no_drift(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    contact = world.contact("ana@a.example", world.person())
    world.address(world.conversation(), contact)
    world.tick()
    world.sync()
    compare = ticks.compare

    def interrupted(*arguments: Any) -> Any:
        world.address(world.conversation(), contact)
        world.execute("update app.contact_methods set value = value || 'x'")
        return compare(*arguments)

    monkeypatch.setattr(ticks, "compare", interrupted)
    result = world.reconcile()
    assert result.repairs.changed > 0
    assert result.drift.changed == 0


def test_reconcile_goes_through_all_chunks(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "FEW_KEYS", -1)
    for name, size in {"CHUNK_KEYS": 2, "SMALLEST_CHUNK": 1, "LARGEST_CHUNK": 2}.items():
        monkeypatch.setattr(refresh if name == "CHUNK_KEYS" else chunk_size, name, size)
    world.reconcile()
    contact = world.contact("ana@a.example", world.person())
    for number in range(5):
        world.address(world.conversation(), contact)
        world.person(email=f"{number}@a.example")
    world.tick()
    world.sync()
    oracle.assert_links_right(world)
    world.execute("delete from analytics.people_conversations")
    assert world.reconcile().tables["people_conversations"].drift.inserted == 5
    oracle.assert_links_right(world)
    world.execute("delete from analytics.people_conversations; delete from analytics.identifiers")
    assert world.reconcile().tables["participant_resolutions"].drift.updated == 6
    oracle.assert_links_right(world)


def test_every_session_id_that_is_an_identifier_is_linked(world: World) -> None:
    rng = random.Random(1)
    parts = [
        *("tel:", "WhatsApp:", "sms:", "+", "49", "0049", "151", "12345678", " ", "\u00a0", "\u202f", "\u3000", "-"),
        *("(0)", "@", ":12", ";ext=5", "ana", "x.de", "urn:li:member:7", "linkedin.com/in/ana", "s.whatsapp.net"),
    ]
    given = {"".join(rng.choices(parts, k=rng.randint(1, 7))) for _ in range(2000)}
    given |= {"4915112345678:12", "tel:+4915112345678", "whatsapp:+4915112345678", "+49\u00a0151\u00a012345678"}
    crew = world.crew()
    world.person(phone="+4915112345678")
    query = "insert into app.conversations (channel, crew_id, session_id) select 'crew', %s, unnest(%s::text[])"
    world.execute(query, crew, sorted(given))
    world.sync()
    canonical = {(session, form) for session in given for form in identifiers.canonical("session", session)}
    query = "select value, identifier from analytics.identifiers where source = 'conversation' and identifier <> ''"
    stored = {(row["value"], row["identifier"]) for row in world.execute(query)}
    assert canonical == stored
    assert sum(form == "+4915112345678" for _, form in stored) == len(links(world)) >= 4
