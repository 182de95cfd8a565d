"""The SQL files: `sql/` of a checkout, `convo_pipelines/sql` of an installed package.

`engine/refresh/write` is the block of `sql/engine/refresh.sql` that begins with the line `-- name: write`.
Of a table's folder, `steps.sql` has blocks. Statements that are looked for by their names have files of their own, such
as `sql/tables/people_conversations/rows.sql`.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import LiteralString, NamedTuple, cast

from psycopg import sql

from convo_pipelines.errors import ConvoPipelinesError
from convo_pipelines.settings import settings

_PACKAGE = Path(__file__).parent.parent
STATEMENTS = next(folder for folder in (_PACKAGE / "sql", _PACKAGE.parent / "sql") if folder.is_dir())
GENERATED = "generated"
"""The folder, in that of a table of one's own, with what `convo-pipelines table apply` makes of its `rows.sql`."""
FORMAT = 1
"""The version of what is generated. A table of another one is not known until it is applied again."""
_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


class TableFoldersError(ConvoPipelinesError):
    """CONVO_TABLES names a folder that does not exist, or two tables have one name; the message names them."""


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


@cache
def tables() -> Mapping[str, Path]:
    """Return the folder with the statements of each derived table, by its name: those in `sql/tables/`, and one's own.

    Raises:
        TableFoldersError: CONVO_TABLES names a folder that does not exist, or two tables have one name.

    """
    return {**_folders(STATEMENTS / "tables"), **{name: folder / GENERATED for name, folder in own_tables().items()}}


def own_tables() -> Mapping[str, Path]:
    """Return the folders of CONVO_TABLES whose tables are applied, by the names of these; raises as `tables`."""
    return {name: folder for name, folder in own_folders().items() if format_of(folder) == FORMAT}


def format_of(folder: Path) -> int | None:
    """Return the version of what is generated in a folder; None: nothing is."""
    file = folder / GENERATED / "table.toml"
    return tomllib.loads(file.read_text()).get("format", 0) if file.is_file() else None


def own_folders() -> Mapping[str, Path]:
    """Return the folders of CONVO_TABLES that have a `rows.sql`, by their names; raises as `tables`."""
    found = dict[str, Path]()
    of_ours = _folders(STATEMENTS / "tables")
    for parent in map(Path, filter(None, settings().convo_tables.split(":"))):
        if not parent.is_dir():
            raise TableFoldersError(f"CONVO_TABLES names {parent}, which is no folder")
        for name, folder in _folders(parent).items():
            if not (folder / "rows.sql").is_file():
                continue
            if other := found.get(name) or of_ours.get(name):
                raise TableFoldersError(f"{folder} has the name of the table in {other}: rename it")
            found[name] = folder
    return found


def _folders(parent: Path) -> dict[str, Path]:
    return {inner.name: inner for inner in sorted(parent.iterdir()) if inner.is_dir()}


def names(folder: str) -> list[str]:
    """Return the statements in a folder, in the order of their names."""
    generated = _own(f"{folder}/*").parent
    written = Path(*(part for part in generated.parts if part != GENERATED))
    return sorted({f"{folder}/{file.stem}" for parent in (generated, written) for file in parent.glob("*.sql")})


@cache
def exists(name: str) -> bool:
    """Whether there is a statement with that name."""
    return _own(name).is_file() or _last(name) in blocks(_shared(name))


def source(name: str) -> str:
    """Return the text of a statement, with its header."""
    file = path(name)
    return file.read_text() if file == _own(name) else blocks(file)[_last(name)].text


def path(name: str) -> Path:
    """Return the file of a statement."""
    shared = _shared(name)
    return shared if _last(name) in blocks(shared) else _own(name)


def line(name: str) -> int:
    """Return the line of its file in which a statement begins."""
    block = blocks(_shared(name)).get(_last(name))
    return block.line if block else 1


class _Block(NamedTuple):
    line: int
    text: str


@cache
def blocks(file: Path) -> Mapping[str, _Block]:
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
    parts = name.split("/")
    if parts[0] == "tables" and (folder := own_tables().get(parts[1])):
        file = Path(*parts[2:-1], f"{parts[-1]}.sql")
        is_written = parts[2] == "checks" and (folder / file).is_file()
        return folder / file if is_written else folder / GENERATED / file
    return STATEMENTS / f"{name}.sql"


def _shared(name: str) -> Path:
    folder = _own(name).parent
    return folder / "steps.sql" if name.startswith("tables/") else folder.with_suffix(".sql")


def _last(name: str) -> str:
    return name.rpartition("/")[2]
