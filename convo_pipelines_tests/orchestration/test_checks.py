"""Every check passes on good data and fails on damaged data, saying where."""

from collections.abc import Callable

import pytest

from convo_pipelines_tests.world import World, at, sample

BYPASSED = "set session_replication_role = replica;"
ODD = "insert into analytics.oddities values ('{}', null, 'odd', 1, 'this', 'that')"
CHECKS_AND_DAMAGE = {
    "histories_sessions/no_duplicates": (
        "alter table analytics.histories_sessions drop constraint histories_sessions_pkey;"
        "insert into analytics.histories_sessions select * from analytics.histories_sessions"
    ),
    "crew_conversations/no_duplicates": (
        "alter table app.conversations drop constraint conversations_crew_id_session_id_key;"
        "insert into app.conversations (channel, crew_id, session_id) "
        "select channel, crew_id, session_id from app.conversations"
    ),
    "conversation_summaries/no_duplicates": (
        "alter table analytics.conversation_summaries drop constraint conversation_summaries_pkey;"
        "insert into analytics.conversation_summaries select * from analytics.conversation_summaries limit 1"
    ),
    "conversation_days/no_duplicates": (
        "alter table analytics.conversation_days drop constraint conversation_days_pkey;"
        "insert into analytics.conversation_days select * from analytics.conversation_days limit 1"
    ),
    "crew_activity_daily/no_duplicates": (
        "alter table analytics.crew_activity_daily drop constraint crew_activity_daily_pkey;"
        "insert into analytics.crew_activity_daily select * from analytics.crew_activity_daily"
    ),
    "crew_activity_daily/no_orphans": f"{BYPASSED} delete from app.crews",
    "client_activity_daily/no_duplicates": (
        "alter table analytics.client_activity_daily drop constraint client_activity_daily_pkey;"
        "insert into analytics.client_activity_daily select * from analytics.client_activity_daily limit 1"
    ),
    "client_activity_daily/no_orphans": f"{BYPASSED} delete from app.clients where client_code = 'C1'",
    "every_client_day_adds_up": "update analytics.client_activity_daily set messages = messages + 1",
    "every_conversation_has_its_days": "delete from analytics.conversation_days where source = 'histories'",
    "every_crew_day_adds_up": "update analytics.crew_activity_daily set messages = messages + 1",
    "conversation_summaries/no_orphans": f"{BYPASSED} delete from app.conversations where channel = 'crew'",
    "no_crew_conversations_without_session": "delete from analytics.histories_sessions",
    "no_sessions_without_conversation": "delete from app.conversations",
    "every_message_is_counted": "update analytics.histories_sessions set message_count = message_count + 1",
    "every_conversation_is_summarized": "delete from analytics.conversation_summaries where source = 'messages'",
    "every_crew_succeeded": "update analytics.crew_discovery_state set last_error = 'no such table'",
    "no_sessions_without_crew": "create view app.histories_of_no_crew as "
    "select session_id, message, created_at from app.histories_a",
    "no_odd_histories_tables": "update analytics.crew_discovery_state set last_warning = 'no index'",
    "app_tables_are_indexed": "drop index app.messages_sent_at",
    "participant_resolutions/no_duplicates": (
        "alter table analytics.participant_resolutions drop constraint participant_resolutions_pkey;"
        "insert into analytics.participant_resolutions select * from analytics.participant_resolutions"
    ),
    "people_conversations/no_duplicates": (
        "alter table analytics.people_conversations drop constraint people_conversations_person_id_conversation_id_key;"
        "insert into analytics.people_conversations (person_id, conversation_id) "
        "select person_id, conversation_id from analytics.people_conversations"
    ),
    "clients_conversations/no_duplicates": (
        "alter table analytics.clients_conversations "
        "drop constraint clients_conversations_client_id_conversation_id_key;"
        "insert into analytics.clients_conversations (client_id, conversation_id) "
        "select client_id, conversation_id from analytics.clients_conversations limit 1"
    ),
    "project_conversations/no_duplicates": (
        "alter table analytics.project_conversations drop constraint project_conversations_conversation_id_key;"
        "insert into analytics.project_conversations (project_id, conversation_id, added_at, added_by_is) "
        "select project_id, conversation_id, added_at, added_by_is from analytics.project_conversations"
    ),
    "participant_resolutions/no_orphans": f"{BYPASSED} delete from app.contact_methods",
    "people_conversations/no_orphans": f"{BYPASSED} delete from app.people",
    "clients_conversations/no_orphans": f"{BYPASSED} delete from app.conversations where channel = 'email'",
    "project_conversations/no_orphans": f"{BYPASSED} delete from app.projects",
    "histories_sessions/no_orphans": f"{BYPASSED} delete from app.crews",
    "crew_conversations/no_orphans": f"{BYPASSED} delete from app.crews",
    "project_link_inconsistencies/no_orphans": "insert into analytics.project_link_inconsistencies "
    f"select id, gen_random_uuid(), 'stale_id' from app.projects; {BYPASSED} delete from app.projects",
    "project_link_inconsistencies/no_duplicates": (
        "alter table analytics.project_link_inconsistencies drop constraint project_link_inconsistencies_pkey;"
        "insert into analytics.project_link_inconsistencies select id, id, 'stale_id' from app.projects;"
        "insert into analytics.project_link_inconsistencies select * from analytics.project_link_inconsistencies"
    ),
    "histories_sessions/no_odd_rows": ODD.format("histories_sessions"),
    "crew_conversations/no_odd_rows": ODD.format("crew_conversations"),
    "conversation_summaries/no_odd_rows": ODD.format("conversation_summaries"),
    "project_conversations/no_odd_rows": ODD.format("project_conversations"),
    "every_contact_method_is_resolved": f"{BYPASSED} update app.contact_methods set person_id = null",
    "every_recipient_is_linked": "delete from analytics.people_conversations",
    "every_client_is_linked": "delete from analytics.clients_conversations where conversation_id not in "
    "(select id from app.conversations where channel = 'crew')",
    "every_project_is_linked": "delete from analytics.project_conversations",
    "people_links_equal_their_sources": "insert into analytics.people_conversations (person_id, conversation_id) "
    "select people.id, conversations.id from app.people, app.conversations where channel = 'crew'",
    "client_links_equal_their_sources": "insert into analytics.clients_conversations (client_id, conversation_id) "
    "select clients.id, conversations.id from app.clients, app.conversations "
    "where client_code = 'C2' and channel = 'email'",
    "project_links_equal_their_sources": f"{BYPASSED} update app.conversations set project_id = null",
    "no_unresolved_participants": "update analytics.participant_resolutions set status = 'unmatched'",
    "no_ambiguous_participants": "update analytics.participant_resolutions set status = 'ambiguous';"
    "insert into analytics.identifiers select 'person', gen_random_uuid(), kind, value, identifier, gen_random_uuid(), "
    "client_id from analytics.identifiers where person_id is not null",
    "no_cross_client_links": f"{BYPASSED} "
    "update app.people set client_id = (select id from app.clients where client_code = 'C2')",
    "projects_agree_with_their_arrays": "insert into analytics.project_link_inconsistencies "
    "select id, gen_random_uuid(), 'stale_id' from app.projects",
    "one_open_conversation_per_lead": "drop index app.conversations_one_open_per_lead;"
    "update app.conversations set lead_id = '00000000-0000-0000-0000-000000000007'",
    "conversation_indexes_are_valid": "update pg_index set indisvalid = false "
    "where indexrelid = 'app.messages_recency'::regclass",
    "recency_queries_use_their_index": "drop index app.messages_recency;"
    "insert into app.messages (conversation_id, direction, sent_at) "
    "select id, 'inbound', now() from app.conversations, generate_series(1, 10000); analyze app.messages",
    "answers_have_times": "insert into app.conversations (channel, crew_id, session_id) "
    "select 'crew', id, 'at once ' || n from app.crews, generate_series(1, 20) as n;"
    "insert into analytics.conversation_summaries (conversation_id, source, channel, crew_id, message_count, "
    "inbound_count, outbound_count, participant_count, started_at, ended_at, duration_seconds, first_response_at) "
    "select id, 'histories', 'crew', crew_id, 2, 1, 1, 2, now(), now(), 0, now() from app.conversations "
    "where session_id like 'at once %'",
    "discovery_is_healthy": "update analytics.crew_discovery_state set last_duration_ms = 31000",
}


