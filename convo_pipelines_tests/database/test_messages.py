"""What a message is, of each format that programs write."""

import json

import pytest
from psycopg.types.json import Json, Jsonb

from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import both_servers
from convo_pipelines_tests.messages import MESSAGES
from convo_pipelines_tests.world import World, at

ESCAPED = [
    ("human", r'{"type": "human", "content": "a\u0000b"}'),
    ("ai", r'{"type": "ai", "content": "\u0000"}'),
    ("ai", r'{"type": "ai", "content": "\ud800", "tool_calls": [1]}'),
    ("human", r'{"role": "user", "content": "a\\\u0000b \\u0000"}'),
    ("tool_call", r'{"role": "assistant", "content": "", "tool_calls": [{"arguments": "\\\\\u0000"}]}'),
    (None, r'{"type": "\u0000"}'),
]
"""What a json column may hold, but PostgreSQL cannot take apart."""


@both_servers
def test_what_a_message_is(world: World) -> None:
    for kind, message in MESSAGES:
        query = "select analytics.message_type(%s) as a, analytics.message_type(%s) as b"
        assert world.execute(query, Jsonb(message), Json(message)) == [{"a": kind, "b": kind}], message
        assert oracle.kind_of(message) == kind
    for kind, text in ESCAPED:
        assert world.execute("select analytics.message_type(%s::json) as kind", text) == [{"kind": kind}], text
        assert oracle.kind_of(json.loads(text)) == kind


@pytest.mark.parametrize("column_type", ["jsonb", "json"])
def test_calls_of_tools_are_no_answers(world: World, column_type: str) -> None:
    world.crew()
    world.execute(f"alter table app.histories_a alter column message type {column_type} using message::{column_type}")
    for minute, (_, message) in enumerate(MESSAGES):
        world.say_raw("all", json.dumps(message), at(0, 9 + minute / 60))
    for minute, kind in enumerate(
        ('{"role": "user"}', '{"role": "assistant", "tool_calls": [1]}', '{"role": "assistant", "content": "3"}')
    ):
        world.say_raw("one", kind, at(0, 10 + minute / 60))
    world.tick()
    oracle.assert_right(world)
    [one] = world.execute("select * from analytics.histories_sessions where session_id = 'one'")
    assert (one["message_count"], one["human_count"], one["tool_call_count"], one["ai_count"]) == (3, 1, 1, 1)
    [summary] = world.execute("select * from analytics.conversation_summaries where session_id = 'one'")
    assert (summary["outbound_count"], summary["first_response_seconds"]) == (1, 120)
    [odd] = world.execute("select rows from analytics.oddities where kind = 'messages of no known type'")
    assert odd["rows"] == sum(kind is None for kind, _ in MESSAGES)
