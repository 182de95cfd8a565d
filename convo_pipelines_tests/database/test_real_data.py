"""Chats that nobody here wrote, imported into both servers: the summaries equal the oracle, row by row."""

from datetime import date

import pytest

from convo_pipelines.sources import n8n
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import ROOT, both_servers_if_wide
from convo_pipelines_tests.world import World

DATA = ROOT.parent / "shared" / "data" / "sgd"


@both_servers_if_wide
@pytest.mark.skipif(not DATA.is_dir(), reason=f"no dataset in {DATA}")
@pytest.mark.wide
def test_summaries_of_imported_chats_equal_the_oracle(world: World) -> None:
    loaded = 0
    for file in sorted(DATA.glob("*.csv")):
        world.crew(file.stem, create=False)
        result = n8n.import_csv(world.warehouse, file, file.stem)
        assert result.rejected == []
        loaded += result.loaded
    world.backfill(date(2026, 8, 1), date(2026, 11, 20))
    oracle.assert_right(world)
    assert (
        sum(row["message_count"] for row in world.execute("select * from analytics.conversation_summaries")) == loaded
    )
    world.tick()
    oracle.assert_right(world)
    world.sync()
    oracle.assert_links_right(world)
    assert all(check.passed for check in world.checks().values())
