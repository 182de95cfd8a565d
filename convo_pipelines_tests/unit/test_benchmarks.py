"""The pages of benchmarks and sizes are made of what was measured."""

import pytest

from benchmarks import results, sizing


@pytest.mark.parametrize("template", results.PAGES)
def test_a_page_is_what_the_results_say(template: str) -> None:
    found = results.PAGES[template].read_text()
    assert found == results.filled(template), "run `python -m benchmarks`, or write results.filled() to it"


def test_the_page_of_sizes_is_what_the_results_say() -> None:
    assert sizing.PAGE.read_text() == sizing.page(), "run `python -m benchmarks.sizing`"


def test_every_result_names_its_commit() -> None:
    found = {file.stem: results.read(file.stem) for file in results.RESULTS.glob("*.json")}
    assert [name for name, result in found.items() if not result.get("commit")] == []
