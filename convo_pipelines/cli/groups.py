"""Groups of commands, whose help shows the first sentence of each command's help whole."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

WHOLE = 1_000
"""Characters: more than any first sentence has."""


class Group(click.Group):
    """Lists commands in the order in which they were defined, in sections."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the commands."""
        return list(self.commands)

    def sections(self) -> Mapping[str, Mapping[str, str]]:
        """Return the first sentence of each command's help, by title of the section and name."""
        return {"Commands": {name: command.get_short_help_str(WHOLE) for name, command in self.commands.items()}}

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the sections."""
        for title, commands in self.sections().items():
            with formatter.section(title):
                formatter.write_dl(list(commands.items()))


class LazyGroup(Group):
    """Imports a command's module when it is invoked, or its own help is asked.

    The command `a-b` is `a_b` of the module `a_b` in the group's package.
    """

    def __init__(self, *, package: str, sections: Mapping[str, Mapping[str, str]], **attributes: Any):
        """Take the package, the `sections` as `Group` returns them, and what `click.Group` takes."""
        super().__init__(**attributes)
        self._package = package
        self._sections = sections

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names of the commands."""
        return [name for commands in self._sections.values() for name in commands]

    def sections(self) -> Mapping[str, Mapping[str, str]]:
        """Return the sections as they were given."""
        return self._sections

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        name = cmd_name.replace("-", "_")
        return getattr(import_module(f"{self._package}.{name}"), name)
