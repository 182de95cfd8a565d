"""The registry against its statements, its pages and the oracle."""

import re
import tomllib
from collections.abc import Mapping
from itertools import chain
from typing import Any

import pytest

from convo_pipelines.database.declarations import logs, tables
from convo_pipelines.database.statements import exists, line, path, source
from convo_pipelines.engine.registry import (
    OF_KEYS,
    OPTIONAL,
    REQUIRED,
    DeclarationError,
    DerivedTable,
    Grain,
    Registry,
)
from convo_pipelines.model.tables import CREW_CONVERSATIONS, DERIVED_TABLES, HISTORIES_SESSIONS, REGISTRY, TABLES
from convo_pipelines.serving import sessions
from convo_pipelines_tests import oracle
from convo_pipelines_tests.conftest import ROOT

PARTICULAR = ("crew", r"\bclients?\b", r"person(?!al)", r"\bpeople\b", "conversation", "histories")
"""Words of what this application is about."""
each_table = pytest.mark.parametrize("table", DERIVED_TABLES, ids=lambda table: table.name)


@each_table
def test_a_table_has_its_statements(table: DerivedTable) -> None:
    for name in ("rows", "keys"):
        assert table.own(name), f"sql/tables/{table.name}/{name}.sql is missing"
    grain = table.grain
    assert not grain.selected or exists(grain.selected)
    if table is HISTORIES_SESSIONS:
        return  # its crews say what they read, and log what they leave
    assert grain.source or table.own("every")
    assert grain.has_retries
    logged = {row_column for _, row_column in grain.keyed_by} <= set(table.log.columns)
    assert table.own("retried") or logged, f"{table.name}: its log lacks columns of its keys, so retries are lost"


KNOWS_HISTORIES = ("engine/capture", "engine/change_log/collapse", "engine/change_log/renew_token")
"""What of the engine knows that a source may be many tables of one shape."""


def test_the_engine_knows_no_table_and_no_conversation() -> None:
    words = re.compile("|".join([*(table.name for table in DERIVED_TABLES), *PARTICULAR]), re.IGNORECASE)
    modules = {f"engine/{file.stem}": file.read_text() for file in (ROOT / "convo_pipelines/engine").glob("*.py")}
    statements = {name: text for name, text in every_statement().items() if name.startswith("engine/")}
    assert len(modules) > 15
    assert len(statements) > 70
    named = {
        name: sorted(set(words.findall(text)))
        for name, text in [*modules.items(), *statements.items()]
        if not name.startswith(KNOWS_HISTORIES)
    }
    assert {name: found for name, found in named.items() if found} == {}


def test_every_table_is_recomputed_by_the_oracle() -> None:
    assert set(oracle.RECOMPUTED) == {table.name for table in DERIVED_TABLES}


def test_the_engine_is_handed_its_tables() -> None:
    """Another registry has tables of its own, which know each other only."""
    said = {name: of for name, of in tables().items() if name in ("crew_activity_daily", "histories_sessions")}
    registry = Registry(said, logs())
    assert list(registry.tables) == ["histories_sessions", "crew_activity_daily"]
    assert registry.followers(registry.tables["histories_sessions"]) == [registry.tables["crew_activity_daily"]]
    assert len(REGISTRY.followers(TABLES["histories_sessions"])) > 1


@pytest.mark.parametrize(
    ("field", "said"),
    [("lake_dya", "has an unknown field, lake_dya"), ("group", "lacks group")],
)
def test_a_field_that_is_not_known_or_missing_is_named(field: str, said: str) -> None:
    of = dict(tables()["crew_activity_daily"])
    of = {name: value for name, value in of.items() if name != field} if field in of else of | {field: "x"}
    with pytest.raises(DeclarationError, match=f"table.toml of crew_activity_daily {said}"):
        Registry({"crew_activity_daily": of}, logs())


