"""A component for the Dagster project of a team: its tables, and ours, beside its other assets."""

import os
import sys
from importlib import import_module

import dagster as dg
from dagster.components.component_scaffolding import scaffold_component

from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.settings import settings


class TooLateError(ConvoPipelinesError):
    """Tables were read before a component named its folder; the message says what to set."""


class DerivedTablesScaffolder(dg.Scaffolder):
    """Writes `defs.yaml`, and an empty folder for tables."""

    def scaffold(self, request: dg.ScaffoldRequest) -> None:
        """Write the files of a new component."""
        scaffold_component(request, {"path": "tables"})
        (request.target_path / "tables").mkdir(parents=True, exist_ok=True)
        (request.target_path / "tables" / ".gitkeep").touch()


@dg.scaffold_with(DerivedTablesScaffolder)
class DerivedTables(dg.Component, dg.Model, dg.Resolvable):
    """Tables of your own, each kept exact from one SELECT, and the tables of convo_pipelines that they build on.

    Each folder in `path` that has a `rows.sql` is a table. After `convo-pipelines table apply` it is an asset.

    Attributes:
        path: the folder, relative to that of `defs.yaml`. A project has one such component.

    """

    path: str = "tables"

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Return the definitions of all tables.

        Raises:
            TooLateError: convo_pipelines had read its tables before, without this folder.
            TableFoldersError: the folder does not exist, or two tables have one name.

        """
        folder = str((context.path / self.path).resolve())
        given = [one for one in settings().convo_tables.split(":") if one]
        if folder not in given:
            folders = ":".join([*given, folder])
            if "convo_pipelines.model.tables" in sys.modules:
                raise TooLateError(
                    f"convo_pipelines has read its tables without {folder}: set CONVO_TABLES={folders}, or name all "
                    "folders in one component"
                )
            os.environ["CONVO_TABLES"] = folders
            settings.cache_clear()
        return import_module("convo_pipelines.definitions").pipelines()
