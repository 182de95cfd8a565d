"""The lake: derived tables of all cells as Iceberg tables, with files of their own for each cell and UTC day."""

from enum import StrEnum, auto


class Query(StrEnum):
    """A question across cells that has a query of ours."""

    first_responses = auto()
    active_people = auto()
    projects = auto()
    reply_funnel = auto()
