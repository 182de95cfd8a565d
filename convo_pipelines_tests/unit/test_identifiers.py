"""Addresses, numbers and profiles as identifiers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convo_pipelines.model import identifiers
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


def escaped(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
SPELLINGS = {
    "email": st.builds(
        "{}@{}{}".format,
        TEXT,
        st.sampled_from(["Example.com.", "BÜCHER.example", "xn--bcher-kva.de"]) | TEXT,
        st.sampled_from(["", ".", "..", "\u3002", "\uff0e.", "\uff61\u200b"]),
    ),
    "phone": st.builds(
        "{}{}{}{}".format,
        st.sampled_from(["+49", "0049", "+1 (212)", "+49 0049", "+55 055", "+39 0"]),
        st.sampled_from(["", "0", "00", "(0)"]),
        st.integers(0) | st.integers(10**7, 10**9),
        TEXT | st.sampled_from(["", "x12", ";ext=0"]),
    ),
    "linkedin": st.builds(
        "https://de.LinkedIn.com/in/{}".format,
        st.lists(TEXT | TEXT.map(escaped) | TEXT.map(escaped).map(escaped), min_size=1).map("".join),
    ),
}


@pytest.mark.parametrize("kind", ["email", "phone", "linkedin", "session"])
@given(data=st.data())
def test_any_text_has_one_form_or_none_and_that_is_its_own(kind: str, data: st.DataObject) -> None:
    form = identifiers.canonical(kind, data.draw(TEXT | SPELLINGS.get(kind, st.one_of(SPELLINGS.values()))))
    assert form is None or identifiers.canonical(kind, form) == identifiers.canonical("session", form) == form


@pytest.mark.parametrize(
    ("value", "identifier"),
    [
        ("https://www.linkedin.com/in/Ana-M%C3%BCller/?trk=x", "linkedin.com/in/ana-müller"),
        ("linkedin.com/in/a%3fb", "linkedin.com/in/a%3Fb"),
        ("linkedin.com/in/a%2fb%2541", "linkedin.com/in/a%2Fb%2541"),
        ("linkedin.com/in/a%20b%40c.example", "linkedin.com/in/a%20b%40c.example"),
        ("linkedin.com/in/a%0Ab", None),
        ("linkedin.com/in/J\u030c", "linkedin.com/in/\u01f0"),
    ],
)
def test_a_profile_keeps_escaped_what_would_end_its_name(value: str, identifier: str | None) -> None:
    assert identifiers.canonical("linkedin", value) == identifier
