"""The lake: derived tables of all cells as Iceberg tables, with files of their own for each cell and UTC day."""

from importlib.util import find_spec

from convo_pipelines.errors import ConvoPipelinesError


class LakeMissingError(ConvoPipelinesError):
    """What reads and writes Iceberg tables is not installed."""


def require_installed() -> None:
    """Check that pyiceberg is installed, which only the lake needs.

    Raises:
        LakeMissingError: it is not.

    """
    if not find_spec("pyiceberg"):
        raise LakeMissingError("the lake needs pyiceberg: run `pip install '.[lake]'`")
