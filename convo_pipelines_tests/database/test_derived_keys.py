"""Keys that follow from a query: whatever changes, no key is missed whose rows are others than before."""

import os
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from convo_pipelines.database import declarations, templates
from convo_pipelines.database.declarations import Log
from convo_pipelines.database.statements import source
from convo_pipelines.engine import declared_keys
from convo_pipelines.engine.conditions import conditions
from convo_pipelines.engine.declared_keys import WINDOW_HEADER, keys_of, window_of
from convo_pipelines.engine.derive import KeysInWindow, Logged, NotDerivedError, Target, derived_keys, derived_windows
from convo_pipelines.engine.registry import OWN_WINDOW
from convo_pipelines.model.tables import DERIVED_TABLES, TABLES
from convo_pipelines_tests import derived
from convo_pipelines_tests.world import World

SHOP = """
create schema shop;
create table shop.clients (id int primary key, grade int);
create table shop.crews (id int primary key, client_id int, size int);
create table shop.people (id int primary key, client_id int, age int);
create table shop.talks (
    id int primary key, client_id int, crew_id int references shop.crews on delete set null, state int
);
create table shop.members (
    talk_id int references shop.talks on delete cascade, person_id int, role int, primary key (talk_id, person_id, role)
);
create table shop.messages (
    id int primary key, talk_id int references shop.talks on delete cascade, person_id int, day int, size int
);
create view shop.owners as
select talk.id as talk_id, coalesce(talk.client_id, crew.client_id) as client_id
from shop.talks as talk left join shop.crews as crew on crew.id = talk.crew_id;
create view shop.sides as
select talk_id, person_id, role from shop.members
union all
select talk_id, person_id, 9 from shop.messages where size > 1;
create view shop.rows_of as
select side.talk_id, side.person_id, owner.client_id
from shop.sides as side inner join shop.owners as owner on owner.talk_id = side.talk_id;
create table shop.unlogged (id int primary key, v int);
create table shop."user" (id int primary key, v int);
"""
COLUMNS = {
    "clients": ["id", "grade"],
    "crews": ["id", "client_id", "size"],
    "people": ["id", "client_id", "age"],
    "talks": ["id", "client_id", "crew_id", "state"],
    "members": ["talk_id", "person_id", "role"],
    "messages": ["id", "talk_id", "person_id", "day", "size"],
}
LOGGED = {
    "clients": ["id"],
    "crews": ["id", "client_id"],
    "people": ["id", "client_id"],
    "talks": ["id", "client_id", "crew_id"],
    "members": ["talk_id", "person_id"],
    "messages": ["talk_id", "person_id", "day"],
}
KEY = {"clients": ["id"], "crews": ["id"], "people": ["id"], "talks": ["id"]}

