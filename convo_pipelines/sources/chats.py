"""Tables of chat messages, as n8n, LangChain, Flowise and Dify write them, read by crews beside the reference tables.

Each agent becomes a crew, with a view of its rows in `app`. A plan consists of the statements that will be run.
"""

import hashlib
import re
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import psycopg
from psycopg import sql

from convo_pipelines.database.connections import Connection, Row
from convo_pipelines.database.execution import fetch, fetch_one
from convo_pipelines.database.migrations import runner, upgrade
from convo_pipelines.database.statements import fragment, statement, trusted
from convo_pipelines.database.warehouse import Warehouse
from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.sources.adoption import installation
from convo_pipelines.sources.adoption.triggers import Adopted
from convo_pipelines.sources.interface import HISTORIES
from convo_pipelines.sources.proposal import Table, plain, tables_of

ONE_CLIENT = "main"
MOST_AGENTS = 100
"""A pattern that tells more apart probably matches what differs between sessions."""
LONGEST_SLUG = 40
OF_CREW, OF_NO_CREW = "_histories", "_of_no_crew"
"""How the names of views end: of the rows of a crew, and of those that none has, which `sessions_of_no_crew` reads."""
FLOWISE = {"role", "content", "chatflowid", "chat_id", "session_id", "created_date"}
DIFY = {"app_id", "conversation_id", "query", "answer", "provider_response_latency", "created_at"}
"""The columns of Flowise's table `chat_message` and of Dify's `messages` that are read, in snake case."""
LOCAL_TIME = "timestamp without time zone"


class ChatsError(ConvoPipelinesError):
    """A table of chat messages cannot be adopted as asked; the message names it and the remedy. Nothing was changed."""


@dataclass(frozen=True)
class Options:
    """How agents and clients are told apart.

    Attributes:
        client: the code of the client of all agents; empty: `main`.
        agent: the name of the only agent of a table; empty: that of the table.
        agents_by: the column that names the agent, or a regular expression whose match in the session id does: its
            first group, if it has one; empty: one agent writes the table.
        clients_by: likewise for the client.
        add_created_at: whether a table without a time may get a column.

    """

    client: str = ""
    agent: str = ""
    agents_by: str = ""
    clients_by: str = ""
    add_created_at: bool = False


@dataclass(frozen=True)
class Part:
    """What rows of a table are as messages; `filters` say which are."""

    message: sql.Composable
    created_at: sql.Composable
    filters: Sequence[sql.Composable] = ()


@dataclass(frozen=True)
class Chats:
    """A table of chat messages.

    Attributes:
        table: the table.
        written_by: the programs that make such tables.
        session: the session of a row.
        parts: the messages of a row.
        has_time: whether the table says when a message was written.
        agents_by: the column that tells agents apart, if every such table has one.
        names: the table that names them, if there is one.

    """

    table: Table
    written_by: str
    session: sql.Composable
    parts: Sequence[Part]
    has_time: bool = True
    agents_by: str = ""
    names: Table | None = None

    @property
    def relation(self) -> sql.SQL:
        """The table, in a statement."""
        return trusted(self.table.relation)

    def select(self, conditions: Sequence[sql.Composable]) -> sql.Composed:
        """Return the query of a view of histories that shows some of the rows."""
        return sql.SQL("\nunion all\n").join(
            fragment("sources/chats/rows").format(
                session=_as("session_id", self.session),
                message=_as("message", part.message),
                created_at=_as("created_at", part.created_at),
                table=self.relation,
                where=_where([*part.filters, *conditions]),
            )
            for part in self.parts
        )


def _as(name: str, expression: sql.Composable) -> sql.Composable:
    """Return an expression with the name of its column, unless that is the column itself."""
    is_column = expression.as_string() == name
    return expression if is_column else sql.SQL("{} as {}").format(expression, trusted(name))


