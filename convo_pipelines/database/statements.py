"""The SQL files: `sql/` of a checkout, `convo_pipelines/sql` of an installed package."""

from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import LiteralString, cast

from psycopg import sql

_PACKAGE = Path(__file__).parent.parent
STATEMENTS = next(folder for folder in (_PACKAGE / "sql", _PACKAGE.parent / "sql") if folder.is_dir())


@cache
def statement(name: str) -> sql.SQL:
    """Return the statement in `sql/<name>.sql`; its `{placeholders}` take `psycopg.sql.Identifier`s.

    Its header is removed: parameters that it names are not parameters of the statement.
    """
    lines = [line for line in source(name).splitlines() if not line.startswith("--")]
    return sql.SQL(cast("LiteralString", "\n".join(lines)))


@cache
def fragment(name: str) -> sql.SQL:
    """Return `sql/<name>.sql` as a part of another statement: without its header and the final semicolon."""
    return sql.SQL(cast("LiteralString", statement(name).as_string().rstrip().removesuffix(";")))


def trusted(text: str) -> sql.SQL:
    """Return a statement, or a part of one, that this project or PostgreSQL's own parser has written."""
    return sql.SQL(cast("LiteralString", text))


def header(name: str) -> list[str]:
    """Return the lines of a statement's header, without the dashes."""
    return [line.removeprefix("--").strip() for line in takewhile(_is_comment, source(name).splitlines())]


def description(name: str) -> sql.SQL:
    """Return, as comments of a statement with parameters, what a header says but for its parameters and its result."""
    said = takewhile(lambda line: not line.startswith(("in:", "out:")), header(name))
    return trusted("".join(f"-- {line}\n" for line in said).replace("%", "%%"))


def _is_comment(line: str) -> bool:
    return line.startswith("--")


def folders(folder: str) -> list[str]:
    """Return the names of the folders in a folder, in order."""
    return sorted(inner.name for inner in (STATEMENTS / folder).iterdir() if inner.is_dir())


def names(folder: str) -> list[str]:
    """Return the statements in a folder, in the order of their names."""
    return sorted(f"{folder}/{file.stem}" for file in (STATEMENTS / folder).glob("*.sql"))


@cache
def exists(name: str) -> bool:
    """Whether there is a statement with that name."""
    return path(name).is_file()


def source(name: str) -> str:
    """Return the text of `sql/<name>.sql`."""
    return path(name).read_text()


def path(name: str) -> Path:
    """Return the file of a statement."""
    return STATEMENTS / f"{name}.sql"