QUERIES: list[tuple[str, str]] = [
    ("talk_id", "select id as talk_id, state from shop.talks"),
    ("talk_id", "select talk_id, count(*) as n, sum(size) as size from shop.messages group by talk_id"),
    ("talk_id", "select talk_id, count(distinct person_id) as n from shop.messages where size > 0 group by 1"),
    (
        "talk_id",
        "select t.id as talk_id, t.state, max(m.day) as last from shop.talks as t "
        "left join shop.messages as m on m.talk_id = t.id group by t.id, t.state",
    ),
    ("talk_id", "select talk_id, client_id from shop.owners where client_id is not null"),
    (
        "talk_id",
        "select o.talk_id, c.grade from shop.owners as o inner join shop.clients as c on c.id = o.client_id",
    ),
    ("talk_id", "select talk_id, person_id, role from shop.sides"),
    (
        "talk_id",
        "select distinct s.talk_id, p.client_id from shop.sides as s inner join shop.people as p on p.id = s.person_id "
        "union select talk_id, client_id from shop.owners",
    ),
    (
        "client_id,day",
        "select t.client_id, m.day, count(*) as n from shop.messages as m "
        "inner join shop.talks as t on t.id = m.talk_id where t.client_id is not null group by t.client_id, m.day",
    ),
    (
        "client_id,day",
        "select o.client_id, m.day, sum(m.size) as n from shop.messages as m join shop.owners as o using (talk_id) "
        "group by o.client_id, m.day",
    ),
    (
        "client_id",
        "select p.client_id, percentile_cont(0.5) within group (order by m.size) as size, "
        "count(distinct m.talk_id) as n from shop.messages as m "
        "inner join shop.people as p on p.id = m.person_id group by p.client_id",
    ),
    (
        "talk_id",
        "select t.id as talk_id, exists (select from shop.messages as m where m.talk_id = t.id and m.size = 2) as has "
        "from shop.talks as t",
    ),
    (
        "talk_id",
        "select t.id as talk_id from shop.talks as t where not exists "
        "(select from shop.members as m where m.talk_id = t.id and m.role = 1)",
    ),
    (
        "talk_id",
        "select t.id as talk_id, t.state from shop.talks as t "
        "where t.id in (select talk_id from shop.messages where size = 1) or t.state = 1",
    ),
    (
        "talk_id",
        "select t.id as talk_id from shop.talks as t "
        "where t.id in (select m.talk_id from shop.messages as m where m.size = 1)",
    ),
    (
        "talk_id",
        "select t.id as talk_id, (select count(*) from shop.messages as m where m.talk_id = t.id) as n "
        "from shop.talks as t",
    ),
    (
        "talk_id",
        "select t.id as talk_id, newest.size, p.age from shop.talks as t "
        "left join lateral (select m.size, m.person_id from shop.messages as m where m.talk_id = t.id "
        "order by m.day desc, m.id limit 1) as newest on true left join shop.people as p on p.id = newest.person_id",
    ),
    (
        "talk_id",
        "select distinct on (talk_id) talk_id, person_id, size from shop.messages order by talk_id, day desc, id",
    ),
    (
        "person_id",
        "select person_id, talk_id, size from "
        "(select *, row_number() over (partition by person_id order by size desc, id) as n from shop.messages) "
        "as ranked where n = 1",
    ),
    (
        "talk_id",
        "select talk_id, person_id, sum(size) over (partition by talk_id order by day, id) as so_far "
        "from shop.messages",
    ),
    (
        "talk_id",
        "with sizes as (select talk_id, sum(size) as size from shop.messages group by talk_id), "
        "people as (select talk_id, count(*) as n from shop.members group by talk_id) "
        "select t.id as talk_id, coalesce(sizes.size, 0) as size, people.n from shop.talks as t "
        "left join sizes on sizes.talk_id = t.id left join people on people.talk_id = t.id",
    ),
    (
        "crew_id",
        "select c.id as crew_id, c.size, count(m.id) as n from shop.crews as c "
        "left join shop.talks as t on t.crew_id = c.id left join shop.messages as m on m.talk_id = t.id "
        "group by c.id, c.size",
    ),
    (
        "talk_id",
        "select coalesce(a.talk_id, b.talk_id) as talk_id, a.n, b.n as others "
        "from (select talk_id, count(*) as n from shop.messages group by talk_id) as a "
        "full join (select talk_id, count(*) as n from shop.members group by talk_id) as b on a.talk_id = b.talk_id",
    ),
    (
        "talk_id",
        "select talk_id, a.n, b.n as others "
        "from (select talk_id, count(*) as n from shop.messages group by talk_id) as a "
        "full join (select talk_id, count(*) as n from shop.members group by talk_id) as b using (talk_id)",
    ),
    (
        "talk_id",
        "select id as talk_id from shop.talks except select talk_id from shop.messages where size = 0",
    ),
    (
        "person_id",
        "select person_id from shop.members intersect select person_id from shop.messages",
    ),
    (
        "talk_id",
        "select t.id as talk_id, p.id as person_id from shop.talks as t inner join shop.people as p "
        "on p.client_id = t.client_id and p.age > t.state",
    ),
    (
        "client_id",
        "select c.id as client_id, c.grade, (select max(m.size) from shop.messages as m "
        "inner join shop.talks as t on t.id = m.talk_id where t.client_id = c.id) as largest from shop.clients as c",
    ),
    (
        "client_id,person_id",
        "select t.client_id, m.person_id, min(m.day) as first from shop.members as b "
        "inner join shop.messages as m on m.talk_id = b.talk_id and m.person_id = b.person_id "
        "inner join shop.talks as t on t.id = b.talk_id group by t.client_id, m.person_id",
    ),
    (
        "week",
        "select day / 2 as week, count(distinct person_id) as people from shop.messages group by day / 2",
    ),
    (
        "talk_id",
        "select case when c.id is null then t.id else t.id end as talk_id, c.size from shop.talks as t "
        "left join shop.crews as c on c.id = t.crew_id and c.client_id = t.client_id",
    ),
    (
        "talk_id",
        "select a.talk_id, b.day from shop.members as a "
        "inner join shop.members as other on other.person_id = a.person_id "
        "inner join shop.messages as b on b.talk_id = other.talk_id and b.size = 1",
    ),
    (
        "talk_id",
        "select t.id as talk_id, s.n from shop.talks as t cross join lateral "
        "(select count(*) as n from shop.messages as m where m.talk_id = t.id having count(*) <> 1) as s",
    ),
    (
        "talk_id",
        "select m.talk_id, m.size from shop.messages as m where m.size = "
        "(select max(o.size) from shop.messages as o where o.talk_id = m.talk_id)",
    ),
    (
        "talk_id,day",
        "select t.id as talk_id, m.day, c.size from shop.talks as t inner join shop.crews as c on c.id = t.crew_id "
        "inner join shop.messages as m on m.talk_id = t.id where c.client_id = t.client_id",
    ),
    (
        "role",
        "select x.role, count(*) as n from (select 1 as role, talk_id from shop.messages union all "
        "select 2, talk_id from shop.members) as x group by x.role",
    ),
    (
        "talk_id",
        "select t.id as talk_id from shop.talks as t "
        "where t.state in (select c.size from shop.crews as c where c.client_id = t.client_id)",
    ),
    ("talk_id", "select t.id as talk_id, to_jsonb(t) as whole from shop.talks as t"),
    ("client_id", "select client_id from (select client_id, state as d from shop.talks group by client_id, d) as x"),
    ("client_id", "select client_id from (select client_id, state as d from shop.talks group by 1, 2) as x"),
    (
        "client_id",
        "select client_id, id from (select distinct on (1) * from (select client_id, id, age "
        "from shop.people) as p order by 1, 3, 2) as x",
    ),
    (
        "talk_id",
        "select t.id as talk_id, x.id from shop.talks as t cross join lateral (select p.id, p.age as a "
        "from shop.people as p where p.client_id = t.client_id order by a, 1 limit 1) as x",
    ),
    (
        "client_id",
        "select client_id from (select id, client_id, state from shop.talks except all "
        "select id, client_id, size from shop.crews) as x",
    ),
    (
        "talk_id",
        "select t.id as talk_id, x.n from shop.talks as t cross join lateral (select age as n from shop.people "
        "where client_id = t.client_id union all select size from shop.crews where client_id = t.client_id "
        "order by 1 limit 1) as x",
    ),
    (
        "talk_id",
        "select t.id as talk_id, v.column1, v.column2 from shop.talks as t cross join lateral (values (t.state, "
        "(select sum(c.size) from shop.crews as c where c.client_id = t.client_id))) as v",
    ),
    (
        "talk_id",
        "select t.id as talk_id from shop.talks as t where "
        "(select max(c.size) from shop.crews as c where c.client_id = t.client_id) "
        "in (select p.age from shop.people as p where p.client_id = t.client_id)",
    ),
    (
        "talk_id",
        "select t.id as talk_id, x.n from shop.talks as t cross join lateral (with m as (select * from shop.messages "
        "where talk_id = t.id and size > t.state) select count(*) as n from m) as x",
    ),
    ("talk_id", "with x (a) as (select id, state from shop.talks) select a as talk_id, state from x"),
    (
        "talk_id",
        "select talk_id from (select null::int as talk_id from shop.crews union all "
        "select id from shop.talks where state = 1) as x",
    ),
    (
        "talk_id",
        "select talk_id, x from (select m.*, t.* from shop.messages as m join shop.talks as t on t.id = m.talk_id) "
        "as q (a, talk_id, b, c, d, e, f, g, x) union all select id, state from shop.talks",
    ),
    (
        "talk_id",
        "select * from (select talk_id, count(*) as n from shop.messages group by talk_id) as a "
        "natural full join (select talk_id, count(*) as k from shop.members group by talk_id) as b",
    ),
    (
        "client_id",
        "select client_id, d from (select * from (select id, client_id, state from shop.talks) as a full join "
        "(select id as client_id, grade from shop.clients) as b using (client_id)) as x (client_id, b, c, d)",
    ),
    (
        "talk_id",
        "select t.id as talk_id, a.size, b.age from shop.talks as t left join (shop.crews as a "
        "left join shop.people as b on b.client_id = a.client_id) on a.id = t.crew_id",
    ),
    (
        "client_id,person_id",
        "select coalesce(a.client_id, t.client_id) as client_id, m.person_id, count(*) as n from shop.messages as m "
        "join shop.talks as t on t.id = m.talk_id left join shop.crews as a on a.id = t.crew_id group by 1, 2",
    ),
    (
        "a,b",
        "select t.client_id as a, p.client_id as b, count(*) as n from shop.members as m join shop.talks as t "
        "on t.id = m.talk_id join shop.people as p on p.id = m.person_id group by 1, 2",
    ),
    (
        "a,b",
        "select a.person_id as a, b.person_id as b from shop.messages as a, shop.messages as b "
        "where (a.talk_id, a.day) = (b.talk_id, b.day)",
    ),
    (
        "talk_id",
        "select talk_id, count(*) over (w rows 1 preceding) as n, "
        "rank() over (partition by talk_id, day order by size) as r "
        "from shop.messages window w as (partition by talk_id order by id)",
    ),
    ("talk_id", "select t.id as talk_id, g from shop.talks as t cross join generate_series(1, t.state) as g"),
]
"""Key columns, and a query whose rows are told apart by them."""


