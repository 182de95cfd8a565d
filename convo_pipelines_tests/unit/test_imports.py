"""Packages import only downwards, Dagster stays in its room, and importing changes nothing."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent.parent / "convo_pipelines"
FLOORS = (
    {"errors"},
    {"settings", "extras"},
    {"logs"},
    {"database"},
    {"engine"},
    {"model", "authoring"},
    {"testing"},
    {"operations"},
    {"lake"},
    {"sources", "serving"},
    {"orchestration"},
    {"definitions"},
    {"cli"},
)
"""The lowest first. The package's own module is the roof: its public API imports from every floor, on demand."""
MODULES = {
    ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
    if "sql" not in path.relative_to(PACKAGE).parts
}
BEYOND_A_TICK = {
    "apprise", "croniter", "dagster", "jinja2", "matplotlib", "pandas", "phonenumbers", "prometheus_client", "pyarrow",
    "sqlalchemy", "starlette", "uvicorn",
}  # fmt: skip
OVERRIDES = "convo_pipelines.orchestration.overrides"


def imports(module: str, *, in_functions: bool) -> Iterator[str]:
    """Yield the modules that a module imports; names of modules for `from package import module`."""
    nodes: list[ast.AST] = [ast.parse(MODULES[module].read_text())]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} imports relatively"
            source = node.module or ""
            submodules = [f"{source}.{alias.name}" for alias in node.names if f"{source}.{alias.name}" in MODULES]
            yield from submodules or [source]
        elif in_functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            nodes += ast.iter_child_nodes(node)


def floor(module: str) -> int:
    room = module.split(".")[1]
    return next(number for number, rooms in enumerate(FLOORS) if room in rooms)


@pytest.mark.parametrize("module", [name for name in MODULES if "." in name])
def test_packages_import_only_downwards(module: str) -> None:
    room = module.split(".")[1]
    for imported in imports(module, in_functions=True):
        if imported in MODULES and imported.split(".")[1:2] != [room]:
            assert imported != "convo_pipelines", f"{module} imports the public API"
            assert floor(imported) < floor(module), f"{module} imports {imported}"


@pytest.mark.parametrize("module", MODULES)
def test_only_orchestration_imports_dagster(module: str) -> None:
    if module.startswith(("convo_pipelines.orchestration", "convo_pipelines.definitions")):
        return
    if module == "convo_pipelines":
        return  # imports for type checkers only: see the tests of what is imported at first use
    lazily = module.startswith("convo_pipelines.cli")
    for imported in imports(module, in_functions=not lazily):
        assert not imported.startswith("dagster"), f"{module} imports {imported}"
        assert not imported.startswith(("convo_pipelines.orchestration", "convo_pipelines.definitions"))


@pytest.mark.parametrize("module", [name for name in MODULES if name != OVERRIDES])
def test_only_the_overrides_which_are_loaded_on_demand_import_private_parts_of_dagster(module: str) -> None:
    private = {name for name in imports(module, in_functions=True) if re.match(r"dagster.*\._", name)}
    assert not private
    assert OVERRIDES not in imports(module, in_functions=False)


def test_modules_import_each_other_without_a_cycle() -> None:
    graph = {name: {i for i in imports(name, in_functions=True) if i in MODULES} for name in MODULES if "." in name}
    TopologicalSorter(graph).prepare()  # raises CycleError


def python(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_is_imported_without_a_change_of_global_state() -> None:
    names = [*MODULES]
    python(f"""
import importlib, logging, os, warnings
import numpy, strictyaml  # which add filters of their own
def state():
    root = logging.getLogger()
    return dict(os.environ), list(warnings.filters), list(root.handlers), root.level
before = state()
for name in {names!r}:
    importlib.import_module(name)
    for was, now in zip(before, state(), strict=True):
        assert was == now, f"{{name}} changes {{was}} to {{now}}"
import matplotlib
changed = {{name for name, value in matplotlib.rcParams.items() if value != matplotlib.rcParamsDefault[name]}}
assert changed <= {{"backend"}}, changed
""")


@pytest.mark.parametrize(
    ("program", "heavy"),
    [
        ("import convo_pipelines", {"dagster", "pandas", "matplotlib", "psycopg", "convo_pipelines.settings"}),
        ("from convo_pipelines import Warehouse, tick", {"dagster", "pandas", "matplotlib"}),
        ("from convo_pipelines import read", {"dagster", "matplotlib"}),
        ("import convo_pipelines.cli.tick, convo_pipelines.cli.running", BEYOND_A_TICK),
        (
            "from convo_pipelines.cli import main; main(['--help'], standalone_mode=False)",
            BEYOND_A_TICK | {"psycopg", "pydantic", "rich", "sqlalchemy", "convo_pipelines.settings"},
        ),
        ("from convo_pipelines.cli import main; main(['serve', '--help'], standalone_mode=False)", BEYOND_A_TICK),
    ],
)
def test_imports_are_as_light_as_they_can_be(program: str, heavy: set[str]) -> None:
    imported = python(f"{program}\nimport sys\nprint(*sys.modules)").splitlines()[-1].split()
    assert heavy.intersection(imported) == set()


def test_the_public_api_is_what_it_says() -> None:
    import convo_pipelines

    assert convo_pipelines.__doc__
    for name in convo_pipelines.__all__:
        assert getattr(convo_pipelines, name).__doc__, name
        assert f"`{name}`" in convo_pipelines.__doc__, name
    assert [a for a, b in pairwise(convo_pipelines.__all__) if a > b] == []
    with pytest.raises(AttributeError):
        _ = convo_pipelines.nothing
