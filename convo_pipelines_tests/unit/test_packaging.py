"""What is loaded with what: a command that needs no Dagster starts without it."""

import subprocess
import sys

from convo_pipelines_tests.conftest import ROOT

PACKAGE = ROOT / "convo_pipelines"
WITHOUT_DAGSTER = ("cli", "database", "engine", "operations", "serving", "sources")
BEYOND = {
    "convo_pipelines.cli.demo",
    "convo_pipelines.database.arrow",
    "convo_pipelines.serving.read",
    "convo_pipelines.serving.report",
}
"""The demo runs Dagster; the others make frames."""


def modules() -> list[str]:
    files = [file for folder in WITHOUT_DAGSTER for file in (PACKAGE / folder).rglob("*.py")]
    named = {".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files}
    return sorted(named)


def test_what_needs_no_dagster_loads_none_and_no_frames() -> None:
    names = ", ".join(name for name in modules() if name not in BEYOND)
    assert "convo_pipelines.engine.ticks" in names
    program = f"import sys, {names}; print(sorted({{'dagster', 'pandas', 'pyarrow'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_frames_are_read_without_dagster() -> None:
    program = "import sys, convo_pipelines.serving.read; print('dagster' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"


def test_without_the_extras_the_code_location_loads_and_what_needs_one_names_it() -> None:
    program = """
import sys
from convo_pipelines import extras
sys.modules |= dict.fromkeys(module for modules in extras.EXTRAS.values() for module in modules if module != "jinja2")
from convo_pipelines.definitions import defs
print(defs.get_schedule_def("activity_report_schedule").default_status.value)
for extra in extras.EXTRAS:
    try:
        extras.require(extra)
    except extras.ExtraMissingError as error:
        print(error)
try:
    from convo_pipelines import read
except extras.ExtraMissingError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)
    frames = "this needs adbc_driver_postgresql, pandas, pyarrow"
    assert done.stdout.splitlines() == [
        "STOPPED",
        f"{frames}: run `pip install 'convo_pipelines[read]'`",
        f"{frames}, matplotlib: run `pip install 'convo_pipelines[report]'`",
        "this needs adbc_driver_postgresql, pyarrow, pyiceberg: run `pip install 'convo_pipelines[lake]'`",
        "this needs daft, pyarrow, pyiceberg: run `pip install 'convo_pipelines[cluster]'`",
        f"{frames}: run `pip install 'convo_pipelines[read]'`",
    ]
