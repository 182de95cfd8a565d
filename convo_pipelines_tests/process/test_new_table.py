"""`make migration` writes the migration of a new table: databases of the version before get it, and lose it again."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from convo_pipelines_tests.conftest import ROOT, Server
from convo_pipelines_tests.database.test_migrations import RIGHT, catalog
from convo_pipelines_tests.world import World

NAME = "client_starts_daily"
FILES = {
    f"tables/{NAME}/table.sql": """
create table analytics.client_starts_daily (
    client_id uuid not null references app.clients on delete cascade,
    activity_date date not null,
    conversations bigint not null,
    refreshed_at timestamptz not null default now(),
    primary key (client_id, activity_date)
);
create index client_starts_daily_activity_date on analytics.client_starts_daily (activity_date);

comment on table analytics.client_starts_daily is 'Conversations that began, by client and UTC day.';
comment on column analytics.client_starts_daily.client_id is 'The client.';
comment on column analytics.client_starts_daily.activity_date is 'UTC day.';
comment on column analytics.client_starts_daily.conversations is 'Conversations whose first message was sent then.';
comment on column analytics.client_starts_daily.refreshed_at is 'Start of the transaction that last wrote this row.';
""",
    f"tables/{NAME}/table.toml": """
description = "Conversations that began, by client and UTC day."
group = "activity"
job = "conversation_discovery"
sources = ["clients"]
changes = ["conversation_days", "clients"]
key = ["client_id", "activity_date"]
logged = { client_id = "uuid", activity_date = "date" }
day = { activity_date = "date" }
lake_day = { activity_date = "date" }

[keys]
columns = { client_id = "uuid", activity_date = "date" }
all = "analytics.conversation_days(client_id, activity_date)"

[days]
"analytics.conversation_days" = "activity_date"
"analytics.client_starts_daily" = "activity_date"
""",
    f"tables/{NAME}/rows.sql": """
-- client_starts_daily: one row per client and UTC day on which a conversation began.
-- in:  keys: days of clients
select
    day.client_id,
    day.activity_date,
    count(*) as conversations
from keys
inner join analytics.conversation_days as day using (client_id, activity_date)
inner join app.clients as client on client.id = day.client_id
where day.is_started
group by day.client_id, day.activity_date;
""",
    "schema/analytics/busiest_days.sql": """
create or replace view analytics.busiest_days as
select activity_date from analytics.client_starts_daily order by conversations desc limit 10;
comment on view analytics.busiest_days is 'Internal.';
create or replace view analytics.busiest_day as select activity_date from analytics.busiest_days limit 1;
comment on view analytics.busiest_day is 'Internal.';
""",
}
COMMAND = "from convo_pipelines.cli import main; main()"
LISTING = """
import sys
from convo_pipelines_tests.catalogs import catalog, listing
catalog.write(catalog.FILE, listing(sys.argv[1]))
"""


class Version:
    """A checkout: this one, or a copy with another `sql/`."""

    def __init__(self, folder: Path):
        self.folder = folder

    def python(self, *arguments: str, url: str = "", code: int = 0) -> str:
        """Run Python with the package of this version; return what it prints."""
        environment = os.environ | {"CONVO_DATABASE_URL": url}
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def run(self, url: str, *arguments: str) -> str:
        """Run a command on a database."""
        return self.python("-c", COMMAND, *arguments, url=url)


@pytest.fixture
def later(tmp_path: Path) -> Version:
    """This version with another table."""
    for package in ("convo_pipelines", "convo_pipelines_tests"):
        (tmp_path / package).symlink_to(ROOT / package)
    subprocess.run(["cp", "-r", ROOT / "sql", tmp_path], check=True)
    for name, text in FILES.items():
        file = tmp_path / "sql" / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text.lstrip())
    return Version(tmp_path)


@pytest.mark.long(40)
def test_the_migration_of_a_new_table_leads_to_the_catalog_of_a_new_database_and_back(
    later: Version, server: Server, full: World
) -> None:
    later.python("-m", "convo_pipelines_tests.derived")
    written = Path(later.python("-m", "convo_pipelines_tests.table_migrations", NAME).strip())
    refused = later.python("-m", "convo_pipelines_tests.table_migrations", NAME, code=1)
    assert refused == f"{NAME} has a migration already: {written.name}\n"

    new, before, former = server.create(), catalog(full.url), catalog(server.create(template="template_app"))
    later.run(new, "migrate", "up")
    fresh = catalog(new)
    later.python("-c", LISTING, new)
    later.run(full.url, "migrate", "up")
    assert Counter(catalog(full.url)) - Counter(before) == Counter(fresh) - Counter(former) != Counter()
    assert later.run(full.url, "migrate", "validate") == RIGHT

    later.run(full.url, "tick")
    rows = "select client_id, activity_date, conversations from analytics.client_starts_daily order by 1, 2"
    expected = (
        "select client_id, activity_date, count(*) as conversations from analytics.conversation_days "
        "where is_started group by 1, 2 order by 1, 2"
    )
    assert full.execute(rows) == full.execute(expected) != []
    assert later.run(full.url, "migrate", "validate") == RIGHT

    assert later.run(full.url, "migrate", "down", "--yes") == f"rolled back {written.name}\n"
    Version(ROOT).run(full.url, "migrate", "up")
    assert catalog(full.url) == before
    assert Version(ROOT).run(full.url, "migrate", "validate") == RIGHT
    assert full.execute("select from analytics.refresh_state where asset_key = %s", NAME) == []
    assert full.reconcile().drift.changed == 0
