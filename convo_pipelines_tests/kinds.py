"""The kinds of tests, one folder each, and what they may cost.

A budget is the seconds that all tests of a kind may take in `make test` on two quiet cores, added up over its four
workers. A run says at its end what each kind took: a report, which never fails a test. A new test that does not fit
makes room first, or is marked `wide`.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath

import pytest

BUDGETS = {"unit": 20, "database": 500, "orchestration": 160, "process": 560, "browser": 170}
"""1,410 s on four workers, which wait for each other, are about 8 minutes."""


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
