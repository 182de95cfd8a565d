"""Views over the owner's tables: what they show of the rows that a statement changed."""

import pytest

from convo_pipelines.sources import views
from convo_pipelines.sources.views import ViewError
from convo_pipelines_tests.world import World

OWNER = """
create schema owner;
create table owner.chats (id bigint primary key, status int not null, body text, at timestamptz, zone_less timestamp);
create table owner.users (id bigint primary key, name text);
"""


@pytest.fixture
def owned(new_world: object) -> World:
    world = new_world()  # type: ignore[operator]
    world.execute(OWNER)
    return world


def shown(world: World, query: str, decisive: str = "id") -> list[dict[str, object]]:
    """What a view shows of two rows that a trigger might be given."""
    world.execute(f"create view owner.shown as {query}")
    view = views.read(world.connection, "owner.shown", decisive.split(), ["id"])
    [base] = view.bases
    assert base.table["name"] == "owner.chats"
    rows = "(values (1::bigint, 0, 'a', now(), null::timestamp), (2, 1, 'b', now(), null))"
    names = "(id, status, body, at, zone_less)"
    found = world.execute(
        f"with changed_rows {names} as {rows} select * from ({base.of('changed_rows')}) as shown order by 1"
    )
    return [{name: value for name, value in row.items() if name != views.NUMBER} for row in found]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("select id * 10 as id, body from owner.chats", [{"id": 10}, {"id": 20}]),
        ("select id from owner.chats where status = 1", [{"id": 2}]),
        ("select c.id as id from owner.chats as c where c.body operator(pg_catalog.=) 'b'", [{"id": 2}]),
        (
            "select id from owner.chats where status = 1 union all select id + 5 from owner.chats",
            [{"id": 2}, {"id": 6}, {"id": 7}],
        ),
    ],
)
def test_a_view_over_one_table_shows_changed_rows(owned: World, query: str, expected: list[dict[str, object]]) -> None:
    assert shown(owned, query) == expected


def test_a_view_on_a_view_shows_changed_rows(owned: World) -> None:
    owned.execute("create view owner.active as select id as number, body from owner.chats where status = 1")
    assert shown(owned, "select number + 1 as id from owner.active where body = 'b'") == [{"id": 3}]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select c.id + u.id as id from owner.chats as c, owner.users as u", "a joined table decides column id"),
        ("select (select max(u.id) from owner.users as u) as id from owner.chats", "a subquery decides column id"),
        (
            "select u.id from owner.chats as c left join owner.users as u on u.id = c.id",
            "a joined table decides column id",
        ),
        ("select id from owner.chats where at > now()", "its filter does not follow from the row alone"),
        ("select id from owner.chats group by id", "has GROUP BY"),
        (
            "select id from owner.chats where id in (select id from owner.users where name = current_user)",
            "its filter depends on the time or on who asks",
        ),
        (
            "select c.id from owner.chats as c left join (select id, random() from owner.users) as u on u.id = c.id",
            "subquery u calls pg_catalog.random",
        ),
        ("select zone_less::timestamptz as id from owner.chats", "column id does not follow from the row alone"),
        ("select max(id) as id from owner.chats", "column id does not follow from the row alone"),
        ("select id from owner.chats limit 3", "has WITH or LIMIT"),
        ("select id from owner.chats except select id from owner.chats", "has INTERSECT or EXCEPT"),
        ("select status from owner.chats", "has no column id"),
    ],
)
def test_a_view_that_cannot_be_captured_says_why(owned: World, query: str, message: str) -> None:
    with pytest.raises(ViewError, match=message):
        shown(owned, query)


NO_WAY = "no equality leads from it to the rows of the view"


