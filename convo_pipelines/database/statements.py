"""The SQL files: `sql/` of a checkout, `convo_pipelines/sql` of an installed package.

`engine/refresh/write` is the block of `sql/engine/refresh.sql` that begins with the line `-- name: write`.
Of a table's folder, `steps.sql` has blocks. Statements that are looked for by their names have files of their own, such
as `sql/tables/people_conversations/rows.sql`.
"""

import re
from collections.abc import Mapping
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import LiteralString, NamedTuple, cast

from psycopg import sql

_PACKAGE = Path(__file__).parent.parent
STATEMENTS = next(folder for folder in (_PACKAGE / "sql", _PACKAGE.parent / "sql") if folder.is_dir())
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def statement(name: str) -> sql.SQL:
    """Return a statement; its `{placeholders}` take `psycopg.sql.Identifier`s.

    Its header is removed: parameters that it names are not parameters of the statement.
    """
    lines = [line for line in source(name).splitlines() if not line.startswith("--")]
    return sql.SQL(cast("LiteralString", "\n".join(lines)))


@cache
def fragment(name: str) -> sql.SQL:
    """Return a statement as a part of another: without its header and the final semicolon."""
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
    return _own(name).is_file() or _last(name) in _blocks(_shared(name))


def source(name: str) -> str:
    """Return the text of a statement, with its header."""
    file = path(name)
    return file.read_text() if file == _own(name) else _blocks(file)[_last(name)].text


def path(name: str) -> Path:
    """Return the file of a statement."""
    shared = _shared(name)
    return shared if _last(name) in _blocks(shared) else _own(name)


def line(name: str) -> int:
    """Return the line of its file in which a statement begins."""
    block = _blocks(_shared(name)).get(_last(name))
    return block.line if block else 1


class _Block(NamedTuple):
    line: int
    text: str


@cache
def _blocks(file: Path) -> Mapping[str, _Block]:
    """Return the blocks of a file, by the names of their statements."""
    if not file.is_file():
        return {}
    text = file.read_text()
    begins = [*_NAME.finditer(text)]
    ends = [*(begin.start() for begin in begins[1:]), len(text)]
    return {
        begin[1]: _Block(text.count("\n", 0, begin.start()) + 1, text[begin.end() : end].strip() + "\n")
        for begin, end in zip(begins, ends, strict=True)
    }


def _own(name: str) -> Path:
    return STATEMENTS / f"{name}.sql"


def _shared(name: str) -> Path:
    folder = _own(name).parent
    return folder / "steps.sql" if folder.parent.name == "tables" else folder.with_suffix(".sql")


def _last(name: str) -> str:
    return name.rpartition("/")[2]
