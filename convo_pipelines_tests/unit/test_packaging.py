"""An installed wheel is whole: it carries the SQL files."""

import subprocess
import sys

from convo_pipelines_tests.conftest import ROOT

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
