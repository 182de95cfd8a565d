"""Real applications' schemas, read through views: whatever their writers do, the next tick makes every table right."""

import random
import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.pq import TransactionStatus

from convo_pipelines.cli import main
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import capture, ticks
from convo_pipelines.model.tables import DERIVED_TABLES
from convo_pipelines.sources.adoption import files, installation
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import ROOT
from convo_pipelines_tests.world import LOG, World, at

ROWS_OF = re.compile(r"^insert into (\S+)", re.MULTILINE)
IN_THE_HEAD = re.compile(r"^--   (.*;)$", re.MULTILINE)
MACROS = {
    "{own}": "id %% 2 = any(%(own)s)",
    "{some}": "id %% 10 = %(digit)s and id %% 2 = any(%(own)s)",
    "{one}": "id %% 40 = %(key)s and id %% 2 = any(%(own)s)",
}


class Owner:
    """An application whose tables are adopted, with the files that `convo_pipelines_tests/adopted` has of its name."""

    def __init__(self, name: str, never_empty: Sequence[str] = (), filters: Mapping[str, str] | None = None):
        self.name, self.never_empty, self.filters = name, never_empty, filters or {}
        self.views = ROOT / "docs" / "how-to" / "adopt" / f"{name}.sql"

    def text(self, what: str = "") -> str:
        return (ROOT / "convo_pipelines_tests" / "adopted" / f"{self.name}{what}.sql").read_text()

    @cached_property
    def fills(self) -> dict[str, str]:
        """The statement that fills each table."""
        statements = [text for text in self.text("_rows").split("\n\n") if ROWS_OF.search(text)]
        return {ROWS_OF.findall(text)[0]: text for text in statements}

    @cached_property
    def writes(self) -> list[str]:
        """What its writers do."""
        text = self.text("_writes").partition("\n\n")[2]
        for macro, condition in MACROS.items():
            text = text.replace(macro, condition)
        tables = [name.rpartition(".")[2] for name in self.fills]
        return [
            statement.replace("{table}", table)
            for statement in text.split("\n\n")
            for table in (tables if "{table}" in statement else [""])
        ]


CHATWOOT, SALESFORCE = Owner("chatwoot", never_empty=["public.accounts"]), Owner("salesforce")
ZAMMAD = Owner("zammad")
OWNERS = [CHATWOOT, SALESFORCE, ZAMMAD]
ROUTED = (
    "conversation_id in (select c.id from public.conversations as c "
    "inner join public.inboxes as i on i.id = c.inbox_id where i.channel_type <> 'Channel::Email')"
)
SENT = (
    'exists (select from salesforce.emailmessage as m inner join salesforce."case" as c on c.sfid = m.parentid '
    "where m.sfid = emailmessageid and m.isdeleted is not true and c.isdeleted is not true)"
)
JOINED = [
    Owner(
        "chatwoot",
        never_empty=["public.accounts"],
        filters={
            "phone_number, '')::text as value\nfrom public.contacts": "where exists "
            "(select from public.accounts as a where a.id = account_id and a.name is not null)",
            "where message_type in (0, 1)": f"and {ROUTED}",
            "where sender_type = 'Contact'": f"and {ROUTED} "
            "and exists (select from public.contacts as c where c.id = sender_id)",
        },
    ),
    Owner(
        "salesforce",
        filters={
            "and parentid is not null": "and parentid in "
            '(select c.sfid from salesforce."case" as c where c.isdeleted is not true)',
            "and (relationid is not null or relationaddress is not null)": f"and {SENT}",
            "as linkedin_urn\nfrom salesforce.contact\nwhere isdeleted is not true": "and accountid in "
            "(select a.sfid from salesforce.account as a where a.isdeleted is not true)",
        },
    ),
]
"""The same applications, with views whose rows other tables show and hide."""
each_owner = pytest.mark.parametrize("owner", OWNERS, ids=lambda owner: owner.name)


@pytest.fixture
def adopt(empty_database: str, tmp_path: Path) -> Iterator[Callable[[Owner], World]]:
    """Makes an application's tables, fills them, and adopts them as the head of its views says."""
    world = World(Warehouse(empty_database))

    def make(owner: Owner) -> World:
        text = owner.views.read_text()
        for after, added in owner.filters.items():
            assert after in text
            text = text.replace(after, f"{after} {added}")
        (file := tmp_path / "views.sql").write_text(text)
        before, after = text.partition("\ncreate or replace view")[0].split("After `adopt install`")
        for statement in (owner.text(), *IN_THE_HEAD.findall(before), owner.text("_rows")):
            world.execute(statement)
        adopted = installation.install(world.warehouse, file)
        assert [view for view in adopted if view.remark or view.read_again] == []
        for statement in IN_THE_HEAD.findall(after):
            world.execute(statement)
        return world

    yield make
    world.close()


def tick(world: World) -> None:
    ticks.tick_all(world.warehouse, DERIVED_TABLES, LOG)


def assert_right(world: World) -> None:
    oracle.assert_right(world, deleted=oracle.without_conversation(world))
    oracle.assert_links_right(world)


def assert_no_drift(world: World) -> None:
    tick(world)
    assert world.reconcile().drift.changed == 0


@each_owner
def test_a_real_schema_is_captured_and_built(adopt: Callable[[Owner], World], owner: Owner) -> None:
    world = adopt(owner)
    with world.warehouse.connection() as connection:
        tables = capture.status(connection)
    assert {(table["mode"], table["remark"]) for table in tables} == {("captured", None)}
    tick(world)
    assert_right(world)
    for table in ("conversation_summaries", "client_activity_daily", "people_conversations", "clients_conversations"):
        assert world.execute(f"select from analytics.{table} limit 1"), table
    assert_no_drift(world)


