"""The pages of benchmarks and sizes are made of what was measured."""

from benchmarks import results, sizing


def test_the_page_is_what_the_results_say() -> None:
    assert results.PAGE.read_text() == results.page(), "run `python -m benchmarks`, or write results.page() to it"


def test_the_page_of_sizes_is_what_the_results_say() -> None:
    assert sizing.PAGE.read_text() == sizing.page(), "run `python -m benchmarks.sizing`"


def test_every_result_names_its_commit() -> None:
    found = {file.stem: results.read(file.stem) for file in results.RESULTS.glob("*.json")}
    assert [name for name, result in found.items() if not result.get("commit")] == []
