"""The schema for @rocicorp/zero type-checks against the published package, and follows the catalog."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from convo_pipelines import zero_schema
from convo_pipelines_tests.conftest import ARTIFACTS
from convo_pipelines_tests.world import World

SOURCES = Path(__file__).parent / "zero"


def generated(world: World) -> str:
    with world.warehouse.connection() as connection:
        return zero_schema.generate(connection)


@pytest.fixture(scope="session")
def node_project() -> Path:
    if shutil.which("npm") is None:
        pytest.skip("no Node: apt-get install nodejs npm")
    folder = ARTIFACTS / "zero"
    shutil.copytree(SOURCES, folder, dirs_exist_ok=True)
    command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"]
    installed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if installed.returncode:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"npm install failed: {installed.stderr}")
    return folder


def test_the_schema_and_queries_type_check(world: World, node_project: Path) -> None:
    world.crew("A")
    world.execute('create table app."odd-names" ("a key" int primary key, shapes point, tags text[] not null)')
    (node_project / "schema.ts").write_text(generated(world))
    checked = subprocess.run(["npx", "tsc", "-p", "."], cwd=node_project, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_the_same_catalog_gives_the_same_schema_and_another_gives_another(world: World) -> None:
    before = generated(world)
    assert generated(world) == before
    world.execute(
        "alter table app.people add column title text; create table app.notes (id uuid, conversation_id uuid)"
    )
    assert "title: string().optional()," in generated(world)
    assert "notes" not in generated(world)
    world.execute(
        "alter table app.notes add primary key (id), add foreign key (conversation_id) references app.conversations"
    )
    after = generated(world)
    assert "const notes = table('notes')\n  .from('app.notes')" in after
    assert "  notes: many(\n    {sourceField: ['id'], destField: ['conversation_id'], destSchema: notes},\n" in after
    assert "conversation: one(\n    {sourceField: ['conversation_id'], destField: ['id']" in after


def test_links_are_one_hop_in_both_directions(world: World) -> None:
    text = generated(world)
    for link, near, far, table in (
        ("people_conversations", "person_id", "conversation_id", "conversations"),
        ("people_conversations", "conversation_id", "person_id", "people"),
        ("clients_conversations", "client_id", "conversation_id", "conversations"),
        ("clients_conversations", "conversation_id", "client_id", "clients"),
        ("project_conversations", "project_id", "conversation_id", "conversations"),
    ):
        assert (
            f"  {table}: many(\n    {{sourceField: ['id'], destField: ['{near}'], destSchema: {link}}},\n"
            f"    {{sourceField: ['{far}'], destField: ['id'], destSchema: {table}}},\n"
        ) in text
