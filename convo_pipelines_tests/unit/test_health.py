"""How long a table may wait."""

from collections.abc import Callable

from convo_pipelines.model.tables import TABLES
from convo_pipelines.operations import health


def test_the_allowed_wait_follows_the_schedule(environment: Callable[..., None]) -> None:
    assert health.allowed_wait(TABLES["people_conversations"]).total_seconds() == 600
    environment(LINK_SYNC_CRON="0 * * * *")
    assert 3_600 <= health.allowed_wait(TABLES["people_conversations"]).total_seconds() <= 7_200
    for odd in ("never", "0 0 30 2 *"):
        environment(LINK_SYNC_CRON=odd)
        assert health.allowed_wait(TABLES["people_conversations"]).total_seconds() == 600
