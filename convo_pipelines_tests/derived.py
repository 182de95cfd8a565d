"""Writes the `keys.sql` and `window.sql` that follow from `rows.sql`; `make keys` runs it."""

import sys
from pathlib import Path

from convo_pipelines.database.statements import exists, path, source
from convo_pipelines.engine.declared_keys import HEADER, keys_of, window_of
from convo_pipelines.engine.derive import NotDerivedError
from convo_pipelines.engine.registry import DerivedTable
from convo_pipelines.model.tables import DERIVED_TABLES


def is_by_hand(table: DerivedTable) -> bool:
    """Whether the keys of a table are written by hand: their header says why."""
    return exists(keys := f"tables/{table.name}/keys") and not source(keys).startswith(HEADER)


def write() -> list[Path]:
    """Write the files that differ, and return them."""
    texts: dict[Path, str] = {}
    for table in DERIVED_TABLES:
        try:
            if not is_by_hand(table):
                texts[path(f"tables/{table.name}/keys")] = keys_of(table)
            if table.days:
                texts[path(f"tables/{table.name}/window")] = window_of(table)
        except NotDerivedError as error:
            raise NotDerivedError(f"{table.name}: {error}") from None
    changed = [file for file, text in texts.items() if not file.exists() or file.read_text() != text]
    for file in changed:
        file.write_text(texts[file])
    return changed


if __name__ == "__main__":
    try:
        print("\n".join(map(str, write())) or "nothing has changed")
    except NotDerivedError as error:
        sys.exit(str(error))
