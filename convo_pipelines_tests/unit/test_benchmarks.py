"""The page of benchmarks is made of their own results."""

import json

from benchmarks import results


def test_the_page_is_what_the_results_say() -> None:
    assert results.PAGE.read_text() == results.page(), "run `python -m benchmarks`, or write results.page() to it"


def test_every_result_names_its_commit() -> None:
    found = {file.stem: json.loads(file.read_text()) for file in results.RESULTS.glob("*.json")}
    assert [name for name, result in found.items() if not result.get("commit")] == []
