"""The definitions of `sql/schema/` that are written once for all sources: what is declared takes their placeholders."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import LiteralString

from psycopg import sql

from convo_pipelines.database.declarations import Log, logs, references, sources
from convo_pipelines.database.statements import source, statement, trusted
from convo_pipelines.database.trees import quoted

OF_ITS_OWN = ("histories", "conversations")
"""Sources that have trigger functions of their own: `histories_log.sql`, `conversations_log.sql`."""
_WRITTEN_AT = ", coalesce(nullif(current_setting('convo_pipelines.written_at', true), '')::timestamptz, now())"
"""When the oldest change was made that a refresh reads; see `triggers_log.sql`."""

_LOOKS_AS_IT_IS = re.compile(
    r"bigint|boolean|bytea|character( varying)?(\(\d+\))?|date|integer|numeric\(.*\)|smallint|text"
    r"|time(stamp)?(\(\d\))?( with(out)? time zone)?|timestamptz|uuid"
)
"""Types whose equal values look alike, unlike 1.0 and 1.00."""


def text(file: str) -> str:
    """Return the text of a file of definitions, with what is declared in place of its placeholders."""
    render = _RENDERED.get(file)
    return render() if render else source(file)


def _declared() -> str:
    declared = [
        (name, of.schema, of.relation, list(of.columns)) for name, of in sources().items() if name != "histories"
    ]
    referring = [
        (table.removeprefix("analytics."), *pair)
        for table, columns in sorted(references().items())
        if table.startswith("analytics.")
        for pair in columns.items()
    ]
    written = [(log.of, log.name, log.function) for log in logs().values() if log.has_triggers or log.is_for_lake]
    names = {"sources": _rows(declared), "references": _rows(referring), "logs": _rows(written)}
    return statement("schema/analytics/declared").format(**names).as_string()


BENEATH = {"beneath": "text", "beneath_values": "text[]"}
"""Further columns of the logs of sources that may be views."""


def log_table(log: Log) -> str:
    """Return the statements that create a log."""
    comment = sql.SQL("comment on column analytics.{}.{} is\n{};")
    columns = {**log.columns, **log.also}
    later = {**log.day, **(BENEATH if log.may_be_beneath else {})}
    comments = [
        comment.format(trusted(log.name), trusted(quoted(column)), sql.Literal(_meaning(log, column)))
        for column in {**columns, **later}
    ]
    typed = sql.SQL("{} {}")
    names = {
        "log": trusted(log.name),
        "xid_index": trusted(f"{log.name}_xid"),
        "columns": _lines(typed.format(trusted(quoted(column)), trusted(of)) for column, of in columns.items()),
        "later": sql.SQL("").join(
            sql.SQL(",\n    ") + typed.format(trusted(quoted(column)), trusted(of)) for column, of in later.items()
        ),
        "comment": sql.Literal(f"Change log of {log.of}: each changed row, as it was and as it is. Internal."),
        "comments": sql.SQL("\n").join(comments),
    }
    return statement("schema/analytics/change_logs").format(**names).as_string()


def _meaning(log: Log, column: str) -> str:
    if column == "snapshot":
        return "Of a crew's conversation that was deleted or updated: what the transaction saw then."
    if column == "xids":
        return (
            "Of a session: the transactions that wrote its new messages; null: it has none. Of a deletion that is "
            "logged again: the transaction that deleted the conversation."
        )
    if column in log.day:
        return f"The {column} of the row; null: see operation, or the lake does not follow the table."
    if column == "beneath":
        return (
            "With operation beneath, rows of a table that a view joins have changed: the function that finds the rows "
            "of the view which they concern."
        )
    if column == "beneath_values":
        return "What that function finds them by: values of each of the changed rows. Personal data."
    return f"The {column} of the row; null: see operation.{' Personal data.' * (column == 'session_id')}"


def trigger_function(log: Log) -> str:
    """Return the statements that create the trigger function which writes a log."""
    return statement("schema/analytics/log_triggers").format(**_of_trigger(log)).as_string()


def _of_trigger(log: Log) -> dict[str, sql.Composable]:
    columns = [trusted(quoted(column)) for column in log.of_row]
    types = [*log.of_row.values()]
    texts = [of == "text" for of in types]
    looks_as_it_is = all(map(_LOOKS_AS_IT_IS.fullmatch, types))
    numbers = range(1, len(columns) + 1)

    def listed(template: LiteralString, *of: Iterable[object], between: LiteralString = ", ") -> sql.Composed:
        parts = [
            sql.SQL(template).format(
                *(part if isinstance(part, sql.Composable) else trusted(str(part)) for part in row)
            )
            for row in zip(*of, strict=True)
        ]
        return sql.SQL(between).join(parts)

    def values(row: LiteralString) -> list[sql.Composable]:
        return [
            sql.SQL('{}::text collate "C"' if is_text else "{}").format(sql.SQL(row) + column)
            for column, is_text in zip(columns, texts, strict=True)
        ]

    return {
        "function": trusted(log.function),
        "log": trusted(log.name),
        "log_name": sql.Literal(f"analytics.{log.name}"),
        "columns": listed("{}", columns),
        "declared": listed("only_{} {};\n    all_{} {}[];", numbers, types, numbers, types, between="\n    "),
        "old_row": listed("all_{} := array[old.{}];", numbers, columns, between=" "),
        "new_row": listed("all_{} := all_{} || new.{};", numbers, numbers, columns, between=" "),
        "values": listed("{} as c{}", values(""), numbers),
        "new_values": listed("{}", values("new_rows.")),
        "is_same": sql.SQL(
            "({}) is not distinct from ({})"
            if looks_as_it_is
            else "row({})::record operator(pg_catalog.*=) row({})::record"
        ).format(listed("{}", values("old_rows.")), listed("{}", values("new_rows."))),
        "distinct": sql.SQL("distinct " if looks_as_it_is else ""),
        "as_shown": sql.SQL("" if looks_as_it_is else ", row({})::text").format(listed("c{}", numbers)),
        "aggregated": listed("array_agg(c{})", numbers),
        "nulls": listed("all_{} := array[null]::{}[];", numbers, types, between=" "),
        "one": listed("only_{}", numbers),
        "all": listed("all_{}", numbers),
        "numbered": listed("c{}", numbers),
        "timed": sql.SQL(", logged_at" if log.is_derived else ""),
        "time": sql.SQL(_WRITTEN_AT if log.is_derived else ""),
    }


def _all_changes() -> str:
    query = sql.SQL(
        "select {source} as source, xid, logged_at, operation, "
        "operation in ('everything', 'truncate') as is_everything from analytics.{log}"
    )
    retry = sql.SQL("case operation when 'retry' then {} else {} end")

    def names(log: Log) -> dict[str, sql.Composable]:
        of = sql.Literal(log.of)
        source = retry.format(sql.Literal(f"{log.of} retry"), of) if log.is_derived else sql.SQL("{}::text").format(of)
        return {"source": source, "log": trusted(log.name)}

    queries = [query.format(**names(log)) for log in logs().values()]
    return statement("schema/analytics/changes").format(changes=sql.SQL("\nunion all\n").join(queries)).as_string()


def _log_tables() -> str:
    return "\n".join(log_table(log) for log in logs().values() if log.of != "histories")


def _changed() -> str:
    views: list[str] = []
    for log in (log for log in logs().values() if log.may_be_beneath):
        columns = [column for column in log.columns if column in sources()[log.of].columns]
        names = {
            "view": trusted(log.changed),
            "log": trusted(log.name),
            "columns": _lines(map(trusted, columns)),
            "found": _lines(trusted(f"found.{column}") for column in columns),
            "types": sql.SQL(", ").join(trusted(f"{column} {log.columns[column]}") for column in columns),
            "comment": sql.Literal(
                f"The rows of {log.of} that changes concern, as they were and as they are. Internal."
            ),
        }
        views.append(statement("schema/analytics/changed").format(**names).as_string())
    return "\n".join(views)


def _trigger_functions() -> str:
    written = (log for log in logs().values() if log.has_triggers or log.is_for_lake)
    return "\n".join(trigger_function(log) for log in written if log.of not in OF_ITS_OWN)


def _conversations_log() -> str:
    log = logs()["conversations"]
    crew = trusted(str([*log.of_row].index("crew_id") + 1))
    return statement("schema/analytics/conversations_log").format(**_of_trigger(log), crew=crew).as_string()


_RENDERED: Mapping[str, Callable[[], str]] = {
    "schema/analytics/change_logs": _log_tables,
    "schema/analytics/changed": _changed,
    "schema/analytics/changes": _all_changes,
    "schema/analytics/conversations_log": _conversations_log,
    "schema/analytics/declared": _declared,
    "schema/analytics/log_triggers": _trigger_functions,
}


def _rows(values: Sequence[Sequence[object]]) -> sql.Composable:
    return _lines(sql.SQL("({})").format(sql.SQL(", ").join(map(_literal, row))) for row in values)


def _lines(parts: Iterable[sql.Composable]) -> sql.Composable:
    return sql.SQL(",\n    ").join(parts)


def _literal(value: object) -> sql.Composable:
    return sql.SQL("{}::text[]" if isinstance(value, list) else "{}").format(sql.Literal(value))
