"""Addresses, numbers and profiles as identifiers."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convo_pipelines.model import identifiers
from convo_pipelines.settings import settings
from convo_pipelines_tests.spellings import spelled_addresses, spelled_numbers


@pytest.fixture
def setting(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def change(**values: object) -> None:
        monkeypatch.setattr(identifiers, "settings", lambda: settings().model_copy(update=values))

    return change


@pytest.mark.parametrize(
    ("value", "identifier"),
    [
        ("030 1234567", "+49301234567"),
        ("0049 30 1234567", "+49301234567"),
        ("+1 212 555 0123", "+12125550123"),
        ("+49 30 1234567 ext. 5", "+49301234567;ext=5"),
    ],
)
def test_phone_numbers_belong_to_the_default_region(setting: Callable[..., None], value: str, identifier: str) -> None:
    setting(phone_default_region="DE")
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
    for form in identifiers.canonical(kind, data.draw(TEXT | SPELLINGS.get(kind, st.one_of(SPELLINGS.values())))):
        assert identifiers.canonical(kind, form) == identifiers.canonical("session", form) == [form]


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
    assert identifiers.canonical("linkedin", value) == ([identifier] if identifier else [])


AS_WRITTEN = [
    ("session", "whatsapp:+4915112345678", ["+4915112345678"]),
    ("session", "WhatsApp: 4915112345678", ["+4915112345678"]),
    ("session", "https://wa.me/4915112345678?text=hello", ["+4915112345678"]),
    ("session", "5215512345678", ["+525512345678"]),
    ("phone", "+52 1 55 1234 5678", ["+525512345678"]),
    ("session", "5215512345678@s.whatsapp.net", ["+525512345678"]),
    ("session", "553188888888@c.us", ["+5531988888888"]),
    ("phone", "+55 31 8888-8888", ["+5531988888888"]),
    ("phone", "+55 31 3333-4444", ["+553133334444"]),  # not a mobile number
    ("session", "5491123456789", ["+541123456789"]),
    ("phone", "+54 9 11 2345-6789", ["+541123456789"]),
    ("phone", "+54 11 2345-6789", ["+541123456789"]),
    ("session", "22507123456", ["+2250707123456"]),
    ("phone", "+225 44 12 34 56", ["+2250544123456"]),
    ("phone", "+225 01 02 03 04 05", ["+2250102030405"]),
    ("phone", "4915112345678@s.whatsapp.net", ["+4915112345678"]),
    ("phone", "4915112345678", ["+4915112345678"]),
    ("phone", "4915112345678:12@s.whatsapp.net", ["+4915112345678"]),
    ("session", "154417159582282@lid", []),
    ("session", "120363041234567890@g.us", []),
    ("session", "status@broadcast", []),
    ("email", "120363041234567890@newsletter", []),
    ("email", "4915112345678@c.us", []),
    ("session", "6512345678", []),
    ("session", "1234567890", []),
    ("session", "2026-03-13-9507", []),
    ("email", "\ufeffana@example.com", ["ana@example.com"]),
    ("email", "ana@exam\u200bple.com", ["ana@example.com"]),
    ("email", "\u202aana@example.com\u202c", ["ana@example.com"]),
    ("email", "an\u00ada@example.com", ["ana@example.com"]),
    ("session", "\u2066ana@example.com\u2069", ["ana@example.com"]),
    ("email", '"Ana K" <Ana@x.example>', ["ana@x.example"]),
    ("email", '"K, Ana; Dr." <ana@x.example>', ["ana@x.example"]),
    ("email", "<ana@x.example>", ["ana@x.example"]),
    ("email", "ana@x.example, Ben <ben@x.example>; ANA@x.example", ["ana@x.example", "ben@x.example"]),
    ("session", "ana@x.example;ben@x.example", ["ana@x.example", "ben@x.example"]),
    ("email", "mailto:ana@x.example?subject=Hello", ["ana@x.example"]),
    ("email", "MAILTO:ana%2Bshop@x.example", ["ana+shop@x.example"]),
    ("email", "undisclosed-recipients:;", []),
    ("phone", "+49 30 1234567 ext. 5", ["+49301234567;ext=5"]),
    ("session", "+49 30 1234567 x5", ["+49301234567;ext=5"]),
    ("phone", "\uff0b\uff14\uff19\u00a030\u202f1234567", ["+49301234567"]),
    ("session", "\u202a+49\u00a030 1234567\u202c", ["+49301234567"]),
    ("phone", "+\u0664\u0669301234567", ["+49301234567"]),
    ("linkedin", "ACoAAB1_x-y", ["urn:li:fsd_profile:ACoAAB1_x-y"]),
    ("session", "ACoAAB1_x-y", ["urn:li:fsd_profile:ACoAAB1_x-y"]),
    ("linkedin", "ana-k", ["linkedin.com/in/ana-k"]),
    ("linkedin", "/in/Ana-K/", ["linkedin.com/in/ana-k"]),
    ("linkedin", "https://www.linkedin.com/sales/lead/ACoAAB1,NAME_SEARCH,x1", ["urn:li:fsd_profile:ACoAAB1"]),
    ("linkedin", "https://www.linkedin.com/sales/lead/ACwAAB1,NAME_SEARCH,x1", []),  # another id
    ("linkedin", "12345", []),
    ("session", "ana-k", []),  # any word
]


@pytest.mark.parametrize(("kind", "value", "forms"), AS_WRITTEN)
@pytest.mark.parametrize("region", [None, "DE", "US"])
def test_values_are_read_as_people_and_channels_write_them(
    setting: Callable[..., None], region: str | None, kind: str, value: str, forms: list[str]
) -> None:
    setting(phone_default_region=region)
    is_american = region == "US" and value in ("6512345678",)  # ten digits are a number at home
    assert identifiers.canonical(kind, value) == (["+16512345678"] if is_american else forms)


def test_addresses_are_merged_if_asked(setting: Callable[..., None]) -> None:
    given = ["ana.k+shop@Gmail.com", "anak@googlemail.com", "ana.k+a@x.example", "+@gmail.com", ".@gmail.com"]
    assert [*map(identifiers.emails, given)] == [[value.lower()] for value in given]
    setting(merge_plus_addresses=True)
    assert [*map(identifiers.emails, given)] == [
        ["ana.k@gmail.com"], ["anak@googlemail.com"], ["ana.k@x.example"], ["+@gmail.com"], [".@gmail.com"]
    ]  # fmt: skip
    setting(merge_plus_addresses=True, merge_gmail_dots=True)
    assert [*map(identifiers.emails, given)] == [
        ["anak@gmail.com"], ["anak@gmail.com"], ["ana.k@x.example"], ["+@gmail.com"], [".@gmail.com"]
    ]  # fmt: skip


@pytest.mark.parametrize("region", [None, "DE", "US", "IN", "BR"])
def test_random_spellings_have_the_form_of_what_they_spell(setting: Callable[..., None], region: str | None) -> None:
    setting(phone_default_region=region)
    for number, spelled in spelled_numbers(2_000, seed=region or ""):
        [form] = identifiers.canonical("phone", number)
        of_ten_digits = spelled.strip().isdigit() and len(spelled.strip()) == identifiers._NORTH_AMERICAN_DIGITS
        if region != "US" or not of_ten_digits:
            assert identifiers.canonical("phone", spelled) == [form], spelled
        assert identifiers.canonical("session", spelled) == identifiers.canonical("phone", spelled), spelled
        assert identifiers.canonical("phone", form) == identifiers.canonical("session", form) == [form]
    for address, spelled in spelled_addresses(2_000, seed=region or ""):
        assert identifiers.canonical("email", spelled) == identifiers.canonical("session", spelled) == [address]
        assert identifiers.canonical("email", address) == [address]