@pytest.mark.parametrize(
    ("query", "found_by", "remark"),
    [
        ("select chats.id from owner.chats join owner.users using (id)", ["id"], ""),
        ("select c.id from owner.users as u right join owner.chats as c on c.body = lower(u.name)", ["name"], ""),
        ("select c.id from owner.chats as c left join owner.users as u on u.id = c.id where u.name = 'x'", ["id"], ""),
        ("select id from owner.chats where id in (select id from owner.users)", ["id"], ""),
        ("select c.id from owner.chats as c, owner.named as u where u.number = c.id", ["id"], ""),
        ("select chats.id from owner.chats, owner.users", [], NO_WAY),
        ("select id from owner.chats where id > (select max(id) from owner.users)", [], NO_WAY),
        (
            "select c.id from owner.chats as c left join owner.users as u on u.at = c.at",
            [],
            "it is joined by at, whose type is not a number, a text or a uuid",
        ),
    ],
)
def test_another_table_leads_to_rows_or_has_everything_read(
    owned: World, query: str, found_by: list[str], remark: str
) -> None:
    owned.execute("alter table owner.users add at timestamptz")
    owned.execute("create view owner.named as select id as number, name from owner.users")
    owned.execute(f"create view owner.shown as {query}")
    view = views.read(owned.connection, "owner.shown", ["id"], ["id"])
    assert [base.table["name"] for base in view.bases] == ["owner.chats"]
    [joined] = view.joined
    assert (joined.table["name"], joined.found_by, joined.remark) == ("owner.users", found_by, remark)


def test_each_select_of_a_union_has_a_table_that_decides(owned: World) -> None:
    owned.execute(
        "create view owner.shown as select id from owner.chats where status = 1 union all select id from owner.users "
        "union all select -id from owner.chats"
    )
    view = views.read(owned.connection, "owner.shown", ["id"], ["id"])
    assert ([base.table["name"] for base in view.bases], view.joined) == (["owner.chats", "owner.users"], [])
    [chats, users] = (base.of("changed_rows").lower() for base in view.bases)
    assert ("union all" in chats, "status" in chats) == (True, True)
    assert ("union all" in users, "status" in users) == (False, False)


TRIGGERS = """
create trigger i after insert on owner.chats referencing new table as new_rows
for each statement execute function analytics.log_chats();
create trigger u after update on owner.chats referencing old table as old_rows new table as new_rows
for each statement execute function analytics.log_chats();
create trigger d after delete on owner.chats referencing old table as old_rows
for each statement execute function analytics.log_chats();
"""


def test_the_keys_of_rows_that_enter_change_or_leave_a_view_are_logged(owned: World) -> None:
    query = "select lpad(id::text, 32, '0')::uuid as id, body from owner.chats where status = 1"
    owned.execute(f"create view owner.shown as {query}")
    view = views.read(owned.connection, "owner.shown", ["id"], ["id"])
    owned.execute(view.trigger_function(owned.connection, view.bases[0], "log_chats", "log_people"))
    owned.execute(TRIGGERS)

    def logged(statement: str) -> list[tuple[int, str]]:
        owned.execute("delete from analytics.people_changes")
        owned.execute(statement)
        rows = owned.execute("select id, operation from analytics.people_changes order by id")
        return [(int(row["id"].hex), row["operation"]) for row in rows]

    assert logged("insert into owner.chats select n, n % 2 from generate_series(1, 4) as n") == [
        (1, "insert"),
        (3, "insert"),
    ]
    assert logged("insert into owner.chats values (5, 0)") == []
    assert logged("insert into owner.chats values (7, 1)") == [(7, "insert")]
    assert logged("update owner.chats set body = 'x' where id in (1, 2)") == [(1, "update")]
    assert logged("update owner.chats set status = 1 - status where id < 4") == [
        (1, "delete"),
        (2, "insert"),
        (3, "delete"),
    ]
    assert logged("update owner.chats set id = 8 where id = 7") == [(7, "delete"), (8, "insert")]
    assert logged("delete from owner.chats where id in (2, 3)") == [(2, "delete")]
    assert logged("delete from owner.chats") == [(8, "delete")]
