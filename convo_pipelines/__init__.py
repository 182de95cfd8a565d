"""Sessions, conversation summaries and links, kept fresh in PostgreSQL by Dagster.

The command line is `convo-pipelines`, the Dagster code location `convo_pipelines.definitions`. The public API, for
scripts and notebooks, is what this module exports:

    from convo_pipelines import Warehouse, Window, backfill, read, tick

    tick(Warehouse())                                           # what the schedules would do now
    backfill(Warehouse(), Window.of_days(date(2026, 3, 1), date(2026, 4, 1)))
    read.summaries(client="C001", start=date(2026, 3, 1))       # a pandas DataFrame

- `read`: the derived tables as DataFrames; it needs the extra of this name.
- `Warehouse`: the database, by default the one that CONVO_DATABASE_URL names; it connects at first use.
- `Window`: a half-open span of time, UTC.
- `tick`, `backfill`, `reconcile`: refresh all derived tables in this process, without Dagster.
- `DerivedTables`: a Dagster component, for tables of your own in a project of your own.
- `ConvoPipelinesError`: base class of all expected errors. Errors that PostgreSQL reports are `psycopg.Error`s.

Times are timezone-aware and UTC, days are UTC days, spans are half-open (`[start, end)`), durations are in seconds.
Each name is imported at its first use: `import convo_pipelines` alone imports neither pandas nor Dagster, and
connects to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from convo_pipelines.database.warehouse import Warehouse
    from convo_pipelines.engine.scopes import Window
    from convo_pipelines.errors import ConvoPipelinesError
    from convo_pipelines.operations.pipeline import backfill, reconcile, tick
    from convo_pipelines.orchestration.component import DerivedTables
    from convo_pipelines.serving import read

__all__ = [
    "ConvoPipelinesError",
    "DerivedTables",
    "Warehouse",
    "Window",
    "backfill",
    "read",
    "reconcile",
    "tick",
]

_MODULES = {
    "ConvoPipelinesError": "convo_pipelines.errors",
    "DerivedTables": "convo_pipelines.orchestration.component",
    "Warehouse": "convo_pipelines.database.warehouse",
    "Window": "convo_pipelines.engine.scopes",
    "backfill": "convo_pipelines.operations.pipeline",
    "reconcile": "convo_pipelines.operations.pipeline",
    "tick": "convo_pipelines.operations.pipeline",
}


def __getattr__(name: str) -> Any:
    """Import a name of the public API at its first use."""
    if name == "read":
        import_module("convo_pipelines.extras").require("read")
        return import_module("convo_pipelines.serving.read")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """Return the names that Dagster imports to find components: the others would read the tables too early."""
    return [*globals(), "DerivedTables"]
