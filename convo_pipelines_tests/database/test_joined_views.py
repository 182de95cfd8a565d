"""Views whose rows several tables make: what a change of any of them concerns is found, and no more."""

import random
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg
import pytest

from convo_pipelines_tests import adopted
from convo_pipelines_tests.adopted import FOLDER, VIEWS, assert_right, modes, refresh
from convo_pipelines_tests.world import World

DESK = (FOLDER / "desk_views.sql").read_text()


def with_desk(text: str = DESK) -> str:
    """The shop's file of views, with those of the desk in place of its own."""
    views = {part.split()[4]: part for part in text.partition("\n")[2].split("\n\n")}
    shop = {part.split()[4]: part for part in VIEWS.split("\n\n")}
    kept = {name: part for name, part in {**shop, **views}.items() if not name.startswith("app.log_")}
    return "\n\n".join(kept.values())


@pytest.fixture
def desk(shop: World) -> World:
    shop.execute("truncate shop.chat_log")
    shop.execute((FOLDER / "desk.sql").read_text())
    assert adopted.install(shop, with_desk()) == []
    refresh(shop)
    shop.execute("vacuum")  # row ids are used again
    assert_right(shop)
    return shop


# What a change concerns


CONCERNS = {
    "a medium": ("update desk.media set name = 'linkedin' where id = 1", "queue.medium_id = 1"),
    "a medium's note": ("update desk.media set note = 'x' where id = 1", "false"),
    "a queue that tickets are in": ("update desk.queues set medium_id = 2 where id = 5", "ticket.queue_id = 5"),
    "a queue that is new": ("insert into desk.queues values (9, 1)", "ticket.queue_id = 9"),
    "a desk that is closed": ("update desk.desks set is_open = false where id = 2", "ticket.desk_id = 2"),
    "the events of a ticket": ("update desk.events set ticket_id = 3 where ticket_id = 4", "ticket.id in (3, 4)"),
    "two reports": ("insert into desk.spam values (7, 'sure'), (8, 'unsure')", "ticket.id in (7, 8)"),
}


@pytest.mark.parametrize(("write", "concerned"), CONCERNS.values(), ids=CONCERNS)
def test_a_change_concerns_the_tickets_that_it_leads_to_and_no_others(desk: World, write: str, concerned: str) -> None:
    tickets = (
        "select analytics.uuid_of('ticket', ticket.id::text) as id from desk.tickets as ticket "
        "left join desk.queues as queue on queue.id = ticket.queue_id "
        f"where ({concerned}) and ticket.title is distinct from 'hidden' order by 1"
    )
    desk.execute(write)
    wanted = desk.execute(tickets)
    found = "select distinct id from analytics.changed_conversations where operation in ('insert', 'delete') order by 1"
    assert desk.execute(found) == wanted
    done = desk.tick()
    assert done["conversation_summaries"].outcome.keys == len(wanted)
    refresh(desk)
    assert_right(desk)


def test_a_change_of_the_desk_has_nothing_read_as_a_whole(desk: World) -> None:
    chance = random.Random(0)
    for write in WRITES:
        with suppress(psycopg.errors.UniqueViolation):
            desk.execute(write(lambda most: chance.randint(1, most)))
    operations = {row["operation"] for row in desk.execute("select operation from analytics.changes")}
    assert operations == {"insert", "update", "delete", "beneath"}


# Random histories


Any = Callable[[int], int]
"""Returns one of so many numbers."""

