"""Every command of `convo-pipelines`, by its name with those of its groups."""

from collections.abc import Iterator

import click

from convo_pipelines.cli import main


def walk(group: click.Group = main, prefix: str = "") -> Iterator[tuple[str, click.Command]]:
    """Yield every command and group: `serve`, `serve follow`, …"""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        yield f"{prefix}{name}", command
        if isinstance(command, click.Group):
            yield from walk(command, f"{prefix}{name} ")


def without(lines: list[str]) -> set[str]:
    """The commands with which none of the lines begins."""
    names = {name for name, command in walk() if not isinstance(command, click.Group)}
    return {name for name in names if not any(f"{line} ".startswith(f"{name} ") for line in lines)}
