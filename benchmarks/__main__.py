"""`make bench`: every benchmark, as ratios to what people would write instead.

Figures are wall times on one connection (medians of five where the work is repeatable), so that the ratios compare
work and not cores; the server is embedded and fresh for each size.
"""

import click

from benchmarks import capture, crews, discovery, latency, links, retention
from benchmarks.measure import console
from convo_pipelines.terminal import print_table


@click.command()
@click.option("--sessions", type=int, multiple=True, default=(10_000, 100_000, 1_000_000), show_default=True)
@click.option("--conversations", type=int, multiple=True, default=(10_000, 40_000, 200_000), show_default=True)
@click.option("--crews", "crew_counts", type=int, multiple=True, default=(10, 1_000, 10_000), show_default=True)
@click.option(
    "--only",
    type=click.Choice(["discovery", "crews", "links", "capture", "latency", "retention"]),
    help="One benchmark.  [default: all]",
)
def main(
    sessions: tuple[int, ...], conversations: tuple[int, ...], crew_counts: tuple[int, ...], only: str | None
) -> None:
    """Measure every size and print tables."""
    if only in (None, "discovery"):
        rows = [discovery.measure(size) for size in sessions]
        print_table(
            console, rows, title="conversation discovery, 10 crews, 10 messages a session, 1,000 sessions a day"
        )
    if only in (None, "crews"):
        rows = [crews.measure(count) for count in crew_counts]
        print_table(console, rows, title="10 thousand sessions in all, 10 crews with one new session each")
    if only in (None, "links"):
        builds, reads = zip(*(links.measure(size) for size in conversations), strict=True)
        print_table(console, builds, title="links, 6 messages a conversation, 3 recipients each")
        print_table(console, reads[-1], title=f"reads at {conversations[-1]:,} conversations, 1,000 random keys each")
    if only in (None, "capture"):
        print_table(
            console, capture.measure(), title="capture, autocommit, synchronous_commit off, nobody reads the log"
        )
    if only in (None, "latency"):
        print_table(console, latency.measure(), title="what a writer waits: 500 messages/s over 50 crews")
    if only in (None, "retention"):
        print_table(console, retention.measure(), title="Dagster's own database in a year of ticks, two an hour")


if __name__ == "__main__":
    main()
