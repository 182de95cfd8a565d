"""`python -m benchmarks.peers.own_tables`: the five examples of tables of one's own, kept by us and by others.

docs/explanation/tables-elsewhere.md is made of what it finds.
"""

import importlib.metadata
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import psycopg
from psycopg import sql

from benchmarks.freshness import running
from benchmarks.measure import FOLDER, console, fresh_database, median_seconds, variables
from benchmarks.own_tables import RATE, asked
from benchmarks.peers import selects
from benchmarks.peers.__main__ import versions
from benchmarks.peers.live import OWN, Connection, caught_up, copy_tables, deltaflow, pg_ivm
from benchmarks.peers.tools import DBT_RUN, OUR_TICK, PSQL, SQLMESH_PLAN, SQLMESH_RUN, Runner, Tool, connect
from benchmarks.results import save, table
from convo_pipelines.authoring.declaration import Declared, read
from convo_pipelines_tests.processes import FOLLOW

EXAMPLES = FOLDER.parent / "examples"
"""Of the number of conversations, half as many sessions, and 15 persons for a hundred of them."""