WRITES: Sequence[Callable[[Any], str]] = [
    lambda n: f"update desk.desks set is_open = not is_open where id = {n(4)}",
    lambda n: f"update desk.desks set account_id = {n(2)} where id = {n(4)}",
    lambda n: f"update desk.desks set id = -id where id = {n(4)}",
    lambda _: "update desk.desks set id = abs(id)",
    lambda n: f"delete from desk.desks where id = {n(4)}",
    lambda n: f"insert into desk.desks values ({n(4)}, {n(2)}, true) on conflict (id) do update set is_open = true",
    lambda n: f"update desk.tickets set desk_id = {n(4)}, queue_id = {n(7)} where id = {n(30)}",
    lambda n: (
        f"update desk.tickets set title = case title when 'hidden' then 'shown' else 'hidden' end where id = {n(30)}"
    ),
    lambda n: f"update desk.tickets set id = {n(60)} where id = {n(60)}",
    lambda n: f"delete from desk.tickets where id in ({n(60)}, {n(60)})",
    lambda n: f"insert into desk.tickets values ({n(60)}, {n(4)}, {n(7)}, 'new', '2026-03-11') on conflict do nothing",
    lambda n: (
        f"with gone as (delete from desk.tickets where id % {n(9)} = 0 returning *) "
        f"insert into desk.tickets select id + 100, {n(4)}, queue_id, title, opened from gone on conflict do nothing"
    ),
    lambda _: "update desk.tickets set id = id - 100 where id > 100 and id - 100 not in (select id from desk.tickets)",
    lambda n: f"update desk.queues set medium_id = {n(3)} where id = {n(6)}",
    lambda n: f"update desk.queues set note = 'x', id = id + 10 where id = {n(6)}",
    lambda _: "update desk.queues set id = id - 10 where id > 10 and id - 10 not in (select id from desk.queues)",
    lambda n: f"delete from desk.queues where id = {n(16)}",
    lambda n: f"insert into desk.queues values ({n(6)}, {n(3)}) on conflict do nothing",
    lambda n: f"update desk.media set name = (array['email', 'chat', 'linkedin'])[{n(3)}] where id = {n(3)}",
    lambda n: f"delete from desk.media where id = {n(3)}",
    lambda n: f"insert into desk.media values ({n(3)}, 'whatsapp') on conflict do nothing",
    lambda n: f"update desk.authors set is_staff = not is_staff where id = {n(4)}",
    lambda n: f"update desk.authors set id = {n(8)} where id = {n(8)}",
    lambda n: f"delete from desk.authors where id = {n(8)}",
    lambda n: f"insert into desk.authors values ({n(8)}, true) on conflict do nothing",
    lambda n: f"update desk.notes set ticket_id = {n(40)}, author_id = {n(8)} where id % 30 = {n(30)}",
    lambda n: f"delete from desk.notes where id = {n(90)}",
    lambda n: f"insert into desk.notes values ({n(120)}, {n(30)}, {n(4)}, '2026-03-13 10:00') on conflict do nothing",
    lambda n: f"update desk.readers set contact_id = {n(4)} where note_id = {n(90)}",
    lambda n: f"update shop.contacts set email = nullif(email, 'ana@example.com') where id = {n(3)}",
    lambda n: f"update shop.contacts set email = 'eve{n(3)}@example.com' where id = {n(3)}",
    lambda n: f"update shop.chats set inbox_id = {n(2)}, deleted_at = nullif(now(), deleted_at) where id = {n(12)}",
    lambda n: f"update shop.inboxes set kind = (array['email', 'chat', 'linkedin'])[{n(3)}] where id = {n(2)}",
    lambda n: f"update shop.posts set chat_id = {n(12)}, kind = {n(3)} - 1 where id = {n(120)}",
    lambda n: f"delete from desk.readers where note_id = {n(90)}",
    lambda n: f"update desk.plans set is_shown = not is_shown where id = {n(3)} - 1",
    lambda n: f"update desk.plans set is_active = not is_active where id = {n(3)} - 1",
    lambda n: f"update shop.accounts set status = {n(3)} - 1 where id = {n(2)}",
    lambda n: f"update desk.lists set is_shown = not is_shown where id = {n(3)}",
    lambda n: f"update shop.contacts set list_id = {n(3)} where id = {n(3)}",
    lambda n: f"insert into desk.events values ({n(80)}, {n(30)}, 'closed', '2026-03-19') on conflict do nothing",
    lambda n: f"update desk.events set ticket_id = {n(30)}, kind = 'closed' where id = {n(80)}",
    lambda n: f"delete from desk.events where id = {n(80)}",
    lambda n: f"insert into desk.spam values ({n(30)}, (array['sure', 'unsure'])[{n(2)}])",
    lambda n: f"update desk.spam set ticket_id = {n(30)}, reason = 'unsure' where ticket_id % 3 = {n(3)} - 1",
    lambda n: f"delete from desk.spam where ticket_id % 5 = {n(5)} - 1",
]


@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(seed, marks=pytest.mark.wide) for seed in range(3, 40))])
def test_whatever_is_written_beneath_is_right_after_the_next_tick(desk: World, seed: int) -> None:
    """Some transactions of several statements, with ticks between; another commits after ticks that began later."""
    chance = random.Random(seed)

    def written() -> str:
        return "; ".join(
            chance.choice(WRITES)(lambda most: chance.randint(1, most)) for _ in range(chance.randint(1, 3))
        )

    history: list[str] = []
    with psycopg.connect(desk.url) as late:
        late.execute("set lock_timeout = '50ms'")
        for _ in range(25):
            history.append(write := written())
            if chance.random() < 0.3:
                with suppress(psycopg.Error):
                    late.execute(write.encode())
            else:
                with suppress(psycopg.Error):
                    desk.execute(f"set lock_timeout = '50ms'; {write}")
            if chance.random() < 0.2:
                late.commit()
            if late.info.transaction_status == psycopg.pq.TransactionStatus.INERROR:
                late.rollback()
            if chance.random() < 0.4:
                history.append("-- tick")
                desk.tick()
        late.commit()
    refresh(desk)
    assert modes(desk) == {}
    try:
        assert_right(desk)
    except AssertionError:
        print(";\n".join(history))
        raise