def listed(name: str) -> list[tuple[str, str]]:
    """The same of a file: unusual ones, of which each was once thought to be derived wrongly."""
    lines = (Path(__file__).parent / f"{name}.txt").read_text().splitlines()
    return [(keys, query) for keys, _, query in (line.partition(": ") for line in lines)]


REFUSED = {
    "select id as talk_id from shop.talks order by id limit 3": "does not lead to talk_id",
    "select max(talk_id) as talk_id from shop.messages": "does not lead to talk_id",
    "select talk_id, row_number() over (order by day, id) as n from shop.messages": "does not lead to talk_id",
    "select m.talk_id from shop.messages as m cross join shop.clients as c where c.grade > 1": "shop.clients",
    "with recursive n as (select 1 as talk_id union select talk_id + 1 from n where talk_id < 5) select talk_id from n":
        "recursive",
    "select t.id as talk_id, c.size from shop.talks as t left join shop.crews as c on c.id = null": "shop.crews",
    "select t.id as talk_id, c.size from shop.talks as t join shop.crews as c on c.size = t.id join shop.people as p "
    "on p.age = t.id and p.client_id = c.client_id": "does not have age",
    "select talk_id, row_number() over (partition by 1 order by day, id) as n from shop.messages": "does not lead",
    "select distinct on (other) talk_id, person_id as other, size from shop.messages order by other, size, id":
        "does not lead",
    "select distinct on (talk_id) talk_id, size from shop.messages order by talk_id, row_number() over (order by size)":
        "does not lead",
    "select x.talk_id from shop.talks as t cross join lateral (select m.person_id as talk_id from shop.messages as m "
    "where m.talk_id = t.id order by (select p.age from shop.people as p where p.id = m.person_id) limit 1) as x":
        "does not lead",
    "select generate_series(1, id) as talk_id, state from shop.talks": "does not lead",
    "select 12 / day as talk_id from shop.messages where day > 0": "does not lead",
    "select id as talk_id, state from shop.talks tablesample system (100)": "range_table_sample",
    "select id as talk_id, ctid::text from shop.talks": "ctid",
    "select j.id as talk_id from (shop.talks as t join shop.members as m on m.talk_id = t.id) as j": "j names a join",
    "select id as talk_id from talks": "talks",
    "select id as talk_id, shop.largest(id) from shop.talks": "shop.largest",
    "select id as talk_id, query_to_xml('table shop.crews', true, true, '')::text from shop.talks": "query_to_xml",
    "with gone as (delete from shop.talks returning id) select id as talk_id from gone": "gone",
    "select 1 as talk_id": "no changes",
}  # fmt: skip


