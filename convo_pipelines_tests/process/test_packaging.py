"""An installed wheel is whole."""

import subprocess
import sys
import zipfile
from pathlib import Path

from convo_pipelines_tests.conftest import ROOT


def test_a_wheel_carries_every_sql_file(tmp_path: Path) -> None:
    source = tmp_path / "source"
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    for name in files:
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(source)]
    subprocess.run(build, check=True)
    [wheel] = tmp_path.glob("*.whl")
    carried = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"convo_pipelines/{name}" for name in files if name.startswith("sql/")}
    assert wanted
    assert wanted <= carried
    assert "convo_pipelines/database/alembic/env.py" in carried
