"""Single sessions, as the webhook asks for them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from convo_pipelines.engine import chunks
from convo_pipelines.model import histories
from convo_pipelines.serving import sessions, webhook
from convo_pipelines.serving.sessions import SessionKey
from convo_pipelines.serving.webhook import PATH
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers_if_wide
from convo_pipelines_tests.world import World, at


@both_servers_if_wide
def test_many_sessions_of_a_crew_are_read_however_small_chunks_become(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(histories, "CHUNK_KEYS", 1)
    monkeypatch.setattr(chunks, "FEW_KEYS", -1)
    world.crew("A")
    world.say("before")
    world.tick()
    asked = [SessionKey("A", f"s{number}") for number in range(3)]
    for session in asked:
        for day in range(3):
            world.say(session.session_id, when=at(day))
    answers = sessions.complete(world.warehouse, asked).answers
    assert [answers[session]["message_count"] for session in asked] == [3, 3, 3]
    oracle.assert_equal(world, "histories_sessions", "conversation_summaries")


def test_sessions_of_several_crews_that_no_tick_has_seen_yet(world: World) -> None:
    asked = [SessionKey(crew, "s") for crew in "AB"]
    for session in asked:
        world.crew(session.crew_code)
        world.say(session.session_id, crew=session.crew_code)
    answers = sessions.complete(world.warehouse, asked).answers
    assert [answers[session]["message_count"] for session in asked] == [1, 1]


def test_archived_days_count(world: World, archive_after: Callable[[int], None]) -> None:
    archive_after(7)
    world.crew("A")
    now = datetime.now(UTC)
    for days in (30, 20, 1):
        world.say("s", when=now - timedelta(days=days))
    world.tick()
    world.execute("delete from app.histories_a where created_at < now() - interval '10 days'")
    world.say("s", when=now)
    one = SessionKey("A", "s")
    assert sessions.complete(world.warehouse, [one]).answers[one]["message_count"] == 4
    world.tick()
    world.reconcile()
    assert sessions.complete(world.warehouse, [one]).answers[one]["message_count"] == 4


def test_too_many_are_turned_away(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "MOST_PENDING", 3)
    world.crew("A")
    body = {"session_id": "never", "crew_code": "A"}
    application = webhook.application(world.warehouse, None)
    with TestClient(application) as called, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: called.post(PATH, json=body), range(8)))
        assert sorted(answer.status_code for answer in answers) == [404] * 3 + [429] * 5
        turned_away = next(answer for answer in answers if answer.status_code == 429)
        assert turned_away.headers["retry-after"] == "1"
        assert called.post(PATH, json=body).status_code == 404