def logs() -> Iterator[Log]:
    for name, columns in LOGGED.items():
        yield Log(name, f"shop_{name}_changes", dict.fromkeys(columns, "int"))


def derive(query: str, keys: Sequence[str]) -> str:
    """The query for the keys that changes concern."""
    logged = {
        f"shop.{log.of}": Logged(f"analytics.{log.name}", frozenset(log.columns), key=frozenset(KEY.get(log.of, ())))
        for log in logs()
    }
    return "\nunion\n".join(
        derived_keys(
            of_keys(query, keys),
            Target("shop.target", {key: key for key in keys}),
            logged,
            {f"shop.{name}": columns for name, columns in COLUMNS.items()},
            VIEWS,
        )
    )


def of_keys(query: str, keys: Sequence[str]) -> str:
    same = " and ".join(f"keys.{key} = found.{key}" for key in keys)
    return f"select found.* from ({query}) as found inner join keys on {same}"


VIEWS = {part.split(" as\n", 1)[0]: part.split(" as\n", 1)[1].split(";")[0] for part in SHOP.split("create view ")[1:]}


@pytest.fixture
def shop(new_world: object) -> World:
    world = new_world()  # type: ignore[operator]
    world.execute(SHOP)
    for log in logs():
        world.execute(templates.log_table(log))
        function = templates.trigger_function(log)
        world.execute(function)
        for operation, rows in {
            "insert": "new table as new_rows",
            "update": "old table as old_rows new table as new_rows",
            "delete": "old table as old_rows",
        }.items():
            world.execute(
                f"create trigger {operation}s after {operation} on shop.{log.of} referencing {rows} "
                f"for each statement execute function analytics.log_{log.of}()"
            )
    return world


