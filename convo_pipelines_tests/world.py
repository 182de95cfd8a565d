"""What the tests do to a database: write as the application does, run the pipeline, read the result."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.datetime import TimestamptzLoader

from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.engine import binding, ticks
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.engine.scopes import Window
from convo_pipelines.engine.work import Done
from convo_pipelines.model import reconcile
from convo_pipelines.model.crews import select
from convo_pipelines.model.tables import DERIVED_TABLES, DISCOVERY, LINK_SYNC
from convo_pipelines.sources import n8n

if TYPE_CHECKING:  # Dagster and pandas take seconds to load, which only some tests need
    import dagster as dg
    import pandas as pd

DAY = datetime(2026, 3, 10, tzinfo=UTC)
PIPELINE = [table.name for table in DISCOVERY]
LINKS = [table.name for table in LINK_SYNC]
LOG = logging.getLogger("test")


class EveryCrewFailedError(AssertionError):
    """What lets a run of Dagster fail, though nothing was raised."""


def _named(names: Sequence[str]) -> list[DerivedTable]:
    """The tables of these names, in the order in which they are made."""
    assert not set(names) - {table.name for table in DERIVED_TABLES}
    return [table for table in DERIVED_TABLES if table.name in names]


def asset_graph() -> str:
    """What a picture of Dagster's asset graph shows: each asset with its group, and what it reads."""
    from convo_pipelines.definitions import defs

    graph = defs.resolve_asset_graph()
    lines = []
    for key in graph.get_all_asset_keys():
        parents = sorted(parent.to_user_string() for parent in graph.get(key).parent_keys)
        lines.append(
            " ".join([f"{graph.get(key).group_name}: {key.to_user_string()}", *(["<", *parents] if parents else [])])
        )
    return "\n".join(sorted(lines)) + "\n"


@cache
def check_definitions() -> dict[str, dg.AssetChecksDefinition]:
    """Every check by its name; with the asset's before it where several assets have that check."""
    import dagster as dg

    from convo_pipelines.definitions import defs

    found = [
        (key, check)
        for check in defs.asset_checks or ()
        if isinstance(check, dg.AssetChecksDefinition)
        for key in check.check_keys
    ]
    times = Counter(key.name for key, _ in found)
    return {
        ("" if times[key.name] == 1 else f"{key.asset_key.to_user_string()}/") + key.name: check for key, check in found
    }


def at(day: int = 0, hour: float = 12.0) -> datetime:
    """The hour of a day counted from 10 March 2026, UTC."""
    return DAY + timedelta(days=day, hours=hour)


class UsableTime(TimestamptzLoader):
    """Reads a time that Python cannot hold, such as infinity, as None."""

    def load(self, data: Any) -> Any:
        try:
            return super().load(data)
        except psycopg.DataError:
            return None


