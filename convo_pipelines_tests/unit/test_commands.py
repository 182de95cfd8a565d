"""The commands of `convo-pipelines`, what their help says, and where they are named."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from convo_pipelines.cli import main
from convo_pipelines.cli.groups import WHOLE, Group
from convo_pipelines_tests.commands import walk
from convo_pipelines_tests.conftest import ROOT

COMMANDS = dict(walk())
GROUPS = {name: command for name, command in COMMANDS.items() if isinstance(command, click.Group)}
OF_OTHERS = {"node_modules"}


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "dagster"])
def test_every_command_says_what_it_does_and_takes(name: str) -> None:
    command = COMMANDS[name]
    shown = CliRunner().invoke(main, [*name.split(), "--help"])
    assert shown.exit_code == 0, shown.output
    said = " ".join(shown.output.split())
    assert f"Usage: main {name} " in said
    assert command.help
    assert " ".join(command.help.split()) in said
    for option in command.params:
        if isinstance(option, click.Option):
            assert option.opts[0] in said
            assert option.help or option.name == "port"


@pytest.mark.parametrize(("name", "group"), {"": main, **GROUPS}.items())
def test_a_group_lists_each_command_with_the_first_sentence_of_its_help(name: str, group: click.Group) -> None:
    assert isinstance(group, Group)
    listed = {name: text for commands in group.sections().values() for name, text in commands.items()}
    prefix = f"{name} " if name else ""
    assert listed == {
        command: COMMANDS[prefix + command].get_short_help_str(WHOLE)
        for command in group.list_commands(click.Context(group))
    }
    said = " ".join(CliRunner().invoke(main, [*name.split(), "--help"]).output.split())
    assert all(f"{command} {text}" in said for command, text in listed.items())


def test_the_list_of_commands_has_sections_in_the_order_in_which_one_meets_them() -> None:
    sections = {title: list(commands) for title, commands in main.sections().items()}
    assert list(sections) == ["Set up", "Refresh", "Watch", "Serve", "Clients and people"]
    assert sections["Refresh"][0] == "tick"
    assert sum(map(len, sections.values())) <= 20


def texts() -> Iterator[Path]:
    """What names commands, but for what tells history."""
    kinds = {".md", ".py", ".sql", ".service", ".yaml", ".json", ""}
    folders = ("benchmarks", "convo_pipelines", "convo_pipelines_tests", "docs", "sql")
    for path in [*ROOT.glob("*"), *(path for folder in folders for path in (ROOT / folder).rglob("*"))]:
        if path.is_file() and path.suffix in kinds and not OF_OTHERS & {*path.relative_to(ROOT).parts}:
            yield path


def test_commands_are_named_as_they_are() -> None:
    named = re.compile(r"convo-pipelines,? ([a-z][a-z-]*)(?:,? ([a-z][a-z-]*))?")
    unknown = {
        f"{path.relative_to(ROOT)}: {found[0]}"
        for path in texts()
        for found in named.finditer(path.read_text(errors="replace"))
        if found[1] not in COMMANDS
        or (found[1] in GROUPS and found[1] != "adopt" and found[2] and f"{found[1]} {found[2]}" not in COMMANDS)
    }
    assert unknown == set()
