"""Every check passes on good data and fails on damaged data, saying where."""

import pytest

from convo_pipelines_tests.world import World, at

CHECKS_AND_DAMAGE = {
    "no_duplicate_sessions": (
        "alter table analytics.histories_sessions drop constraint histories_sessions_pkey;"
        "insert into analytics.histories_sessions select * from analytics.histories_sessions"
    ),
    "no_duplicate_conversations": (
        "alter table app.conversations drop constraint conversations_crew_id_session_id_key;"
        "insert into app.conversations (channel, crew_id, session_id) "
        "select channel, crew_id, session_id from app.conversations"
    ),
    "no_duplicate_summaries": (
        "alter table analytics.conversation_summaries drop constraint conversation_summaries_pkey;"
        "insert into analytics.conversation_summaries select * from analytics.conversation_summaries"
    ),
    "no_summaries_without_conversation": "set session_replication_role = replica; delete from app.conversations",
    "no_crew_conversations_without_session": "delete from analytics.histories_sessions",
    "no_sessions_without_conversation": "delete from app.conversations",
    "every_message_is_counted": "update analytics.histories_sessions set message_count = message_count + 1",
    "every_crew_succeeded": "update analytics.crew_discovery_state set last_error = 'no such table'",
    "no_odd_histories_tables": "update analytics.crew_discovery_state set last_warning = 'no index'",
    "app_tables_are_indexed": "drop index app.messages_updated_at",
    "discovery_is_healthy": "update analytics.crew_discovery_state set last_duration_ms = 31000",
}


@pytest.fixture
def healthy(world: World) -> World:
    world.crew()
    world.say("s1", "human", at(0, 9))
    world.say("s1", "ai", at(0, 10))
    world.tick()
    return world


def test_good_data_passes_every_check(healthy: World) -> None:
    found = healthy.checks()
    assert set(found) == set(CHECKS_AND_DAMAGE)
    assert [name for name, check in found.items() if not check.passed] == []


@pytest.mark.parametrize("name", CHECKS_AND_DAMAGE)
def test_each_check_can_fail(healthy: World, name: str) -> None:
    healthy.execute(CHECKS_AND_DAMAGE[name])
    check = healthy.checks(name)[name]
    assert not check.passed
    assert check.metadata["offenders"].value == 1
    assert "| --- |" in check.metadata["sample"].value


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("consecutive_failures = 4", "more than 3 consecutive failures"),
        ("consecutive_failures = 1", "error rate above 5 %"),
        ("last_success_at = now() - interval '11 minutes', watermark_id = 0", "no success for 10 minutes"),
    ],
)
def test_discovery_is_held_against_its_limits(healthy: World, damage: str, complaint: str) -> None:
    healthy.execute(f"update analytics.crew_discovery_state set {damage}")
    check = healthy.checks("discovery_is_healthy")["discovery_is_healthy"]
    assert not check.passed
    assert complaint in check.metadata["sample"].value


def test_a_missing_message_is_named_by_crew_and_day(healthy: World) -> None:
    healthy.execute("delete from analytics.histories_sessions")
    sample = healthy.checks("every_message_is_counted")["every_message_is_counted"].metadata["sample"].value
    assert "| A | 2026-03-10 | 2 | 2 | 0 |" in sample