class World:
    def __init__(self, warehouse: Warehouse, tables: dict[str, str] | None = None):
        self.warehouse = warehouse
        self.url = warehouse.url
        self.connection = psycopg.connect(self.url, autocommit=True, row_factory=dict_row, options="-c timezone=UTC")
        self.connection.adapters.register_loader("timestamptz", UsableTime)
        self.tables = tables or {}

    def close(self) -> None:
        self.connection.close()
        self.warehouse.close()

    # The application

    def execute(self, query: str, *values: object) -> list[dict[str, Any]]:
        cursor = self.connection.execute(query, values or None)
        return cursor.fetchall() if cursor.description is not None else []

    def insert(self, table: str, **values: object) -> UUID:
        names = sql.SQL(", ").join(sql.Identifier(name) for name in values)
        marks = sql.SQL(", ").join(sql.Placeholder() * len(values))
        query = sql.SQL("insert into app.{} ({}) values ({}) returning id").format(sql.Identifier(table), names, marks)
        return self.connection.execute(query, list(values.values())).fetchone()["id"]

    def client(self, code: str = "C1") -> UUID:
        known = self.execute("select id from app.clients where client_code = %s", code)
        return known[0]["id"] if known else self.insert("clients", client_code=code, name=code)

    def crew(self, code: str = "A", *, table: str | None = None, create: bool = True, client: str = "C1") -> UUID:
        table = table or f"histories_{code.lower()}"
        self.tables[code] = table
        crew = self.insert(
            "crews", client_id=self.client(client), crew_code=code, name=code, histories_table_name=table
        )
        if create:
            n8n.create_table(self.connection, table)
        return crew

    def say(
        self, session: str | None, kind: str | dict[str, Any] = "human", when: datetime | None = DAY, crew: str = "A"
    ) -> None:
        """Write a message of a type, or the given one."""
        message = kind if isinstance(kind, dict) else {"type": kind, "content": "…"}
        self.say_raw(session, json.dumps(message), when, crew)

    def say_raw(self, session: str | None, message: str | None, when: datetime | None = DAY, crew: str = "A") -> None:
        query = sql.SQL("insert into app.{} (session_id, message, created_at) values (%s, %s, %s)")
        self.connection.execute(query.format(sql.Identifier(self.tables[crew])), (session, message, when))

    def conversation(self, channel: str = "email", client: str | None = "C1", **values: object) -> UUID:
        return self.insert("conversations", channel=channel, client_id=client and self.client(client), **values)

    def person(self, client: str = "C1", **values: object) -> UUID:
        return self.insert("people", client_id=self.client(client), name="…", **values)

    def contact(self, value: str, person: UUID | None = None, kind: str = "email") -> UUID:
        return self.insert("contact_methods", kind=kind, value=value, person_id=person)

    def decide(self, about: UUID | str, person: UUID, decision: str = "link") -> UUID:
        """What a steward does: decide about a contact method or a canonical identifier."""
        column = "contact_method_id" if isinstance(about, UUID) else "identifier"
        query = (
            f"insert into curation.participant_decisions ({column}, person_id, decision, reason) "
            "values (%s, %s, %s, 'they said so') returning id"
        )
        return self.execute(query, about, person, decision)[0]["id"]

    def address(self, conversation: UUID, contact: UUID, role: str = "to") -> UUID:
        message = self.message(conversation)
        return self.insert("message_recipients", message_id=message, contact_method_id=contact, role=role)

    def project(self, *conversations: UUID) -> UUID:
        users = self.execute("select id from app.users")
        user = users[0]["id"] if users else self.insert("users", name="…")
        return self.insert("projects", user_id=user, name="…", conversation_ids=list(conversations))

    def assign(self, conversation: UUID, project: UUID | None, actor: str | None = None) -> datetime:
        """Move a conversation to a project, naming who does; returns when the transaction began."""
        with self.connection.transaction():
            self.execute("select set_config('convo.actor', %s, true)", actor)
            self.execute("update app.conversations set project_id = %s where id = %s", project, conversation)
            return self.execute("select now()")[0]["now"]

    def message(self, conversation: UUID, direction: str = "inbound", when: datetime = DAY) -> UUID:
        return self.insert("messages", conversation_id=conversation, direction=direction, sent_at=when)

    def recipient(self, message: UUID, value: str, role: str = "to") -> UUID:
        known = self.execute("select id from app.contact_methods where value = %s", value)
        contact = known[0]["id"] if known else self.insert("contact_methods", kind="email", value=value)
        return self.insert("message_recipients", message_id=message, contact_method_id=contact, role=role)

    # The pipeline

    def drop_foreign_keys(self) -> None:
        """What `migrate up --without-foreign-keys` does."""
        with self.warehouse.connection() as connection:
            binding.use_foreign_keys(connection, is_wanted=False)

    def tick(
        self, assets: Sequence[str] = PIPELINE, crews: Sequence[str] = (), clients: Sequence[str] = ()
    ) -> dict[str, Done]:
        """Tick tables as a run of Dagster does, without Dagster; returns what was done to each."""
        narrowing = select(self.warehouse, crews, clients)
        return {table.name: self._done(ticks.tick(self.warehouse, table, LOG, narrowing)) for table in _named(assets)}

    def sync(self) -> dict[str, Done]:
        """A tick of link_sync."""
        return self.tick(LINKS)

    def backfill(
        self,
        first: date,
        last: date | None = None,
        assets: Sequence[str] = PIPELINE,
        crews: Sequence[str] = (),
        clients: Sequence[str] = (),
        *,
        forget_pruned_days: bool = False,
    ) -> dict[str, Done]:
        """Refresh the days from `first` to `last` as a run of Dagster does, without Dagster."""
        window = Window.of_days(first, (last or first) + timedelta(days=1))
        narrowing = select(self.warehouse, crews, clients)
        return {
            table.name: self._done(
                ticks.backfill(self.warehouse, table, window, LOG, narrowing, forget_pruned_days=forget_pruned_days)
            )
            for table in _named(assets)
        }

    def reconcile(self) -> reconcile.Reconciliation:
        return reconcile.run(self.warehouse, LOG)

    @staticmethod
    def _done(done: Done) -> Done:
        if done.parts and all(result.error for result in done.parts):
            raise EveryCrewFailedError(done.parts[0].error)
        return done

    # The pipeline by Dagster

    def materialize(
        self,
        assets: Sequence[str] = PIPELINE,
        days: tuple[date, date] | None = None,
        instance: dg.DagsterInstance | None = None,
        expect: bool = True,
        config: dict[str, object] | None = None,
        tags: dict[str, str] | None = None,
    ) -> dg.ExecuteInProcessResult:
        """A run of Dagster: a tick, or the backfill of the days from the first to the last."""
        import dagster as dg

        from convo_pipelines.definitions import defs
        from convo_pipelines.orchestration.partitions import range_tags, tick_tags

        kind = range_tags(*(day.isoformat() for day in days)) if days else tick_tags("test")
        result = dg.materialize(
            list(defs.assets or ()),
            selection=list(assets),
            resources={"warehouse": self.warehouse},
            instance=instance,
            tags=kind | (tags or {}),
            run_config={"ops": {asset: {"config": config} for asset in assets} if config else {}},
            raise_on_error=False,
        )
        assert result.success is expect
        return result

    def evaluations(self, instance: dg.DagsterInstance | None = None) -> list[dg.AssetCheckEvaluation]:
        """What a run of Dagster that makes all checks finds."""
        import dagster as dg

        from convo_pipelines.definitions import defs

        result = dg.materialize(
            [*(defs.assets or ()), *(defs.asset_checks or ())],
            selection=dg.AssetSelection.all_asset_checks(),
            resources={"warehouse": self.warehouse},
            instance=instance,
        )
        return list(result.get_asset_check_evaluations())

    def checks(self, *names: str) -> dict[str, dg.AssetCheckResult]:
        """What these checks find, or all, by name; with the asset's before it where several assets have that check.

        No run of Dagster: each check is called.
        """
        definitions = check_definitions()
        unknown = set(names) - set(definitions)
        assert not unknown
        return {name: definitions[name](warehouse=self.warehouse) for name in names or definitions}

    def has_news(self, assets: list[str] = PIPELINE) -> bool:
        """What the schedule asks."""
        return ticks.have_news(self.warehouse, [table for table in (*DISCOVERY, *LINK_SYNC) if table.name in assets])

    # The result

    def table(self, name: str) -> pd.DataFrame:
        import pandas as pd

        cursor = self.connection.execute(f"select * from {name}")
        return pd.DataFrame(cursor.fetchall(), columns=[column.name for column in cursor.description or []])

    def linked(self) -> set[tuple[UUID, UUID]]:
        """The links of persons: person and conversation."""
        rows = self.execute("select person_id, conversation_id from analytics.people_conversations")
        return {(row["person_id"], row["conversation_id"]) for row in rows}

    def state(self, crew: str = "A") -> dict[str, Any]:
        [row] = self.execute(
            "select state.* from analytics.crew_discovery_state state join app.crews on crews.id = crew_id "
            "where crew_code = %s",
            crew,
        )
        return row


def sample(check: dg.AssetCheckResult | dg.AssetCheckEvaluation) -> list[dict[str, Any]]:
    """The sample of a check's offenders."""
    import dagster as dg

    value = (check.metadata or {})["sample"]
    assert isinstance(value, dg.TableMetadataValue)
    return [dict(record.data) for record in value.records]


def metadata(result: dg.ExecuteInProcessResult, asset: str) -> dict[str, Any]:
    event = result.asset_materializations_for_node(asset)[-1]
    return {key: value.value for key, value in event.metadata.items()}
