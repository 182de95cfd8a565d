"""Canonical forms of e-mail addresses, phone numbers and LinkedIn members.

Forms of different kinds are never equal:
`ana@example.com`, `+49301234567`, `urn:li:member:1`, `linkedin.com/in/ana`.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import quote, unquote

import idna

from convo_pipelines.settings import settings

LONGEST_BYTES = 2_000
DOMAINS = 10_000
"""The ASCII forms of so many domains are cached, because most addresses share a few."""
_DOTS = ".\u3002\uff0e\uff61"
"""What UTS 46 reads as dots."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MEMBER = re.compile(r"urn:li:(member|person|fs_miniProfile|fsd_profile):([\w-]+)", re.IGNORECASE)
_PROFILE = re.compile(
    r"(?:https?://)?(?:[a-z0-9-]+\.)*linkedin\.com/(?:mwlite/)?in/([^/?#\s]+)(?:[/?#]\S*)?", re.IGNORECASE
)
_ESCAPED = re.compile(r"[%/?#@]|[^\S\x00-\x1f]")
"""What stays escaped in a profile's name, where it would end it, or make it another spelling."""
_PROFILE_ID = re.compile(r"ACoAA[\w-]+")
_WHATSAPP = re.compile(r"([1-9][0-9]{5,})(?::[0-9]+)?(?:@(?:s\.whatsapp\.net|c\.us))?")
_CHANNEL = re.compile(r"(?:tel|sms|whatsapp):", re.IGNORECASE)
_NUMBER = re.compile(r"(?:\+|[(0-9]{3})[-+0-9 ()./\u00a0\u2007\u202f]{3,30}(?:;ext=[0-9]+)?")


def email(value: str) -> str | None:
    """Return the address in lower case with an ASCII domain; None if it is not one."""
    local, _, domain = unicodedata.normalize("NFC", value.strip()).rpartition("@")
    if not local or re.search(r"[\s@<>,;]", local):
        return None
    try:
        return f"{_lower(local)}@{_ascii_domain(domain.rstrip(_DOTS))}"
    except UnicodeError:
        return None


@lru_cache(DOMAINS)
def _ascii_domain(domain: str) -> str:
    return idna.encode(domain, uts46=True).decode().rstrip(".")  # "y.de." with an ignored character after it


def phone(value: str) -> str | None:
    """Return the number in E.164, with `;ext=` where it has an extension; None if it is not one.

    A number without a country code belongs to `PHONE_DEFAULT_REGION`; if that is not set, it is invalid.
    """
    import phonenumbers  # takes long to import, and most ticks meet no new number

    try:
        number = phonenumbers.parse(value, settings().phone_default_region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    form = f"{e164};ext={number.extension}" if number.extension else e164
    return phone(form) if number.italian_leading_zero and form != value else form  # of "+49 00151…", one zero was read


def linkedin(value: str) -> str | None:
    """Return the member's URN, or the profile's address without scheme, country and tail; None if it is neither."""
    value = value.strip()
    if member := _MEMBER.fullmatch(value):
        kind = member[1].lower()
        return f"urn:li:{'fsd_profile' if kind == 'fs_miniprofile' else kind}:{member[2]}"
    if profile := _PROFILE.fullmatch(value):
        name = unquote(profile[1])
        if _PROFILE_ID.fullmatch(name):
            return f"urn:li:fsd_profile:{name}"
        return f"linkedin.com/in/{_ESCAPED.sub(lambda found: quote(found[0], safe=''), _lower(name))}"
    return None


def session(value: str) -> str | None:
    """Return the identifier that a session id is, WhatsApp's spellings of a number included; None if it is none.

    The view `analytics.identifier_sources` has to contain every session id for which this is not None.
    """
    value = value.strip()
    given = value[channel.end() :] if (channel := _CHANNEL.match(value)) else value
    if number := _WHATSAPP.fullmatch(given):
        return phone(f"+{number[1]}")
    return email(value) or linkedin(value) or (phone(given) if _NUMBER.fullmatch(given) else None)


def _lower(text: str) -> str:
    """Return the text in lower case and NFC; some letters are one character with their accent in lower case only."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


_FORMS: dict[str, Callable[[str], str | None]] = {
    "email": email,
    "phone": phone,
    "linkedin": linkedin,
    "session": session,
}


def canonical(kind: str, value: str) -> str | None:
    """Return the canonical form of a value of kind email, phone, linkedin or session; None if the value is invalid.

    A canonical form is its own. A value whose form PostgreSQL cannot store or index, such as the profile `%00`, is
    invalid, too.
    """
    form = _FORMS[kind](value) if kind in _FORMS else None
    return form if form and not _CONTROL.search(form) and len(form.encode()) <= LONGEST_BYTES else None
