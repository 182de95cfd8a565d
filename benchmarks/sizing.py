"""`python -m benchmarks.sizing`: docs/reference/sizing.md, computed from the results of first builds and crews."""

import math
from typing import Any

from benchmarks.measure import FOLDER
from benchmarks.results import read, render

PAGE = FOLDER.parent / "docs" / "reference" / "sizing.md"
MESSAGES_PER_SESSION = 10
SESSIONS = [10**exponent for exponent in range(3, 10)]
NIGHT, DAY, TICK = 8 * 3_600, 24 * 3_600, 300
CORES = (1, 2, 4, 8, 16)
WRITTEN = 3
"""A build writes what it adds to the table, to its indexes and to the WAL."""


class Model:
    """Seconds by sessions: a power law through the two largest sizes, and by how much the smallest took longer."""

    def __init__(self, measured: dict[int, float]):
        """Fit the law to seconds by size."""
        self.measured = measured
        (small, low), (large, high) = sorted(measured.items())[-2:]
        self.exponent = max(1.0, math.log(high / low) / math.log(large / small))
        self.large, self.high = large, high
        self.least = max(0.0, measured[min(measured)] - self._by_law(min(measured)))

    def seconds(self, sessions: int) -> float:
        """Return how long so many sessions take."""
        return self.least + self._by_law(sessions)

    def _by_law(self, sessions: int) -> float:
        return self.high * (sessions / self.large) ** self.exponent

    def most(self, seconds: float) -> int:
        """Return how many sessions take so long."""
        return int(self.large * ((seconds - self.least) / self.high) ** (1 / self.exponent))


def main() -> None:
    PAGE.write_text(page())


def page() -> str:
    """Return docs/reference/sizing.md: the text of `sizing.md.j2` with the figures of the model."""
    builds, crews, checks, cells = read("builds"), read("crews"), read("sizing"), read("cells")
    totals = {size: _total(table) for size, table in zip(_sizes(builds), builds["tables"], strict=True)}
    workers = next(name for name in builds["tables"][0]["columns"] if name.endswith(" workers"))
    build = Model({size: _number(total[workers]) for size, total in totals.items()})
    reconcile = Model({size: _number(total["reconcile"]) for size, total in totals.items()})
    largest = max(totals)
    megabytes = _number(totals[largest]["size"]) / largest
    return render(
        "sizing.md.j2",
        rows=[
            {
                "messages": f"{sessions * MESSAGES_PER_SESSION:,}",
                "sessions": f"{sessions:,}",
                "disk": _size(sessions * megabytes),
                "build": _time(build.seconds(sessions)),
                "measured": f"{build.measured[sessions]:.1f} s" if sessions in build.measured else "",
                "reconcile": _time(reconcile.seconds(sessions)),
            }
            for sessions in SESSIONS
        ],
        cores=_by_cores(totals[largest], largest, workers, megabytes),
        largest=f"{largest * MESSAGES_PER_SESSION:,}",
        checks=[_checked(build, *row) for row in checks["tables"][0]["rows"]],
        checks_commit=checks["commit"],
        crews=_rows(crews),
        cells=(of_cells := _rows(cells)),
        cells_commit=cells["commit"],
        **_limits(of_cells[-1]),
        workers=workers,
        exponent=f"{build.exponent:.2f}",
        bytes=f"{megabytes * 2**20:,.0f}",
        day=_round(build.most(DAY)),
        night=_round(reconcile.most(NIGHT)),
        commit=builds["commit"],
        machine=builds["machine"],
    )


def _by_cores(total: dict[str, str], sessions: int, workers: str, megabytes: float) -> list[dict[str, str]]:
    """Return what builds take by cores: Amdahl's law through one worker and all, and what disks have to write then."""
    alone, together = _number(total["one worker"]), _number(total[workers])
    measured = int(workers.split()[0])
    serial = max(0.0, (together / alone - 1 / measured) / (1 - 1 / measured))
    rows: list[dict[str, str]] = []
    for cores in CORES:
        seconds = alone * (serial + (1 - serial) / cores)
        rows.append(
            {
                "cores": f"{cores}",
                "build": _time(seconds),
                "large": _time(seconds * 100),
                "written": f"{WRITTEN * megabytes * sessions / seconds:,.0f} MB/s",
            }
        )
    return rows


def _rows(result: dict[str, Any]) -> list[dict[str, str]]:
    [table] = result["tables"]
    return [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]


def _limits(row: dict[str, str]) -> dict[str, str]:
    """Return what the largest number of cells that was measured says of more."""
    cells, seconds = int(row["cells"]), _number(row["daemon, a minute"])
    return {
        "per_cell": f"{seconds / cells:.2f}",
        "most_cells": _round(int(60 * cells / seconds)),
        "largest_cells": row["cells"],
        "servers_gb": _size(_number(row["memory of a code server"]) * cells),
        "events_a_day": _round(int(_number(row["events of a run"]) * DAY / TICK)),
    }


def _checked(model: Model, sessions: str, measured: str) -> dict[str, str]:
    computed, found = model.seconds(int(sessions.replace(",", ""))), _number(measured)
    return {
        "sessions": sessions,
        "computed": _time(computed),
        "measured": _time(found),
        "ratio": f"{found / computed:.2f}",
    }


def _sizes(builds: dict[str, Any]) -> list[int]:
    return [int(table["title"].split(", ", 1)[1].split()[0].replace(",", "")) for table in builds["tables"]]


def _total(table: dict[str, Any]) -> dict[str, str]:
    return dict(zip(table["columns"], table["rows"][-1], strict=True))


def _number(text: str) -> float:
    return float(text.split()[0].replace(",", ""))


def _size(megabytes: float) -> str:
    for unit in ("MB", "GB", "TB"):
        if megabytes < 1_000 or unit == "TB":
            break
        megabytes /= 1_024
    return f"{megabytes:,.1f} {unit}" if megabytes < 10 else f"{megabytes:,.0f} {unit}"


def _time(seconds: float) -> str:
    for unit, most in (("s", 120.0), ("min", 120.0), ("h", 48.0)):
        if seconds < most:
            return f"{seconds:,.1f} {unit}" if seconds < 10 else f"{seconds:,.0f} {unit}"
        seconds /= 60 if unit != "h" else 24
    return f"{seconds:,.0f} days"


def _round(number: int) -> str:
    """Return a number with two significant digits."""
    return f"{round(number, 2 - len(str(number))):,}"


if __name__ == "__main__":
    main()
