"""The kinds of tests, one folder each, and what they may cost.

A budget is the seconds that all tests of a kind may take in `make test` on two slow cores, added up over its four
workers. A run says at its end what each kind took: a report, which never fails a test. A new test that does not fit
makes room first, or is marked `wide`.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath

import pytest

BUDGETS = {"unit": 80, "database": 1700, "orchestration": 520, "process": 750, "browser": 130}
"""3,180 s on four workers are about 14 minutes of two slow cores (2.4 GHz), and half of that of faster ones."""


def kind_of(path: PurePath) -> str | None:
    """The kind of a test by the folder that it is in."""
    return next((part for part in reversed(path.parent.parts) if part in BUDGETS), None)


def report(reports: Iterable[pytest.TestReport]) -> list[str]:
    """A table of the kinds: how many tests, how many seconds, how many they may take."""
    tests, seconds = Counter[str](), Counter[str]()
    for one in reports:
        if kind := kind_of(PurePath(one.nodeid.split("::")[0])):
            tests[kind] += one.when == "call"
            seconds[kind] += one.duration
    return [f"{'kind':<14}{'tests':>6}{'seconds':>9}{'budget':>8}"] + [
        f"{kind:<14}{tests[kind]:>6}{seconds[kind]:>9.0f}{budget:>8}{'  over' if seconds[kind] > budget else ''}"
        for kind, budget in BUDGETS.items()
        if tests[kind]
    ]