def test_a_client_in_the_recycle_bin_takes_its_rows_along_and_brings_them_back(adopt: Callable[[Owner], World]) -> None:
    world = adopt(SALESFORCE)
    tick(world)
    for is_deleted in (True, False):
        world.execute("update salesforce.account set isdeleted = %s where id = 1", is_deleted)
        tick(world)
        assert_right(world)


def test_a_text_that_compares_in_its_own_way_is_refused(empty_database: str, tmp_path: Path) -> None:
    file = tmp_path / "views.sql"
    file.write_text(SALESFORCE.views.read_text().replace(' collate "default"', ""))
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(SALESFORCE.text())
    with (
        closing(Warehouse(empty_database)) as warehouse,
        pytest.raises(files.AdoptionError, match=r"client_code is of type .* collate ucs_basic: add collate"),
    ):
        installation.install(warehouse, file)


def test_the_guide_runs_from_top_to_bottom(
    empty_database: str, environment: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment(CONVO_DATABASE_URL=empty_database)
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"```(sh|sql)\n(.*?)```", (ROOT / "docs" / "how-to" / "adopting.md").read_text(), re.DOTALL)
    with closing(World(Warehouse(empty_database))) as world:
        world.execute(CHATWOOT.text())
        lines = [line for language, block in blocks for line in lines_of(language, block)]
        answers: list[object] = []
        for line in lines:
            answers.append(run(world, line))
            if line.startswith("create index concurrently on public.n8n_chat_histories"):
                world.execute(CHATWOOT.text("_rows"))
        assert_no_drift(world)
        assert_right(world)
        assert world.execute("select run_this from analytics.missing_app_indexes") == []
        assert world.execute("select from analytics.capture_state where mode <> 'captured'") == []
    assert any(isinstance(rows, list) and len(rows) == 10 for rows in answers)


def lines_of(language: str, block: str) -> list[str]:
    """The commands or statements of a block."""
    return block.splitlines() if language == "sh" else [text for text in block.split(";\n") if text.strip()]


def run(world: World, line: str) -> object:
    """Run a command or a statement of a guide; where it installs, or serves until it is stopped, nothing."""
    if not line.startswith("convo-pipelines"):
        return None if line.startswith(("pip install", "export")) else world.execute(line)
    command = shlex.split(line.partition(">")[0])[1:]
    if command[0] == "dagster":
        return None
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, f"{line}: {result.output}"
    return result.output


class Writers:
    """An application that writes, by one connection at once, by another in transactions that end late.

    While such a transaction is open, the rows with even keys are its own, so that nobody waits.
    """

    def __init__(self, world: World, owner: Owner, seed: int, late: psycopg.Connection[Any]):
        self.world, self.owner, self.late = world, owner, late
        self.rng = random.Random(f"{owner.name} {seed}")
        self.numbers = count(1)
        for connection in (world.connection, late):
            connection.execute("set lock_timeout = '10s'")
        late.commit()

    @property
    def is_late(self) -> bool:
        return self.late.info.transaction_status != TransactionStatus.IDLE

    def step(self) -> None:
        chance = self.rng.random()
        if self.is_late and chance < 0.15:
            self.late.rollback() if self.rng.random() < 0.25 else self.late.commit()
        elif self.is_late and chance < 0.5:
            self.write(self.late, [0])
        elif self.is_late:
            self.write(self.world.connection, [1])
        elif chance < 0.15:
            self.late.execute("select")
        elif chance < 0.2:
            self.empty()
        else:
            self.write(self.world.connection, [0, 1])

    def write(self, connection: psycopg.Connection[Any], own: list[int]) -> None:
        rng, number = self.rng, next(self.numbers)
        values = {
            "own": own,
            "key": rng.randint(0, 39),
            "other": rng.randint(1, 60),
            "digit": rng.randint(0, 9),
            "flag": rng.random() < 0.5,
            "when": at(rng.randint(-3, 3), rng.randint(0, 23)).replace(tzinfo=None),
            "new": f"new-{number}",
            "email": f"c{rng.randint(0, 25)}-{own[0]}@example.com",
            "phone": f"+49151123456{rng.randint(0, 14):02}",
        }
        with suppress(psycopg.errors.UniqueViolation), connection.transaction():
            connection.execute(rng.choice(self.owner.writes), values)

    def empty(self) -> None:
        """Truncate a table, as an import does that begins with it: often it is filled again, with the same keys."""
        table = self.rng.choice([name for name in self.owner.fills if name not in self.owner.never_empty])
        self.world.execute(f"truncate {table} restart identity")
        if self.rng.random() < 0.75:
            self.world.execute(self.owner.fills[table])


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.wide) for seed in (1, 2))])
@pytest.mark.parametrize(
    "owner", [*OWNERS, *JOINED], ids=lambda owner: f"{owner.name}, joined" if owner.filters else owner.name
)
def test_whatever_writers_do_the_next_tick_is_right(adopt: Callable[[Owner], World], owner: Owner, seed: int) -> None:
    world = adopt(owner)
    tick(world)
    with closing(psycopg.connect(world.url, options="-c timezone=UTC")) as late:
        writers = Writers(world, owner, seed, late)
        for _ in range(12):
            for _ in range(writers.rng.randint(1, 12)):
                writers.step()
            tick(world)
            if not writers.is_late:
                assert_right(world)
        late.commit()
    tick(world)
    assert_right(world)
    assert_no_drift(world)
