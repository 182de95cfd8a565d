"""The wheel and the source distribution are whole, name their license, and the wheel works away from the checkout."""

import email
import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

from convo_pipelines_tests.conftest import ROOT, Server

UV = str(Path(sys.executable).with_name("uv"))


def build(folder: Path) -> tuple[Path, Path, list[str]]:
    """The wheel and the source distribution of what is in git, and the names of those files."""
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    source = folder / "source"
    for name in files:
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    subprocess.run([UV, "build", "--quiet", "--wheel", "--sdist", "--out-dir", folder, source], check=True)
    [wheel], [archive] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, archive, files


def test_the_wheel_is_whole_and_migrates_ticks_and_loads_in_an_empty_folder(tmp_path: Path, server: Server) -> None:
    wheel, archive, files = build(tmp_path)
    assert_whole(wheel, archive, files)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv"], check=True)
    subprocess.run([UV, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, wheel], check=True)
    [packages] = (tmp_path / "venv").glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))  # whose own .pth, of the checkout, is not read
    folder = tmp_path / "empty"
    folder.mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "CONVO_DATABASE_URL": server.create(),
        "DAGSTER_PG_URL": server.create(),
    }

    def run(*arguments: object) -> str:
        done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    command = python.with_name("convo-pipelines")
    read = run(python, "-c", "from convo_pipelines.database import statements; print(statements.STATEMENTS)")
    assert Path(read.strip()) == packages / "convo_pipelines" / "sql"
    assert "follow" in run(command, "--help")
    run(command, "migrate", "up")
    run(command, "data", "sample", "--sessions", "20", "--conversations", "20", "--days", "3")
    run(command, "tick")
    assert "conversation_summaries" in run(command, "status")
    said = run(command, "dagster", "definitions", "validate")
    assert f"wrote {folder / 'dagster.yaml'}\nwrote {folder / 'workspace.yaml'}\n" in said


def assert_whole(wheel: Path, archive: Path, files: list[str]) -> None:
    """Wheel and source carry every SQL file and the license."""
    statements = {name for name in files if name.startswith("sql/")}
    assert statements
    with zipfile.ZipFile(wheel) as opened:
        carried = set(opened.namelist())
        assert {f"convo_pipelines/{name}" for name in statements} <= carried
        [described] = [name for name in carried if name.endswith(".dist-info/METADATA")]
        metadata = email.message_from_bytes(opened.read(described))
        [license_] = [name for name in carried if name.endswith(f"licenses/{metadata['License-File']}")]
        assert opened.read(license_) == (ROOT / "LICENSE").read_bytes()
    assert metadata["License-Expression"] == "Apache-2.0"
    with tarfile.open(archive) as unpacked:
        sources = {name.partition("/")[2] for name in unpacked.getnames()}
    assert statements | {"LICENSE", "README.md", "setup.py", "pyproject.toml"} <= sources