def write(world: World, chance: random.Random) -> None:
    """Some statements of one transaction: rows come, go, move and come back."""
    with world.connection.transaction():
        for _ in range(chance.randint(1, 5)):
            table = chance.choice(["messages", "messages", *COLUMNS])
            columns = COLUMNS[table]
            values = {column: chance.randint(0, 4) for column in columns}
            if chance.random() < 0.2:
                values |= {column: None for column in ("client_id", "crew_id", "person_id") if column in columns[2:]}
            condition = f"{chance.choice(columns)} {chance.choice(['=', '>='])} {chance.randint(0, 4)}"
            if table in ("messages", "members") and not world.execute(
                "select from shop.talks where id = %s", values["talk_id"]
            ):
                continue
            if values.get("crew_id") is not None and not world.execute(
                "select from shop.crews where id = %s", values["crew_id"]
            ):
                values["crew_id"] = None
            match chance.choice(["insert", "insert", "update", "update", "delete"]):
                case "insert":
                    names = ", ".join(columns)
                    world.execute(
                        f"insert into shop.{table} ({names}) values ({', '.join(['%s'] * len(columns))}) "
                        "on conflict do nothing",
                        *values.values(),
                    )
                case "update" if table != "members":
                    column = chance.choice([name for name in columns if name != "id"])
                    world.execute(f"update shop.{table} set {column} = %s where {condition}", values[column])
                case "delete":
                    world.execute(f"delete from shop.{table} where {condition} and random() < 0.5")
                case _:
                    pass


