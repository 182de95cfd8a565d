"""The activity report: whole, offline, the same bytes for the same rows; of one client; sent by mail."""

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from convo_pipelines.definitions import defs
from convo_pipelines.engine import ticks
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.orchestration.assets import activity_report as asset
from convo_pipelines.serving import report
from convo_pipelines.settings import Settings
from convo_pipelines_tests.receivers import Mailbox
from convo_pipelines_tests.world import World, at, metadata

CHARTS = 8


@pytest.fixture
def busy(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(asset, "LOCAL", tmp_path)
    world.crew()
    for day in range(3):
        world.say(f"s{day}", "human", at(day, 9))
        world.say(f"s{day}", "ai", at(day, 9.1))
    talk = world.conversation(started_at=at(1))
    world.message(talk, when=at(1))
    world.address(talk, world.contact("ana@example.com", world.person()))
    return refreshed(world)


@pytest.fixture
def rivals(busy: World) -> World:
    """Beside C1, a client RIVAL whose crew was C1's, and that shares a participant with it."""
    busy.crew("B", client="RIVAL")
    busy.say("of the rival", "human", at(2, 9), "B")
    busy.say("of the rival", "ai", at(2, 10), "B")
    unanswered = busy.conversation("whatsapp", client="RIVAL")
    busy.message(unanswered, when=at(2, 1))
    for value in ("ana@example.com", "nobody@example.com", "none"):
        busy.recipient(busy.message(unanswered, when=at(2, 1.5)), value)
    refreshed(busy)
    busy.execute("update app.crews set client_id = %s where crew_code = 'B'", busy.client("C1"))
    busy.say("of C1", "human", at(1, 8), "B")
    return refreshed(busy)


def refreshed(world: World) -> World:
    for table in DERIVED_TABLES:
        ticks.tick(world.warehouse, table, logging.getLogger())
    return world


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts take two seconds, and do not matter here."""
    monkeypatch.setattr(report, "draw", lambda _: defaultdict(list))


def materialize(world: World, client: str | None = None, *, raise_on_error: bool = True) -> dg.ExecuteInProcessResult:
    return defs.resolve_job_def("activity_report").execute_in_process(
        resources={"warehouse": world.warehouse},
        run_config={"ops": {"write_report": {"config": {"client": client}}}} if client else None,
        raise_on_error=raise_on_error,
    )


def render(world: World, client: str | None = None) -> tuple[str, dict[str, object]]:
    facts = metadata(materialize(world, client), "write_report")
    return Path(str(facts["page"])).read_text(), facts


def load(world: World, client: str | None = None) -> report.Activity:
    with world.warehouse.connection() as connection:
        return report.load(connection, client)


def counts(world: World, client: str | None = None) -> dict[str, tuple[int, int, int]]:
    return {tile.name: (tile.total, tile.week, tile.week_before) for tile in report.tiles(load(world, client))}


def busiest(world: World, client: str | None = None) -> dict[tuple[int, int], float]:
    """The messages by weekday (1: Monday) and hour."""
    return {key: count for key, count in load(world, client).hours.stack().items() if count}


def test_the_page_is_whole_and_the_same_for_the_same_rows(busy: World) -> None:
    page_, facts = render(busy)
    assert render(busy)[0] == page_
    assert not re.search(r"""(src|href)=["'](?!#)""", page_)
    assert "12 March 2026, UTC" in page_
    assert page_.count("<svg") == str(facts["preview"]).count("data:image/png;base64,") == CHARTS


def test_without_conversations_it_says_so(world: World) -> None:
    activity = load(world)
    assert "no messages yet" in report.render(activity, report.draw(activity))


def test_a_week_is_compared_with_the_one_before_without_the_last_day(busy: World) -> None:
    assert counts(busy)["messages"] == (8, 6, 0)
    for day, session in ((-5, "first of the week"), (-6, "last of the week before"), (-12, "first"), (-13, "older")):
        busy.say(session, "ai", at(day, 0))
    refreshed(busy)
    assert counts(busy)["messages"] == (12, 7, 2)
    assert counts(busy)["crews' sessions"] == (7, 3, 2)
    assert counts(busy)["unanswered"] == counts(busy)["waiting for us"] == (1, 1, 0)
    busy.execute("update app.conversations set closed_at = %s where crew_id is null", at(2, 10))
    refreshed(busy)
    assert counts(busy)["unanswered"] == counts(busy)["waiting for us"] == (0, 0, 0)
    assert counts(busy)["closed"] == (1, 0, 0)


def test_messages_are_counted_by_weekday_and_hour_for_four_weeks(busy: World) -> None:
    tuesday, wednesday, thursday = 2, 3, 4
    of_the_crew = {(day, 9): 2.0 for day in (tuesday, wednesday, thursday)}
    assert busiest(busy) == of_the_crew | {(wednesday, 12): 1.0, (tuesday, 0): 1.0}
    busy.say("s8", "human", at(-25, 9))  # Friday, the first of 28 days
    busy.say("s9", "human", at(-26, 9))
    refreshed(busy)
    assert busiest(busy) == of_the_crew | {(wednesday, 12): 1.0, (tuesday, 0): 1.0, (5, 9): 1.0}


def test_a_crew_whose_table_cannot_be_read_is_left_out_and_named(busy: World) -> None:
    busy.execute("alter table app.histories_a rename to histories_z")
    activity = load(busy)
    assert activity.unread_crews == ["A"]
    assert activity.hours.to_numpy().sum() == 2
    page_, facts = render(busy)
    assert "6 of 8 are not included" in page_
    assert facts["unread_crews"] == ["A"]


def test_who_waits_and_who_waited_longest_comes_first(busy: World) -> None:
    asked_late = busy.conversation()
    busy.message(asked_late, "outbound", when=at(0))
    busy.message(asked_late, "inbound", when=at(2, 1))
    for hours in range(12):
        slow = busy.conversation("chat")
        busy.message(slow, when=at(-3))
        busy.message(slow, "outbound", when=at(-3, 12 + hours))
    busy.say("never answered", "tool", at(-1))
    busy.say("never answered", "human", at(0, 9.1))
    busy.say("nobody asked", "ai", at(0, 9.1))
    refreshed(busy)
    waits = load(busy).waits
    sessions = busy.execute("select id, session_id from app.conversations where session_id = 'never answered'")
    [first] = busy.execute(
        "select conversation_id from app.message_recipients join app.messages on message_id = messages.id"
    )
    waiting = waits[~waits["is_answered"]]
    talks = [first["conversation_id"], sessions[0]["id"], asked_late]
    assert list(waiting["conversation_id"]) == [str(talk) for talk in talks]
    assert list(waiting["waited_seconds"] / 3600) == pytest.approx([57.1, 48, 8.1])
    assert list(waits[waits["is_answered"]]["waited_seconds"] / 3600) == [float(hours) for hours in range(11, 1, -1)]


def test_participants_are_counted_once_for_each_client_and_once_for_all(rivals: World) -> None:
    found = {
        (client, status): count
        for client, status, count in load(rivals).participants.fillna({"client_code": "all"}).itertuples(index=False)
    }
    assert found == {
        ("C1", "resolved"): 1,
        ("RIVAL", "invalid"): 1,
        ("RIVAL", "resolved"): 1,
        ("RIVAL", "unmatched"): 1,
        ("all", "invalid"): 1,
        ("all", "resolved"): 1,
        ("all", "unmatched"): 1,
    }


def test_a_page_of_one_client_has_nothing_of_others(rivals: World) -> None:
    others = ["RIVAL", *(str(row["conversation_id"]) for row in rivals.execute(
        "select conversation_id from analytics.conversation_summaries join app.clients on clients.id = client_id "
        "where client_code = 'RIVAL'"
    ))]  # fmt: skip
    assert len(others) == 3
    everything = report.render(load(rivals), defaultdict(list))
    assert all(text in everything for text in others)
    page_, facts = render(rivals, "C1")
    assert Path(str(facts["page"])).name == "activity-C1.html"
    assert [text for text in others if text in page_] == []
    mine, theirs, all_ = counts(rivals, "C1"), counts(rivals, "RIVAL"), counts(rivals)
    assert {name: mine[name][0] + theirs[name][0] for name in mine} == {
        name: total for name, (total, *_) in all_.items()
    }
    assert [total for total, *_ in theirs.values()] == [2, 6, 1, 0, 1, 1]
    assert load(rivals, "C1").crews[["crew_code", "messages"]].to_numpy().tolist() == [["A", 6], ["B", 1]]
    assert busiest(rivals, "RIVAL") == {(4, 1): 4.0, (4, 9): 1.0, (4, 10): 1.0}
    assert load(rivals, "C1").last_message_at == at(2, 9.1)


def test_a_client_that_there_is_not_is_named_with_those_that_there_are(busy: World) -> None:
    result = materialize(busy, "C9", raise_on_error=False)
    [failure] = result.get_step_failure_events()
    assert "no client has the code C9; there are: C1" in str(failure.step_failure_data.error)
    assert not list(asset.LOCAL.rglob("*.html"))


@pytest.mark.usefixtures("undrawn")
def test_the_page_is_mailed(busy: World, mailbox: Mailbox, environment: Callable[..., Settings]) -> None:
    environment(REPORT_URLS=mailbox.url)
    page_, facts = render(busy, "C1")
    [mail] = mailbox.mails
    assert mail["Subject"] == "Conversations of C1, 11 February 2026 to 12 March 2026, UTC"
    [attached] = [part for part in mail.walk() if part.get_filename()]
    assert attached.get_filename() == Path(str(facts["page"])).name == "activity-C1.html"
    assert attached.get_content_type() == "text/html"
    assert attached.get_payload(decode=True).replace(b"\r\n", b"\n").decode() == page_
    text = next(part for part in mail.walk() if part.get_content_type() == "text/plain").get_payload(decode=True)
    assert b"8 messages; in the last 7 full days 6, in the 7 before 0" in text


@pytest.mark.usefixtures("undrawn")
def test_only_whoever_asks_for_the_report_alone_has_it_mailed(
    busy: World, mailbox: Mailbox, environment: Callable[..., Settings]
) -> None:
    environment(REPORT_URLS=mailbox.url)
    others = ["activity_report", "client_activity_daily"]
    for assets, tags in ((["activity_report"], {"dagster/backfill": "x"}), (others, {})):
        facts = metadata(busy.materialize(assets, tags=tags), "write_report")
        assert Path(str(facts["page"])).exists()
        assert (facts["sent_to"], mailbox.mails) == (0, [])
    busy.materialize(["activity_report"])
    assert len(mailbox.mails) == 1


@pytest.mark.usefixtures("undrawn")
def test_a_mail_that_nobody_takes_fails_the_run_after_the_page_is_written(
    busy: World, mailbox: Mailbox, environment: Callable[..., Settings], caplog: pytest.LogCaptureFixture
) -> None:
    environment(REPORT_URLS=f"{mailbox.url} mailto://user:s3cret@127.0.0.1:9?from=a@example.com&mode=insecure")
    result = materialize(busy, raise_on_error=False)
    [failure] = result.get_step_failure_events()
    said = str(failure.step_failure_data.error)
    assert (
        f"delivery failed to 1 of 2 receivers of REPORT_URLS; the report is {asset.LOCAL}/reports/activity.html" in said
    )
    assert (asset.LOCAL / "reports" / "activity.html").exists()
    assert len(mailbox.mails) == 1
    events = "".join(event.event_specific_data.__repr__() for event in result.all_events)
    assert "s3cret" not in said + events + caplog.text


def test_labels_and_days_that_a_report_stumbles_over(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asset, "LOCAL", tmp_path)
    world.crew("$\\frac$", table="histories_x")
    for days in (0, 300_000, -700_000):
        world.say(f"s{days}", "human", at(days), "$\\frac$")
    assert [crew.error for crew in world.tick()["histories_sessions"].parts] == [None]
    assert materialize(world).success
    assert load(world).clients["messages"].sum() == 1