def good_data(world: World) -> None:
    world.crew()
    world.say("s1", "human", at(0, 9))
    world.say("s1", "ai", at(0, 10))
    world.client("C2")
    project = world.project()
    talk = world.conversation(project_id=project)
    world.execute("update app.projects set conversation_ids = array[%s]", talk)
    world.address(talk, world.contact("ana@example.com", world.person()))
    world.tick()
    world.sync()


@pytest.fixture
def healthy(new_world: Callable[..., World]) -> World:
    return new_world(good_data)


def test_good_data_passes_every_check(healthy: World) -> None:
    found = healthy.checks()
    assert set(found) == set(CHECKS_AND_DAMAGE)
    assert [name for name, check in found.items() if not check.passed] == []
    evaluations = healthy.evaluations()
    assert len(evaluations) == len(found)
    assert all(evaluation.passed for evaluation in evaluations)


@pytest.mark.parametrize("name", CHECKS_AND_DAMAGE)
def test_each_check_can_fail(healthy: World, name: str) -> None:
    healthy.execute(CHECKS_AND_DAMAGE[name])
    healthy.execute(  # as if ticks had read all that was logged
        "update analytics.refresh_state set snapshot = pg_current_snapshot(), written_by = pg_current_xact_id()"
    )
    check = healthy.checks(name)[name]
    assert not check.passed
    assert check.metadata["offenders"].value == 1
    assert len(sample(check)) == 1


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        ("consecutive_failures = 4", "more than 3 consecutive failures"),
        ("consecutive_failures = 1", "error rate above 5 %"),
        ("last_success_at = null", "never read"),
    ],
)
def test_discovery_is_held_against_its_limits(healthy: World, damage: str, complaint: str) -> None:
    for number in range(20):
        healthy.crew(f"X{number}")
    healthy.tick()
    healthy.execute("update app.crews set created_at = now() - interval '1 day'")
    assert healthy.checks("discovery_is_healthy")["discovery_is_healthy"].passed
    healthy.execute(f"update analytics.crew_discovery_state set {damage}")
    check = healthy.checks("discovery_is_healthy")["discovery_is_healthy"]
    assert not check.passed
    assert complaint in {row["limit_passed"] for row in sample(check)}


def test_rows_that_wait_too_long_are_named(healthy: World) -> None:
    healthy.say("s2", "human", at(0, 11))
    healthy.execute("update analytics.session_changes set logged_at = now() - interval '11 minutes'")
    check = healthy.checks("discovery_is_healthy")["discovery_is_healthy"]
    assert sample(check)[0]["limit_passed"] == "rows waiting for more than 10 minutes"


def test_what_awaits_a_tick_is_not_missing(healthy: World) -> None:
    healthy.say("s2", "human", at(0, 11))
    contact = healthy.contact("new@example.com", healthy.person())
    healthy.address(healthy.conversation(project_id=healthy.project()), contact)
    assert [name for name, check in healthy.checks().items() if not check.passed] == []


def test_a_missing_message_is_named_by_crew_and_day(healthy: World) -> None:
    healthy.execute("delete from analytics.histories_sessions")
    [day] = sample(healthy.checks("every_message_is_counted")["every_message_is_counted"])
    assert day == {"crew": "A", "activity_date": "2026-03-10", "in_source": 2, "counted": 0}