def rows_by_key(world: World, query: str, keys: Sequence[str]) -> Mapping[tuple[object, ...], list[str]]:
    found: dict[tuple[object, ...], list[str]] = {}
    for row in world.execute(query):
        found.setdefault(tuple(row[key] for key in keys), []).append(str(row))
    return {key: sorted(rows) for key, rows in found.items()}


@pytest.mark.parametrize("seed", range(int(os.environ.get("DERIVED_SEEDS", "3"))))
def test_no_key_is_missed(shop: World, seed: int) -> None:
    chance = random.Random(seed)
    queries = [(query, names.split(",")) for names, query in [*QUERIES, *listed("selects")]]
    statements = [derive(query, keys) for query, keys in queries]
    for _ in range(10):
        write(shop, chance)
    for _ in range(20):
        [since] = shop.execute("select pg_current_snapshot()::text as snapshot")
        before = [rows_by_key(shop, query, keys) for query, keys in queries]
        for _ in range(chance.randint(1, 3)):
            write(shop, chance)
        for (query, keys), former, statement in zip(queries, before, statements, strict=True):
            after = rows_by_key(shop, query, keys)
            changed = {key for key in former.keys() | after.keys() if former.get(key) != after.get(key)}
            span = {"from_snapshot": since["snapshot"], "to_snapshot": None}
            derived = {tuple(row.values()) for row in shop.connection.execute(statement, span).fetchall()}
            missed = {key for key in changed if None not in key} - derived
            assert not missed, (query, statement)


DAYS = {f"shop.{name}": [f"{name}_on"] for name in COLUMNS} | {"shop.talks": ["began_at..closed_at"]}
TYPES = {f"shop.{name}": {**dict.fromkeys(columns, "int"), f"{name}_on": "date"} for name, columns in COLUMNS.items()}
TYPES["shop.talks"] |= {"began_at": "timestamptz", "closed_at": "timestamptz"}
TYPES["shop.target"] = {"talk_id": "int", "on_day": "date"}
DATED = [
    *(
        f"alter table shop.{name} add {name}_on date generated always as ('2024-01-01'::date + {columns[-1]}) stored"
        for name, columns in COLUMNS.items()
    ),
    """
    alter table shop.talks
        add began_at timestamptz generated always as (to_timestamp(1704067200 + 86400 * state)) stored,
        add closed_at timestamptz generated always as (to_timestamp(1704067200 + 86400 * (state + id % 3))) stored
    """,
    "create table shop.target (talk_id int, on_day date)",
]
IN_WINDOW = {name: f"{by} >= %(window_start)s::date and {by} < %(window_end)s::date" for name, [by] in DAYS.items()} | {
    "shop.talks": "closed_at >= %(window_start)s and began_at < %(window_end)s"
}


def window(
    query: str,
    keys: Sequence[str],
    days: Mapping[str, Sequence[str]],
    windows: Mapping[str, KeysInWindow] | None = None,
) -> str:
    """The query for the keys with activity in a window."""
    target = Target("shop.target", {key: key for key in keys})
    found = derived_windows(of_keys(query, keys), target, days, TYPES, VIEWS, windows=windows or {})
    return "\nunion\n".join(found)


def date_rows(world: World) -> None:
    for statement in DATED:
        world.execute(statement)


def span(first: int, days: int) -> dict[str, datetime]:
    start = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=first)
    return {"window_start": start, "window_end": start + timedelta(days=days)}


def keys_in(world: World, statement: str, days: Mapping[str, datetime]) -> set[tuple[object, ...]]:
    return {tuple(row.values()) for row in world.connection.execute(statement, days).fetchall()}


def windows() -> Iterator[tuple[str, list[str], str]]:
    """Queries that read a source with days, their keys, and the queries for those in a window."""
    for names, query in [*QUERIES, *listed("selects")]:
        keys = names.split(",")
        ways = conditions(of_keys(query, keys), TYPES | {"keys": dict.fromkeys(keys, "int")}, VIEWS)
        read = {relation for way in ways for relation in way.relations.values()}
        days = {name: by for name, by in DAYS.items() if name in read}
        # An asterisk would show the columns of DATED, too.
        if days and "*" not in query.replace("count(*)", ""):
            yield query, keys, window(query, keys, days)


