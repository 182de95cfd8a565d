"""What a process takes of memory and processors, with all that it started."""

from contextlib import suppress
from pathlib import Path
from typing import Self

import psutil
import psycopg


class Processes:
    """A process, and those that it started."""

    def __init__(self, pid: int):
        self.process = psutil.Process(pid)
        self.megabytes: list[float] = []

    @classmethod
    def of_server(cls, connection: psycopg.Connection[tuple]) -> Self:
        """Return those of the PostgreSQL server, which is on this machine."""
        [folder] = connection.execute("select current_setting('data_directory')").fetchone() or ()
        return cls(int((Path(folder) / "postmaster.pid").read_text().splitlines()[0]))

    def cpu_seconds(self) -> float:
        """Return the seconds of processors that they took so far, those that ended included."""
        total = 0.0
        for process in self._alive():
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def sample(self) -> None:
        """Remember what they take of memory now."""
        total = 0
        for process in self._alive():
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        self.megabytes.append(total / 1e6)

    def _alive(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]
