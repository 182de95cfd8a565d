"""Addresses, numbers and profiles as identifiers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convo_pipelines.engine import identifiers
from convo_pipelines.settings import settings


@pytest.mark.parametrize(
    ("value", "identifier"),
    [
        ("030 1234567", "+49301234567"),
        ("0049 30 1234567", "+49301234567"),
        ("+1 212 555 0123", "+12125550123"),
        ("+49 30 1234567 ext. 5", "+49301234567;ext=5"),
    ],
)
def test_phone_numbers_belong_to_the_default_region(
    monkeypatch: pytest.MonkeyPatch, value: str, identifier: str
) -> None:
    monkeypatch.setattr(identifiers, "settings", lambda: settings().model_copy(update={"phone_default_region": "DE"}))
    assert identifiers.phone(value) == identifier


def test_without_a_default_region_a_number_needs_its_country() -> None:
    assert identifiers.phone("030 1234567") is None


@given(kind=st.sampled_from(["email", "phone", "linkedin", "session"]), value=st.text(max_size=40))
def test_any_text_has_one_form_or_none_and_that_is_its_own(kind: str, value: str) -> None:
    form = identifiers.canonical(kind, value)
    assert form is None or identifiers.session(form) == form