def fill(world: World, chance: random.Random) -> None:
    """Eight rows in each table, some of which refer to nothing."""
    for name, columns in COLUMNS.items():
        for _ in range(8):
            values = {column: chance.randint(0, 4) for column in columns}
            if chance.random() < 0.2:
                values |= {column: None for column in ("client_id", "crew_id", "person_id") if column in columns[2:]}
            world.execute(
                f"insert into shop.{name} ({', '.join(columns)}) values ({', '.join(['%s'] * len(columns))}) "
                "on conflict do nothing",
                *values.values(),
            )


@pytest.mark.parametrize("seed", range(int(os.environ.get("DERIVED_SEEDS", "3"))))
def test_no_key_with_rows_in_a_window_is_missed(shop: World, seed: int) -> None:
    date_rows(shop)
    chance = random.Random(seed)
    dated = list(windows())
    assert len(dated) > 100
    for _ in range(10):
        days = span(chance.randint(-1, 5), chance.randint(1, 3))
        with shop.connection.transaction(force_rollback=True):
            shop.execute("set local session_replication_role = replica")  # nothing cascades
            fill(shop, chance)
            before = [rows_by_key(shop, query, keys) for query, keys, _ in dated]
            found = [keys_in(shop, statement, days) for _, _, statement in dated]
            for name, is_in_window in IN_WINDOW.items():
                shop.connection.execute(f"delete from {name} where {is_in_window} and random() < 0.3", days)
            after = [rows_by_key(shop, query, keys) for query, keys, _ in dated]
        for (query, _, statement), former, rest, known in zip(dated, before, after, found, strict=True):
            changed = {key for key in former.keys() | rest.keys() if former.get(key) != rest.get(key)}
            assert {key for key in changed if None not in key} <= known, (query, statement)


def test_rows_of_the_table_that_lie_in_a_window_are_found_without_their_source(shop: World) -> None:
    date_rows(shop)
    shop.execute("insert into shop.target values (7, '2024-01-03'), (8, '2024-01-04')")
    statement = window("select id as talk_id from shop.talks", ["talk_id"], {"shop.target": ["on_day"]})
    assert keys_in(shop, statement, span(2, 1)) == {(7,)}


def test_keys_in_the_window_of_a_source_lead_to_keys(shop: World) -> None:
    shop.execute("insert into shop.talks values (1, 11), (2, 12)")
    shop.execute("insert into shop.messages values (5, 2)")
    query = "select t.client_id, m.role from shop.members as m join shop.talks as t on t.id = m.talk_id"
    members = KeysInWindow("select talk_id from shop.messages", frozenset({"talk_id"}))
    statement = window(query, ["client_id"], {}, {"shop.members": members})
    assert keys_in(shop, statement, span(0, 1)) == {(12,)}


@pytest.mark.parametrize(
    ("query", "days", "reason"),
    [
        ("select id as talk_id from shop.talks", {"shop.messages": ["messages_on"]}, "does not read shop.messages"),
        (
            "select m.talk_id from shop.messages as m cross join shop.talks as t where t.state > 1",
            {"shop.messages": ["messages_on"], "shop.talks": ["began_at"]},
            "a row of shop.talks does not lead to talk_id",
        ),
        ("select id as talk_id from shop.talks", {"shop.talks": ["began_at..over_at"]}, "has no column over_at"),
        ("select id as talk_id from shop.talks tablesample system (9)", {"shop.talks": ["began_at"]}, "by hand"),
    ],
)
def test_days_that_lead_to_no_keys_are_refused_with_the_reason(
    query: str, days: Mapping[str, Sequence[str]], reason: str
) -> None:
    with pytest.raises(NotDerivedError, match=reason):
        window(query, ["talk_id"], days)


