"""Many crews, ten of them with news: what asking and a tick cost."""

from benchmarks.discovery import TICKS, Benchmark
from benchmarks.measure import console, fresh_database, median_seconds, seconds, variables

SESSIONS = 10_000


def measure(crew_count: int) -> dict[str, str]:
    with fresh_database() as url, variables(REFRESH_WORKERS="1"):
        benchmark = Benchmark(url, SESSIONS, crew_count)
        benchmark.load()
        build = seconds(benchmark.tick)
        first_tick = seconds(benchmark.tick)
        benchmark.connection.execute("vacuum analyze")
        tick = median_seconds(benchmark.tick, benchmark.ten_new_sessions, TICKS)
        asking = median_seconds(benchmark.news, repeats=TICKS)
        assert not benchmark.news()
        benchmark.close()
    row = {
        "crews": f"{crew_count:,}",
        "full build": f"{build:.1f} s",
        "first tick after it": f"{first_tick * 1000:.0f} ms",
        "tick, 10 with news": f"{tick * 1000:.0f} ms",
        "nothing new": f"{asking * 1000:.1f} ms",
    }
    console.print(row)
    return row
