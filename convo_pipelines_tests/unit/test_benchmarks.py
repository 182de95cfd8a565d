"""The page of benchmarks is made of their own results."""

from benchmarks import results


def test_the_page_is_what_the_results_say() -> None:
    assert results.PAGE.read_text() == results.page(), "run `python -m benchmarks`, or write results.page() to it"