def test_a_row_that_goes_between_the_snapshot_and_the_statement_is_a_former_one(shop: World) -> None:
    """A chunk chooses its keys by the snapshot that the tick began with, and reads rows as they are later."""
    keys = ["client_id", "day"]
    query = (
        "select talk.client_id, message.day, count(*) from shop.talks as talk "
        "inner join shop.messages as message on message.talk_id = talk.id group by 1, 2"
    )
    statement = derive(query, keys)
    shop.execute("insert into shop.talks values (1, 10); insert into shop.messages values (1, 1, null, 100)")
    snapshots = [shop.execute("select pg_current_snapshot()::text as snapshot")[0]["snapshot"]]
    shop.execute("update shop.messages set day = 200")
    snapshots.append(shop.execute("select pg_current_snapshot()::text as snapshot")[0]["snapshot"])
    shop.execute("update shop.talks set client_id = 20")
    found = set[tuple[object, ...]]()
    for since, until in zip(snapshots, [snapshots[1], None], strict=True):
        span = {"from_snapshot": since, "to_snapshot": until}
        found |= {tuple(row.values()) for row in shop.connection.execute(statement.encode(), span).fetchall()}
    assert found >= {(10, 100), (10, 200), (20, 200)}


def test_a_conversation_that_moves_concerns_both_projects(new_world: Callable[[], World]) -> None:
    """Its trigger function is written by hand, and logs changed values as an update."""
    world = new_world()
    first, second = world.project(), world.project()
    talk = world.conversation(project_id=first)
    world.message(talk)
    world.tick()
    [before] = world.execute("select pg_current_snapshot()::text as at")
    world.assign(talk, second)
    query = (
        "select talk.project_id, count(*) from app.conversations as talk "
        "inner join app.messages as message on message.conversation_id = talk.id group by talk.project_id"
    )
    table = TABLES["conversation_summaries"]
    known = {"app.conversations": ["id", "project_id"], "app.messages": ["id", "conversation_id"]}
    found = set[UUID]()
    span = {"from_snapshot": before["at"], "to_snapshot": None}
    for one in derived_keys(
        of_keys(query, ["project_id"]),
        Target("x.x", {"project_id": "project_id"}),
        declared_keys.logged(table),
        known,
        {},
    ):
        found |= {row["project_id"] for row in world.connection.execute(one.encode(), span).fetchall()}
    assert found == {first, second}


@pytest.mark.parametrize("query", REFUSED)
def test_what_does_not_follow_is_refused_with_the_reason(query: str) -> None:
    with pytest.raises(NotDerivedError, match=REFUSED[query]):
        derive(query, ["talk_id"])


@pytest.mark.parametrize(("names", "query"), listed("refused_selects"))
def test_what_nothing_leads_from_is_refused(names: str, query: str) -> None:
    with pytest.raises(NotDerivedError):
        derive(query, names.split(","))


def test_keys_are_those_that_follow_from_the_rows() -> None:
    derived_tables = [table for table in DERIVED_TABLES if not derived.is_by_hand(table)]
    assert len(derived_tables) >= 6
    for table in derived_tables:
        assert table.own("keys"), table.name
        logged = {log for log in keys_of(table).split() if re.match(r"analytics\.changed_|analytics\..*_changes$", log)}
        followed = {change.partition(" ")[0] for change in table.changes}
        assert logged == {f"analytics.{declarations.logs()[name].changed}" for name in followed}, table.name
    assert derived.write() == [], "run `make keys`"


def test_a_window_of_a_source_without_days_is_refused() -> None:
    table = replace(TABLES["clients_conversations"], days={"app.people": (OWN_WINDOW,)})
    with pytest.raises(NotDerivedError, match=r"app\.people is no other derived table"):
        window_of(table)


def test_windows_are_derived_or_say_why_they_are_not() -> None:
    dated = [table for table in DERIVED_TABLES if table.grain.has_days and not table.reader]
    windows = {table.name: source(f"tables/{table.name}/window") for table in dated}
    assert all(text.startswith(WINDOW_HEADER) == bool(TABLES[name].days) for name, text in windows.items())
    by_hand = {name: text for name, text in windows.items() if not TABLES[name].days}
    assert by_hand.keys() == {"crew_conversations"}
    assert all("\n-- By hand: " in text for text in by_hand.values())
