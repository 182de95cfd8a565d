"""What the `rows.sql` of one's own table declares: its header, and its SELECT.

A line `-- key = "conversation_id"` of the header is a declaration, as in TOML. A line `-- minutes: text` is the
comment of a column. All others are the description of the table.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from croniter import croniter
from postgast import PgQueryError, parse
from postgast.pg_query_pb2 import SelectStmt

from convo_pipelines.errors import ConvoPipelinesError

LISTS = {"by", "key", "not_null", "personal"}
"""What may be declared: columns, one or several."""
BY_COLUMN = {"accepted_values", "range", "recency", "relationship"}
"""What may be declared of columns: `{ column = … }`."""
FIELDS = {"cron", "day", "group", "job", "schema", *LISTS, *BY_COLUMN}
"""All that may be declared."""
JOBS = ("link_sync", "conversation_discovery")
"""Whose ticks may refresh a table; the first one does by default."""
NAME = re.compile(r"[a-z_][a-z0-9_]{0,47}")
"""Names of tables: with what is appended to them, they are no longer than PostgreSQL allows."""
OTHER_SCHEMA = re.compile(r"(?!pg_)[a-z_][a-z0-9_]{0,62}")
TAKEN_SCHEMAS = {"analytics", "app", "curation", "information_schema"}
"""Schemas that get no views of tables of one's own."""
LOG = "_changes"
"""What the names of logs end with."""
_DECLARED = re.compile(r"--\s*(\w+)\s*=\s*(.*)")
_COMMENT = re.compile(r"--\s*(\w+):\s+(.*)")


class RowsError(ConvoPipelinesError):
    """A `rows.sql` that cannot be kept exact; the message names the file, the line and the remedy."""


@dataclass(frozen=True)
class Declaration:
    """A table as its `rows.sql` declares it.

    Attributes:
        name: of the table, as that of its folder.
        folder: with `rows.sql`.
        description: what a row is.
        comments: of columns, by their names.
        said: what is declared, by name; `key` is a list.
        query: the SELECT, without the header and the final semicolon.
        first_line: the line in which it begins.
        tree: its parse tree.

    """

    name: str
    folder: Path
    description: str
    comments: Mapping[str, str]
    said: Mapping[str, Any]
    query: str
    first_line: int
    tree: SelectStmt

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that identify a row."""
        return tuple(self.said["key"])

    @property
    def by(self) -> tuple[str, ...]:
        """The columns whose rows are computed together: those of `by`, or the key."""
        return tuple(self.said.get("by", self.key))

    def error(self, message: str, at: int | None = None) -> RowsError:
        """Return an error at a place in the query, which is counted in bytes from its begin; None: of the file."""
        line = "" if at is None else f":{self.first_line + self.query.encode()[:at].count(10)}"
        return RowsError(f"{self.folder / 'rows.sql'}{line}: {message}")


def read(name: str, folder: Path) -> Declaration:
    """Read a `rows.sql`.

    Raises:
        RowsError: its name, its header or its SELECT is not valid.

    """
    file = folder / "rows.sql"
    if not NAME.fullmatch(name) or name.endswith(LOG):
        raise RowsError(
            f"{folder}: {name} cannot be the name of a table: use up to 48 of a-z, 0-9 and _, without {LOG} at the end"
        )
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise RowsError(f"{file} cannot be read: {error}") from None
    length = next(
        (number for number, line in enumerate(lines) if line.strip() and not line.startswith("--")), len(lines)
    )
    said, comments, described = dict[str, Any](), dict[str, str](), list[str]()
    for number, line in enumerate(lines[:length], 1):
        if found := _DECLARED.fullmatch(line):
            said[found[1]] = _value(f"{file}:{number}", found[1], found[2])
        elif found := _COMMENT.fullmatch(line):
            comments[found[1]] = found[2].strip()
        else:
            described.append(line.removeprefix("--").strip())
    if {"job", "cron"} <= said.keys():
        raise RowsError(f"{file}: a table has a job or a cron, not both")
    if "key" not in said:
        raise RowsError(f'{file}: no key is declared: add a line such as `-- key = "conversation_id"`')
    text = "\n".join(lines[length:]).strip()
    tree, query = _select(file, length, text)
    description = " ".join(filter(None, described))
    return Declaration(name, folder, description, comments, said, query, length + 1, tree)


def _value(place: str, name: str, text: str) -> Any:
    if name not in FIELDS:
        raise RowsError(f"{place}: {name} cannot be declared: only {', '.join(sorted(FIELDS))} can")
    try:
        value: object = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        raise RowsError(f'{place}: {text} is no value: write `"text"`, or `["one", "two"]`') from None
    if name in BY_COLUMN:
        if not (isinstance(value, dict) and value):
            raise RowsError(f"{place}: {name} is of columns: write `{{ column = … }}`")
        return cast("dict[str, object]", value)
    if isinstance(value, str) and name not in LISTS:
        if name == "job" and value not in JOBS:
            raise RowsError(f"{place}: there is no job {value}: {' and '.join(JOBS)} are there")
        if name == "schema" and (value in TAKEN_SCHEMAS or not OTHER_SCHEMA.fullmatch(value)):
            raise RowsError(f"{place}: a view of the table cannot be in the schema {value}: name one of your own")
        if name == "cron" and not (croniter.is_valid(value) and len(value.split()) == 5):
            raise RowsError(f"{place}: {value} is not a cron expression of five fields, such as 0 6 * * *")
        return value
    values = cast("list[object]", value) if isinstance(value, list) else [value]
    if not (name in LISTS and values and all(isinstance(one, str) for one in values)):
        raise RowsError(f"{place}: {name} is a text{', or a list of texts' * (name in LISTS)}")
    return [str(one) for one in values]


def _select(file: Path, lines_before: int, query: str) -> tuple[SelectStmt, str]:
    """Return the tree of a SELECT, and its text without what follows it."""
    try:
        statements = parse(query).stmts
    except PgQueryError as error:
        line = lines_before + 1 + query[: max(error.cursorpos - 1, 0)].count("\n")
        raise RowsError(f"{file}:{line}: {error.message}") from None
    if len(statements) != 1 or not statements[0].stmt.HasField("select_stmt"):
        raise RowsError(f"{file}: it has to be one SELECT")
    end = statements[0].stmt_location + statements[0].stmt_len if statements[0].stmt_len else None
    return statements[0].stmt.select_stmt, query.encode()[:end].decode().rstrip()