def every_statement() -> dict[str, str]:
    """Return the text of each statement, by its name; also of those that are checks, but not of the schema."""
    found: dict[str, str] = {}
    for file in (ROOT / "sql").rglob("*.sql"):
        name = file.relative_to(ROOT / "sql").with_suffix("").as_posix()
        if name.startswith(("migrations/", "schema/")):
            continue
        first, *parts = re.split(r"^-- name: (\w+)\n", file.read_text(), flags=re.MULTILINE)
        folder = name.removesuffix("/steps") if name.startswith("tables/") else name
        blocks = {f"{folder}/{block}": text for block, text in zip(parts[::2], parts[1::2], strict=True)} or {
            name: first
        }
        assert not (parts and first), f"{file}: nobody reads what stands before the first name"
        assert len(blocks) == max(1, len(parts) // 2), f"{file}: a name that it has twice"
        assert not found.keys() & blocks.keys(), f"{file}: a statement that another file has"
        found |= blocks
    return found


def test_a_field_of_the_keys_that_is_not_known_is_named() -> None:
    of = tables()["crew_activity_daily"]
    of = {**of, "keys": of["keys"] | {"has_day": False}}
    with pytest.raises(DeclarationError, match=r"crew_activity_daily has an unknown field, keys\.has_day$"):
        Registry({"crew_activity_daily": of}, logs())


class Read(dict[str, Any]):
    """A section of a `table.toml` that notes which of its fields are read."""

    def __init__(self, said: Mapping[str, Any]):
        super().__init__(said)
        self.fields = set[str]()

    def __getitem__(self, field: str) -> Any:
        self.fields.add(field)
        return super().__getitem__(field)

    def get(self, field: str, default: Any = None) -> Any:
        self.fields.add(field)
        return super().get(field, default)


def test_the_page_about_table_toml_has_the_fields_that_are_read() -> None:
    page = (ROOT / "docs/reference/tables.md").read_text()
    sections = dict(re.findall(r"^## (\S+)\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE))
    of_table, of_keys = defaults(sections["Fields"]), defaults(sections["`[keys]`"])
    keys = Read(tables()["crew_activity_daily"]["keys"])
    Grain.of(keys)
    assert set(of_keys) == OF_KEYS == keys.fields
    assert set(of_table) == REQUIRED | OPTIONAL
    assert {field for field, default in of_table.items() if default == "required"} == REQUIRED
    example = tables()["client_activity_daily"]
    assert tomllib.loads(re.findall(r"```toml\n(.*?)```", sections["Example"], re.DOTALL)[0]) == example


def defaults(section: str) -> dict[str, str]:
    """The fields of a section, with their defaults."""
    return dict(re.findall(r"^\| `(\w+)` \| [^|]* \| ([^|]*) \|", section, re.MULTILINE))


def test_no_statement_is_left_over() -> None:
    program = "".join(
        file.read_text() for folder in ("convo_pipelines", "benchmarks") for file in (ROOT / folder).rglob("*.py")
    )
    names = {name: name.rpartition("/")[2] for name in every_statement() if "/checks/" not in name}
    assert len(names) > 300
    generic = {"rows", "keys", "propagate", "table"}
    composed = re.compile("_of_(messages|conversations)$|(?<=^clients_by_).*|(?<=^of_).*")
    unused = [name for name, last in names.items() if last not in generic and composed.sub("", last) not in program]
    assert unused == []


def test_every_statement_is_found_by_its_name() -> None:
    for name, text in every_statement().items():
        assert source(name).strip() == text.strip()
        assert path(name).read_text().splitlines()[line(name) - 1] in (
            f"-- name: {name.rpartition('/')[2]}",
            text.splitlines()[0],
        )


def test_temporary_tables_are_named_with_their_schema_wherever_the_search_path_is_not_empty() -> None:
    texts = every_statement()
    made = {name for text in texts.values() for name in re.findall(r"create temporary table (\S+)", text)}
    assert {"pg_temp.diff", "pg_temp.keys"} <= made
    assert all(name.startswith("pg_temp.") for name in made)
    names = "|".join(name.removeprefix("pg_temp.") for name in made)
    unqualified = re.compile(rf"\b(analyze|copy|from|into|join|table|update|using) ({names})\b")
    elsewhere = [name for name, text in texts.items() if "/checks/" in name or "search_path to default" in text]
    assert len(elsewhere) > 10
    assert [name for name in elsewhere if unqualified.search(texts[name])] == []


LEFT_TO_TICKS = {
    "conversation_days",  # days of clients and crews are of many sessions
    "crew_activity_daily",
    "client_activity_daily",
    "project_link_inconsistencies",  # of arrays, which no session names
}


def test_the_webhook_makes_every_table_that_is_not_left_to_ticks_on_purpose() -> None:
    first = {HISTORIES_SESSIONS.name, CREW_CONVERSATIONS.name}
    branches = [[table.name for table in branch] for branch in sessions.BRANCHES]
    made = [*first, *chain(*branches)]
    assert len(made) == len(set(made))
    assert set(made) == {table.name for table in DERIVED_TABLES} - LEFT_TO_TICKS
    names = [table.name for table in DERIVED_TABLES]
    for branch in sessions.BRANCHES:
        assert sorted(branch, key=lambda table: names.index(table.name)) == list(branch)
        for table in branch:
            assert set(table.changes) & set(made) <= {*first, *(other.name for other in branch)}
