"""What is not installed by default: the extras of the package, and what they install."""

from importlib.util import find_spec

from convo_pipelines.errors import ConvoPipelinesError

FRAMES = ("adbc_driver_postgresql", "pandas", "pyarrow")
EXTRAS = {
    "read": FRAMES,
    "report": (*FRAMES, "jinja2", "matplotlib"),
    "lake": ("adbc_driver_postgresql", "pyarrow", "pyiceberg"),
    "cluster": ("daft", "pyarrow", "pyiceberg"),
}
"""The modules that each needs; cluster also has Ray, which the machine that a query runs on may do without."""


class ExtraMissingError(ConvoPipelinesError):
    """A package is not installed that only an extra needs; the message says how to install it."""


def is_installed(extra: str) -> bool:
    """Return whether all that an extra needs is installed."""
    return not _missing(extra)


def require(extra: str) -> None:
    """Check that an extra is installed.

    Raises:
        ExtraMissingError: it is not.

    """
    if missing := _missing(extra):
        raise ExtraMissingError(f"this needs {', '.join(missing)}: run `pip install 'convo_pipelines[{extra}]'`")


def _missing(extra: str) -> list[str]:
    return [module for module in EXTRAS[extra] if not find_spec(module)]
