"""An installed wheel is whole: it carries the SQL files."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
ENGINE = [
    "ticks",
    "reconcile",
    "forget",
    "capture",
    "crews",
    "refresh",
    "changes",
    "participants",
    "scopes",
    "registry",
    "health",
    "alerts",
    "sessions",
    "webhook",
]


def test_the_engine_knows_neither_dagster_nor_frames() -> None:
    modules = ", ".join(f"convo_pipelines.{name}" for name in [*ENGINE, "cli"])
    program = f"import sys, {modules}; print(sorted({{'dagster', 'pandas', 'pyarrow'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_frames_are_read_without_dagster() -> None:
    program = "import sys, convo_pipelines.serving.read; print('dagster' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"


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
