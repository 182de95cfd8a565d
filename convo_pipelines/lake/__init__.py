"""The lake: derived tables of all cells as Iceberg tables, with files of their own for each cell and UTC day."""

from enum import StrEnum, auto
from importlib.util import find_spec

from convo_pipelines.errors import ConvoPipelinesError


class LakeMissingError(ConvoPipelinesError):
    """What reads and writes Iceberg tables, or computes on them, is not installed."""


class Query(StrEnum):
    """A question across cells that has a query of ours."""

    first_responses = auto()
    active_people = auto()
    projects = auto()
    reply_funnel = auto()


def require_installed(package: str = "pyiceberg", extra: str = "lake") -> None:
    """Check that a package of an extra is installed: pyiceberg, which only the lake needs, or Daft for its queries.

    Raises:
        LakeMissingError: it is not.

    """
    if not find_spec(package):
        raise LakeMissingError(f"this needs {package}: run `pip install '.[{extra}]'`")
