"""`make bench`: every benchmark, as ratios to what people would write instead.

docs/reference/benchmarks.md is made of them.

Figures are wall times on one connection, so that the ratios compare work and not cores. If the work is repeatable, they
are medians of five. The server is embedded, and fresh for each size.
"""

from collections.abc import Callable
from importlib.metadata import version

import click

from benchmarks import (
    backfills,
    builds,
    capture,
    cells,
    crews,
    deletes,
    discovery,
    freshness,
    lake,
    latency,
    links,
    million,
    pages,
    retention,
    ticks,
)
from benchmarks.results import save, table

SIZES = {
    "discovery": (10_000, 100_000, 1_000_000),
    "builds": (10_000, 100_000, 1_000_000),
    "sizing": (300_000, 2_000_000),
    "crews": (10, 1_000, 10_000),
    "links": (10_000, 40_000, 200_000),
    "pages": (1_000_000,),
    "deletes": (100_000,),
    "million": (1_000_000,),
    "lake": (50_000_000,),
    "cells": (1, 10, 30),
}


def measure_discovery(*sizes: int) -> None:
    rows = [discovery.measure(size) for size in sizes]
    save("discovery", table("conversation discovery, 10 crews, 10 messages a session, 1,000 sessions a day", rows))


def measure_builds(*sizes: int) -> None:
    title = "first builds of all tables, {:,} sessions of ten messages, of ten crews"
    save("builds", *(table(title.format(size), builds.measure(size)) for size in sizes))


def measure_sizing(*sizes: int) -> None:
    rows = [{"sessions": f"{size:,}", "first build": f"{builds.first_build(size):.1f} s"} for size in sizes]
    save("sizing", table("first builds that docs/reference/sizing.md was not computed from", rows))


def measure_crews(*sizes: int) -> None:
    rows = [crews.measure(size) for size in sizes]
    save("crews", table("10 thousand sessions in all, 10 crews with one new session each", rows))


def measure_links(*sizes: int) -> None:
    builds, reads = zip(*(links.measure(size) for size in sizes), strict=True)
    save(
        "links",
        table("links, 6 messages a conversation, 3 recipients each", builds),
        table(f"reads at {sizes[-1]:,} conversations, 1,000 random keys each", reads[-1]),
    )


def measure_pages(size: int) -> None:
    save("pages", table(f"what pages read, at {size:,} conversations, 1,000 random keys each", pages.measure(size)))


def measure_million(size: int) -> None:
    found = million.measure(size)
    save("million", *(table(title, rows) for title, rows in found.items()))


def measure_capture() -> None:
    fast, paced = capture.measure()
    save(
        "capture",
        table("capture, autocommit, synchronous_commit off, nobody reads the log", fast),
        table(f"capture, {capture.STATEMENTS_PER_SECOND} statements/s", paced),
    )


def measure_ticks() -> None:
    save("ticks", table("a tick of ten crews, warm, in one process", ticks.measure()))


def measure_latency() -> None:
    save("latency", table("what a writer waits: 500 messages/s over 50 crews", latency.measure()))


def measure_freshness() -> None:
    delays, costs = freshness.measure()
    save(
        "freshness",
        table("seconds from commit to visible: p50 / p99 / longest", delays),
        table("what that takes", costs),
    )


def measure_deletes(size: int) -> None:
    single, clients = deletes.measure(size)
    save(
        "deletes",
        table(f"conversations deleted one by one, of {size + 24_000:,}", single),
        table("clients with 10,000 conversations deleted", clients),
    )


def measure_lake(size: int) -> None:
    written, waited, answered = lake.measure(size)
    save(
        "lake",
        table("rows into the lake", written),
        table("cells that write into one table", waited),
        table("percentiles of the first answer, by cell, client and month", answered),
        Daft=version("daft"),
        Ray=version("ray"),
    )


def measure_cells(*counts: int) -> None:
    title = "one Dagster for cells with nothing new, two schedules a minute and six sensors each"
    save("cells", table(title, cells.measure(*counts)))


def measure_retention() -> None:
    save("retention", table("Dagster's own database in a year of ticks, two an hour", retention.measure()))


def measure_backfills() -> None:
    save("backfills", table("backfills, as the UI launches them", backfills.measure()))


BENCHMARKS: dict[str, Callable[..., None]] = {
    "discovery": measure_discovery,
    "builds": measure_builds,
    "sizing": measure_sizing,
    "crews": measure_crews,
    "links": measure_links,
    "pages": measure_pages,
    "million": measure_million,
    "backfills": measure_backfills,
    "capture": measure_capture,
    "ticks": measure_ticks,
    "latency": measure_latency,
    "freshness": measure_freshness,
    "deletes": measure_deletes,
    "retention": measure_retention,
    "lake": measure_lake,
    "cells": measure_cells,
}


@click.command()
@click.option("--only", type=click.Choice(list(BENCHMARKS)), help="One benchmark.  [default: all]")
@click.option("--size", "sizes", type=int, multiple=True, help="Of its data; may be repeated.")
def main(only: str | None, sizes: tuple[int, ...]) -> None:
    """Measure, print tables, keep the results and make the page anew."""
    for name in (only,) if only else BENCHMARKS:
        BENCHMARKS[name](*(sizes or SIZES.get(name, ())))


if __name__ == "__main__":
    main()
