"""Names and changes in the activity report."""

import re

import pytest

from convo_pipelines.serving import report


@pytest.mark.parametrize(
    ("week", "before", "change"),
    [(3, 3, "unchanged"), (3, 0, "▲ from none"), (15, 10, "▲ 50%"), (0, 10, "▼ 100%"), (9_955, 10_000, "▼ 0%")],
)
def test_a_change_is_an_arrow_and_per_cent(week: int, before: int, change: str) -> None:
    assert report.Tile("messages", 0, week, before).change == change


def test_files_of_clients_are_told_apart_and_stay_where_they_belong() -> None:
    codes = ["C1", "c1", "a/b", "a_b", "a b", "../x", "", ".", "é", "x" * 60, "x" * 61, "x" * 300, "👩‍💻"]
    names = [report.file_name(code) for code in codes]
    assert len({name.lower() for name in names}) == len(codes) - 1
    assert names[0] == "activity-C1.html"
    assert all(re.fullmatch(r"activity-[\w-]{0,80}\.html", name, re.ASCII) for name in names)
    assert report.file_name(None) == "activity.html"