def _where(conditions: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL("\nwhere {}").format(sql.SQL(" and ").join(conditions)) if conditions else sql.SQL("")


@dataclass(frozen=True)
class Agent:
    """A client's agent in a table, and what reads its rows.

    Attributes:
        table: the table.
        client: the code of the client.
        crew: the code of the crew.
        view: its view in `app`.
        rows: how many rows of the table are the agent's.
        sessions: how many sessions these are of.
        without_time: rows that do not say when they were written.

    """

    table: str
    client: str | None
    crew: str | None
    view: str
    rows: int
    sessions: int
    without_time: int


@dataclass
class Plan:
    """What will be done.

    Attributes:
        agents: all agents; without a crew, what none of them has.
        alone: statements that are run one by one.
        together: statements that are run in one transaction afterwards.
        needs_schema: whether `app` has to be made before.

    """

    agents: list[Agent] = field(default_factory=list[Agent])
    alone: list[sql.Composable] = field(default_factory=list[sql.Composable])
    together: list[sql.Composable] = field(default_factory=list[sql.Composable])
    needs_schema: bool = False

    @property
    def statements(self) -> list[str]:
        """The texts of all statements."""
        return [one.as_string().strip() for one in (*self.alone, *self.together)]

    @property
    def crews(self) -> list[str]:
        """The codes of the crews."""
        return [agent.crew for agent in self.agents if agent.crew is not None]


def plan(warehouse: Warehouse, tables: Sequence[str], options: Options) -> Plan:
    """Return what makes crews of the agents that write tables.

    Args:
        warehouse: the database, which is only read.
        tables: their names, with their schemas; none: all that are recognized.
        options: how agents are told apart.

    Raises:
        ChatsError: there is no such table, or it cannot be adopted so.

    """
    with warehouse.connection() as connection, _all_rows(connection):
        there = fetch_one(connection, "sources/chats/app")
        if there["is_other"]:
            raise ChatsError(
                "schema app has tables, but none of crews: if they are chat tables, move them to another schema, by "
                "`alter table … set schema public`; then adopt them from there"
            )
        if there["has_views"]:
            raise ChatsError(
                "app.clients and app.crews are views over tables of yours: add the crews, and views of their "
                "histories, to the file of views"
            )
        planner = _Planner(connection, options, has_crews=there["has_crews"])
        for chats in _find(connection, tables):
            planner.add(chats)
        return planner.plan


@contextmanager
def _all_rows(connection: Connection) -> Generator[None]:
    """Read in one transaction; a policy of row-level security that would hide rows raises an error.

    Raises:
        ChatsError: this role may not read a table, or not all of its rows.

    """
    try:
        with connection.transaction():
            connection.execute("set local row_security = off")
            yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise _not_the_owner(error) from None


def _not_the_owner(error: psycopg.Error) -> ChatsError:
    return ChatsError(f"{error.diag.message_primary}: connect as the role that owns the table and schema app")


def adopt(warehouse: Warehouse, planned: Plan) -> list[Adopted]:
    """Run the statements of a plan, and capture the tables beneath the views; return these.

    Raises:
        ChatsError: this role may not create what is needed.
        AdoptionError: a right is missing to capture the tables.
        TableLockedError: another session held a lock at every attempt; the message names it.

    """
    if planned.needs_schema:
        upgrade.up(url=warehouse.url)
    try:
        with runner.connect(warehouse.url) as connection:
            for one in planned.alone:
                if " concurrently " in one.as_string():
                    runner.run_alone(connection, one.as_string())
                else:
                    runner.in_one_transaction(connection, partial(_run, connection, [one]))
            runner.in_one_transaction(connection, partial(_run, connection, planned.together))
    except psycopg.errors.InsufficientPrivilege as error:
        raise _not_the_owner(error) from None
    views = {agent.view for agent in planned.agents if agent.crew is not None}
    return [view for view in installation.install(warehouse, None) if view.table_name in views]


def _run(connection: Connection, statements: Sequence[sql.Composable]) -> None:
    for one in statements:
        connection.execute(sql.Composed([one]))


def outcome(warehouse: Warehouse, planned: Plan) -> tuple[list[Row], int]:
    """Return what came out of a tick: a row for each crew, and the number of sessions that no crew has."""
    views = [agent.view for agent in planned.agents if agent.crew is None]
    with warehouse.connection() as connection:
        rows = fetch(connection, "sources/chats/outcome", codes=planned.crews)
        return rows, fetch_one(connection, "sources/chats/unmatched", views=views)["sessions"]


def _find(connection: Connection, names: Sequence[str]) -> list[Chats]:
    """Return the tables with these names, or all that are recognized.

    Raises:
        ChatsError: there is none; or one is not recognized.

    """
    asked = {name: (name.rpartition(".")[0] or "public", name.rpartition(".")[2]) for name in names}
    schemas = {schema for schema, _ in asked.values()} or {
        row["name"] for row in fetch(connection, "sources/adoption/schemas") if row["has_tables"]
    }
    tables = {(schema, table.name): table for schema in sorted(schemas) for table in tables_of(connection, schema)}
    recognized = {key: chats for key, table in tables.items() if (chats := _recognized(key[0], table, tables))}
    if not names and not recognized:
        raise ChatsError(
            "no table of chat messages was found; name one by --table. It needs session_id and message (json), as n8n "
            "and LangChain make them, or is Flowise's chat_message or Dify's messages"
        )
    for name, key in asked.items():
        if key not in tables:
            raise ChatsError(f"there is no table {name}")
        if key not in recognized:
            raise ChatsError(
                f"{name} is no table of chat messages: it has {tables[key].declarations}, and needs session_id and "
                "message (json); map other tables by `convo-pipelines adopt`"
            )
    return [recognized[key] for key in asked.values()] or [*recognized.values()]


def _recognized(schema: str, table: Table, tables: Mapping[tuple[str, str], Table]) -> Chats | None:
    """Return the chats that a table has, by its columns."""
    quoted = {name: trusted(column["quoted"]) for name, column in table.columns.items()}
    types = {name: column["type"] for name, column in table.columns.items()}
    if table.is_histories and (session := plain(table, "session_id", HISTORIES.columns["session_id"])):
        time = plain(table, "created_at", HISTORIES.columns["created_at"])
        part = Part(quoted["message"], trusted(time.expression if time else "created_at"))
        return Chats(table, "n8n or LangChain", trusted(session.expression), [part], has_time=time is not None)
    if table.name == "chat_message" and quoted.keys() >= FLOWISE and types["created_date"] == LOCAL_TIME:
        message = sql.SQL(
            "jsonb_build_object('type', case {} when 'userMessage' then 'human' when 'apiMessage' then 'ai' end, "
            "'content', {})"
        ).format(quoted["role"], quoted["content"])
        session = sql.SQL("coalesce(nullif({}, ''), {})::text").format(quoted["session_id"], quoted["chat_id"])
        part = Part(message, sql.SQL("{} at time zone 'UTC'").format(quoted["created_date"]))
        names = tables.get((schema, "chat_flow"))
        return Chats(table, "Flowise", session, [part], agents_by="chatflowid", names=names)
    if table.name == "messages" and quoted.keys() >= DIFY and types["created_at"] == LOCAL_TIME:
        said = sql.SQL("jsonb_build_object('type', {}, 'content', {})")
        asked = Part(
            said.format(sql.Literal("human"), quoted["query"]),
            sql.SQL("{} at time zone 'UTC'").format(quoted["created_at"]),
        )
        answered = Part(
            said.format(sql.Literal("ai"), quoted["answer"]),
            sql.SQL("({} + {} * interval '1 second') at time zone 'UTC'").format(
                quoted["created_at"], quoted["provider_response_latency"]
            ),
            [sql.SQL("{} <> ''").format(quoted["answer"])],
        )
        session = sql.SQL("{}::text").format(quoted["conversation_id"])
        names = tables.get((schema, "apps"))
        return Chats(table, "Dify", session, [asked, answered], agents_by="app_id", names=names)
    return None


class _Planner:
    """Makes one plan of several tables."""

    def __init__(self, connection: Connection, options: Options, *, has_crews: bool):
        self.connection, self.options = connection, options
        self.plan = Plan(needs_schema=not has_crews)
        self.relations = {row["name"]: row for row in fetch(connection, "sources/chats/relations")}
        self.crews = {row["code"]: row for row in fetch(connection, "sources/chats/crews")} if has_crews else {}
        self.clients = {row["code"] for row in fetch(connection, "sources/chats/clients")} if has_crews else set[str]()
        self.readers = {crew["table_name"]: code for code, crew in self.crews.items()}
        """The crews by the names of what they read, those of the plan among them."""

    def add(self, chats: Chats) -> None:
        """Add a table.

        Raises:
            ChatsError: it cannot be adopted so.

        """
        relation, options = chats.table.relation, self.options
        if not chats.has_time and not options.add_created_at:
            raise ChatsError(
                f"{relation} does not say when a message was written. With --add-created-at it gets a column "
                "created_at. The rows that are there keep null, because their times are unknown: they are left out, "
                "and counted"
            )
        told = {
            "client": self._told_apart(chats, options.clients_by),
            "agent": self._told_apart(chats, options.agents_by or chats.agents_by),
        }
        told_apart = {of: by for of, by in told.items() if by is not None}
        groups = self._groups(chats, told)
        matched = [group for group in groups if None not in (group["client"], group["agent"])]
        if not matched:
            patterns = " and ".join(filter(None, (options.clients_by, options.agents_by or chats.agents_by)))
            raise ChatsError(
                f"{relation} has no row with an agent by {patterns}. Its columns are {chats.table.declarations}; what "
                "is no column is a regular expression for the session id"
            )
        if not chats.has_time:
            self.plan.alone.append(statement("sources/chats/add_created_at").format(table=chats.relation))
        self.plan.alone.extend(self._missing_indexes(chats))
        names = {row["agent"]: row["name"] for row in self._names(chats)}
        for group in matched:
            equal = [sql.SQL("{} = {}").format(by, sql.Literal(group[of])) for of, by in told_apart.items()]
            self._add_crew(chats, group, equal, names)
        self._require_no_other_reader(chats)
        if told_apart:
            self._add_rest(chats, groups, matched, told_apart)

    def _told_apart(self, chats: Chats, by: str) -> sql.Composable | None:
        """Return what tells clients or agents apart; None: there is one.

        Raises:
            ChatsError: it is neither a column nor a regular expression.

        """
        if not by:
            return None
        if column := next((column for column in chats.table.columns.values() if column["name"] == by), None):
            return trusted(column["quoted"])
        try:
            fetch_one(self.connection, "sources/chats/is_pattern", pattern=by)
        except psycopg.errors.InvalidRegularExpression as error:
            raise ChatsError(
                f"{by} is no column of {chats.table.relation} ({chats.table.declarations}), and no regular expression: "
                f"{error.diag.message_primary}"
            ) from None
        return sql.SQL("substring({} from {})").format(chats.session, sql.Literal(by))

    def _groups(self, chats: Chats, told: Mapping[str, sql.Composable | None]) -> list[Row]:
        """Return the rows and sessions of each client's agents.

        Raises:
            ChatsError: they are too many.

        """
        only = {"client": self.options.client or ONE_CLIENT, "agent": self.options.agent or chats.table.name}
        by = {of: expression or sql.Literal(only[of]) for of, expression in told.items()}
        query = statement("sources/chats/agents").format(
            **by,
            session=chats.session,
            created_at=chats.parts[0].created_at if chats.has_time else sql.SQL("null::timestamptz"),
            table=chats.relation,
            most=sql.Literal(MOST_AGENTS + 1),
        )
        groups = self.connection.execute(query).fetchall()  # without parameters: a pattern may have percent signs
        if len(groups) > MOST_AGENTS:
            raise ChatsError(
                f"{chats.table.relation} would have more than {MOST_AGENTS} agents, such as {groups[0]['agent']}: "
                "choose what tells agents apart, not sessions"
            )
        is_empty = not groups and all(by is None for by in told.values())
        return [only | {"rows": 0, "sessions": 0, "without_time": 0}] if is_empty else groups

    def _names(self, chats: Chats) -> list[Row]:
        """Return the names of a table's agents, where the application has names for them."""
        if not chats.names or not {"id", "name"} <= chats.names.columns.keys() or self.options.agents_by:
            return []
        return fetch(self.connection, "sources/chats/names", {"table": trusted(chats.names.relation)})

    def _missing_indexes(self, chats: Chats) -> Iterator[sql.Composable]:
        """Return the statements that create the indexes by which rows of a day are found."""
        there = fetch_one(self.connection, "sources/chats/indexes", table_oid=chats.table.oid)
        build = "index_of_partitions" if there["is_partitioned"] else "index"
        for number, part in enumerate(chats.parts):
            name = f"{_slug(chats.table.name)}_convo_pipelines_{number}"
            schema = chats.table.relation.rpartition(".")[0]
            if part.created_at.as_string() in there["columns"] or name in there["valid"]:
                continue
            if name in there["invalid"]:
                qualified = trusted(f"{schema}.{name}")
                yield statement("sources/chats/drop_index").format(index=qualified)
            is_column = re.fullmatch(r'[\w"]+', part.created_at.as_string())
            expression = part.created_at if is_column else sql.SQL("({})").format(part.created_at)
            yield statement(f"sources/chats/{build}").format(
                index=trusted(name), table=chats.relation, created_at=expression
            )

    def _add_crew(
        self, chats: Chats, group: Row, conditions: Sequence[sql.Composable], names: Mapping[str, str]
    ) -> None:
        """Add the crew of an agent, and its view, unless they are there.

        Raises:
            ChatsError: the crew reads something else.

        """
        client, agent = group["client"], group["agent"]
        code = f"{client}-{agent}" if self.options.client or self.options.clients_by else agent
        if code in self.plan.crews:
            raise ChatsError(f"crew {code} would read two tables: adopt each with its own --client or --agent")
        known = self.crews.get(code)
        if known and not (known["client_code"] == client and known["is_active"] and self._reads(known, chats)):
            raise ChatsError(
                f"there is a crew {code} of client {known['client_code']} already, which reads "
                f"app.{known['table_name']}: choose another --client or --agent, or change its crew_code"
            )
        view = known["table_name"] if known else self._view_name(names.get(agent, code), code, OF_CREW, chats)
        if client not in self.clients:
            self.clients.add(client)
            self.plan.together.append(statement("sources/chats/client").format(code=sql.Literal(client)))
        self._add_view(view, chats, conditions)
        if not known:
            crew = {"code": code, "client_code": client, "name": names.get(agent, agent), "view": view}
            values = {name: sql.Literal(value) for name, value in crew.items()}
            self.plan.together.append(statement("sources/chats/crew").format(**values))
        self.readers[view] = code
        self.plan.agents.append(
            Agent(chats.table.relation, client, code, view, group["rows"], group["sessions"], group["without_time"])
        )

    def _add_rest(
        self,
        chats: Chats,
        groups: Sequence[Row],
        matched: Sequence[Row],
        told_apart: Mapping[str, sql.Composable],
    ) -> None:
        """Add the view of what no crew has."""
        known = sorted({tuple(group[of] for of in told_apart) for group in matched})
        rest = sql.SQL("({} in ({})) is not true").format(
            _row(told_apart.values()), sql.SQL(", ").join(_row(map(sql.Literal, values)) for values in known)
        )
        view = self._view_name(chats.table.name, "", OF_NO_CREW, chats)
        self._add_view(view, chats, [rest])
        left = [group for group in groups if group not in matched]
        totals = (sum(group[of] for group in left) for of in ("rows", "sessions", "without_time"))
        self.plan.agents.append(Agent(chats.table.relation, None, None, view, *totals))

    def _add_view(self, name: str, chats: Chats, conditions: Sequence[sql.Composable]) -> None:
        """Add a view, unless there is one with this definition."""
        selects, there = chats.select(conditions), self.relations.get(name)
        if there and chats.has_time:
            copy = sql.Identifier("convo_chats")
            with self.connection.transaction(force_rollback=True):
                self.connection.execute(statement("sources/views/copy_view").format(view=copy, query=selects))
                if fetch_one(self.connection, "sources/chats/definition")["definition"] == there["definition"]:
                    return
        view = trusted(f"app.{name}")  # which has only letters, digits and _
        self.plan.together.append(statement("sources/chats/view").format(view=view, selects=selects))

    def _view_name(self, text: str, code: str, ending: str, chats: Chats) -> str:
        """Return a name for a crew's view of a table that is free, or that of such a view which no other crew reads."""
        slug = _slug(text)
        ending = ending.removeprefix(OF_CREW) if slug.endswith(OF_CREW) else ending
        digest = hashlib.md5(f"{chats.table.relation} {code}".encode(), usedforsecurity=False).hexdigest()[:8]
        name = f"{slug}{ending}"
        there = self.relations.get(name)
        is_taken = name in self.readers or (there is not None and chats.table.oid not in there["reads"])
        return f"{slug}_{digest}{ending}" if is_taken else name

    def _reads(self, crew: Row, chats: Chats) -> bool:
        """Whether a crew reads a table, itself or by a view."""
        there = self.relations.get(crew["table_name"])
        return there is not None and chats.table.oid in (there["oid"], *there["reads"])

    def _require_no_other_reader(self, chats: Chats) -> None:
        """Check that no crew that is not in the plan has rows of a table.

        Raises:
            ChatsError: one has; the same messages would count twice.

        """
        for code, crew in self.crews.items():
            if code in self.plan.crews or not crew["is_active"] or not self._reads(crew, chats):
                continue
            relation = {"relation": sql.Identifier("app", crew["table_name"])}
            if fetch_one(self.connection, "sources/adoption/has_rows", relation)["has_rows"]:
                raise ChatsError(
                    f"crew {code} reads {chats.table.relation} already, as app.{crew['table_name']}: its messages "
                    "would count twice. Tell agents apart as before, or set is_active of that crew to false first"
                )


def _row(expressions: Iterable[sql.Composable]) -> sql.Composable:
    first, *others = expressions
    return sql.SQL("({})").format(sql.SQL(", ").join([first, *others])) if others else first


def _slug(text: str) -> str:
    """Return a text as the beginning of a name that needs no quotes."""
    slug = re.sub("[^a-z0-9]+", "_", text.lower()).strip("_")[:LONGEST_SLUG]
    return slug if slug[:1].isalpha() else f"crew_{slug}".strip("_")
