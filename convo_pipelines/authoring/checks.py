"""The checks that a word in the header of a `rows.sql` declares, as those of dbt: `-- not_null = ["minutes"]`."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from psycopg import sql

from convo_pipelines.authoring.declaration import Declaration
from convo_pipelines.database.execution import identifier
from convo_pipelines.database.statements import header, statement, trusted
from convo_pipelines.database.trees import quoted

_REFERRED = re.compile(r"(\w+\.\w+)\((\w+)\)")


def checks(declared: Declaration, columns: Mapping[str, str]) -> dict[str, str]:
    """Return the text of each check by its name: a statement that returns offenders.

    Raises:
        RowsError: a check is of a column that is not there, or its value is not one of its kind.

    """
    found = dict[str, str]()
    for kind, column, said in _declared(declared):
        if column not in columns:
            raise declared.error(f"{kind}: there is no column {column}: the SELECT returns {', '.join(columns)}")
        names = {
            "column": trusted(quoted(column)),
            "table": trusted(f"analytics.{declared.name}"),
            "key": sql.SQL(", ").join(trusted(quoted(name)) for name in declared.key),
            **_values(declared, kind, column, said),
        }
        text = statement(f"authoring/checks/{kind}").format(**names).as_string().replace("%", "%%").strip()
        meaning = header(f"authoring/checks/{kind}")[0].replace("{column}", column)
        found[f"{kind}_of_{column}"] = f"-- {meaning}\n{text}\n"
    return found


def _declared(declared: Declaration) -> Iterator[tuple[str, str, object]]:
    for column in declared.said.get("not_null", []):
        yield "not_null", column, None
    for kind in ("accepted_values", "range", "recency", "relationship"):
        for column, said in declared.said.get(kind, {}).items():
            yield kind, column, said


def _values(declared: Declaration, kind: str, column: str, said: object) -> dict[str, sql.Composable]:
    values = cast("list[Any]", said) if isinstance(said, list) else []
    match kind:
        case "not_null":
            return {}
        case "accepted_values" if values:
            return {"values": sql.SQL(", ").join(map(sql.Literal, values))}
        case "range" if len(values) == 2:
            return {"least": sql.Literal(values[0]), "most": sql.Literal(values[1])}
        case "recency" if isinstance(said, str):
            return {"age": sql.Literal(said)}
        case "relationship" if isinstance(said, str) and (other := _REFERRED.fullmatch(said)):
            return {"other": identifier(other[1]), "other_column": sql.Identifier(other[2])}
        case _:
            raise declared.error(f"{kind} of {column} is not one: write {EXAMPLES[kind]}")


EXAMPLES = {
    "accepted_values": '`{ state = ["open", "closed"] }`',
    "range": "`{ minutes = [0, 1440] }`",
    "recency": '`{ answered_at = "2 days" }`',
    "relationship": '`{ client_id = "app.clients(id)" }`',
}
