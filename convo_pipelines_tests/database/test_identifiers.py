"""Identifiers as people and channels write them: sessions, contact methods, persons and `people who` agree."""

from collections.abc import Callable

import pytest

from convo_pipelines.engine import chunks
from convo_pipelines.model import identifiers
from convo_pipelines.operations.who import UnknownIdentifierError, who
from convo_pipelines.settings import settings
from convo_pipelines_tests.conftest import both_servers
from convo_pipelines_tests.spellings import spelled_addresses, spelled_numbers
from convo_pipelines_tests.unit.test_identifiers import AS_WRITTEN
from convo_pipelines_tests.world import World


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def change(**values: object) -> None:
        monkeypatch.setattr(identifiers, "settings", lambda: settings().model_copy(update=values))

    return change


@pytest.fixture(params=["few", "chunks"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refreshes by one statement, or in chunks."""
    if request.param == "chunks":
        monkeypatch.setattr(chunks, "FEW_KEYS", -1)


def links(world: World) -> set[tuple[object, object]]:
    rows = world.execute("select person_id, conversation_id from analytics.people_conversations")
    return {(row["person_id"], row["conversation_id"]) for row in rows}


def status(world: World) -> list[tuple[str, int]]:
    query = "select status, candidate_count from analytics.participant_resolutions order by 1, 2"
    return [(row["status"], row["candidate_count"]) for row in world.execute(query)]


def session(world: World, crew: object, session_id: str) -> object:
    return world.conversation("crew", crew_id=crew, session_id=session_id)


def drift(world: World) -> int:
    return sum(table.drift.changed for table in world.reconcile().tables.values())


@pytest.mark.parametrize("region", [None, "DE", "US"])
def test_the_filter_lets_through_what_has_a_form(
    world: World, setting: Callable[..., None], region: str | None
) -> None:
    setting(phone_default_region=region)
    given = [spelled for _, spelled in spelled_numbers(2_000, "filter")]
    given += [spelled for _, spelled in spelled_addresses(500, "filter")]
    given += [value for _, value, _ in AS_WRITTEN] + ["030 1234567", "(212) 555-0123", "212.555.0123#5"]
    named = {value for value in given if identifiers.canonical("session", value)}
    query = "select value from unnest(%s::text[]) as value where analytics.may_be_identifier(value)"
    assert named <= {row["value"] for row in world.execute(query, given)}
    left_out = ["0b1c2d3e-1234-4234-8234-123456789012", "order 4711", "2026-03-13", "chat_7", "x" * 50, "", "12"]
    assert world.execute(query, left_out) == [{"value": "2026-03-13"}]


@both_servers
@pytest.mark.usefixtures("way")
def test_each_spelling_links_its_person(world: World) -> None:
    crew = world.crew()
    given = {value: forms for kind, value, forms in AS_WRITTEN if kind == "session"}
    for value, forms in given.items():
        session(world, crew, value)
        for form in forms:
            kind = "email" if "@" in form else "phone" if form.startswith("+") else "linkedin_urn"
            world.execute(
                f"insert into app.people (client_id, name, {kind}) select %s, '', %s "
                f"where not exists (select from app.people where {kind} = %s)",
                world.client("C1"), form, form,
            )  # fmt: skip
    world.sync()
    for value, forms in given.items():
        found = world.execute(
            "select person.email, person.phone, person.linkedin_urn from analytics.people_conversations as link "
            "join app.people as person on person.id = link.person_id "
            "join app.conversations as conversation on conversation.id = link.conversation_id "
            "where conversation.session_id = %s",
            value,
        )
        assert sorted(text for row in found for text in row.values() if text) == sorted(forms), value
    senders = world.execute("select kind, identifier from analytics.unknown_senders")
    assert not [row for row in senders if "@lid" in row["identifier"] or "@g.us" in row["identifier"]]
    assert drift(world) == 0


@pytest.mark.usefixtures("way")
def test_each_address_of_a_field_counts(world: World) -> None:
    ana, ben = world.person(email="ana@x.example"), world.person(email="ben@x.example, b@x.example")
    both, twice, half = (
        world.contact(value)
        for value in ("Ana <ana@x.example>; ben@x.example", "b@x.example, ben@x.example", "ana@x.example, c@x.example")
    )
    talks = [world.conversation() for _ in range(3)]
    for talk, contact in zip(talks, (both, twice, half), strict=True):
        world.address(talk, contact)
    world.sync()
    assert links(world) == {(ana, talks[0]), (ben, talks[0]), (ben, talks[1]), (ana, talks[2])}
    assert status(world) == [("ambiguous", 2), ("resolved", 1), ("resolved", 1)]
    world.execute("update app.contact_methods set value = 'ana@x.example' where id = %s", both)
    world.sync()
    assert links(world) == {(ana, talks[0]), (ben, talks[1]), (ana, talks[2])}
    world.execute("update app.people set email = 'c@x.example' where id = %s", ben)
    world.sync()
    assert links(world) == {(ana, talks[0]), (ana, talks[2]), (ben, talks[2])}
    assert drift(world) == 0
    with pytest.raises(UnknownIdentifierError, match=r"has several addresses; give one of them: b@x\.example, ben@x"):
        who(world.warehouse, str(twice))
    assert [row["contact_method_id"] for row in who(world.warehouse, "Ben@x.example")["contact_methods"]] == [twice]


@pytest.mark.parametrize(
    ("values", "given", "known"),
    [
        ({"phone_default_region": "DE"}, "030 1234567", "+49301234567"),
        ({"merge_plus_addresses": True}, "ana+shop@x.example", "ana@x.example"),
        ({"merge_gmail_dots": True}, "a.na@gmail.com", "ana@gmail.com"),
    ],
)
@pytest.mark.usefixtures("way")
def test_a_change_of_a_setting_is_applied_by_the_next_tick_and_is_no_drift(
    world: World, setting: Callable[..., None], values: dict[str, object], given: str, known: str
) -> None:
    kind = "email" if "@" in known else "phone"
    person = world.person(**{kind: known})
    talk, of_crew = world.conversation(), session(world, world.crew(), given)
    world.address(talk, world.contact(given, kind=kind))
    world.sync()
    assert not links(world)
    setting(**values)
    assert drift(world) == 0
    assert links(world) == {(person, talk), (person, of_crew)}
    setting()
    world.sync()
    assert not links(world)
    setting(**values)
    world.sync()
    assert links(world) == {(person, talk), (person, of_crew)}
    world.sync()
    assert drift(world) == 0


def test_a_change_of_the_rules_is_applied_by_the_next_tick(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(identifiers._FORMS, "phone", lambda _value: [])
    monkeypatch.setattr(identifiers, "RULES", 1)
    world.person(phone="+4915112345678")
    world.address(world.conversation(), world.contact("0049 151 12345678", kind="phone"))
    world.address(world.conversation(), world.contact("4915112345678", kind="phone"))
    world.sync()
    assert not links(world)
    monkeypatch.undo()
    world.sync()
    assert len(links(world)) == 1
    assert drift(world) == 0


@pytest.mark.usefixtures("way")
def test_a_crew_says_of_which_kind_its_session_ids_are(world: World, setting: Callable[..., None]) -> None:
    setting(phone_default_region="DE")
    crew, person = world.crew(), world.person(phone="+49301234567")
    talks = [session(world, crew, value) for value in ("030 1234567", "301234567", "+49 30 1234567")]
    world.sync()
    assert links(world) == {(person, talks[0]), (person, talks[2])}
    for kind, linked in (("other", []), ("phone", talks), ("email", []), (None, [talks[0], talks[2]])):
        world.execute("update app.crews set session_kind = %s", kind)
        world.sync()
        assert links(world) == {(person, talk) for talk in linked}, kind
        assert drift(world) == 0
    world.execute("update app.crews set session_kind = 'other'")
    assert who(world.warehouse, "+49 30 1234567")["identifier"] == "+49301234567"
    with pytest.raises(UnknownIdentifierError, match="it names nobody"):
        who(world.warehouse, str(talks[2]))


def test_a_crew_that_changes_otherwise_reads_no_session_again(world: World) -> None:
    crew = world.crew()
    for number in range(3):
        session(world, crew, f"+4930123456{number}")
        session(world, crew, f"order {number}")
    world.sync()
    world.execute("update app.crews set name = 'another'")
    assert world.sync()["participant_resolutions"].outcome.keys == 0


def test_crews_without_the_column_work_as_before(world: World) -> None:
    world.execute("alter table app.crews drop column session_kind")
    crew, person = world.crew(), world.person(phone="+49301234567")
    talk = session(world, crew, "+49 30 1234567")
    world.sync()
    assert links(world) == {(person, talk)}
    assert who(world.warehouse, str(talk))["identifier"] == "+49301234567"
