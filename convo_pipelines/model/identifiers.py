"""Canonical forms of e-mail addresses, phone numbers and LinkedIn members, as people and channels write them.

Forms of different kinds are never equal:
`ana@example.com`, `+49301234567`, `urn:li:member:1`, `linkedin.com/in/ana`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from hashlib import sha256
from importlib import metadata
from urllib.parse import quote, unquote

import idna

from convo_pipelines.settings import settings

RULES = 2
"""The version of the rules in this module: raise it when a value gets another form."""
LONGEST_BYTES = 2_000
DOMAINS = 10_000
"""The ASCII forms of so many domains are cached, because most addresses share a few."""
_SPACE = " \t\n\v\f\r"
"""What `\\s` matches in PostgreSQL, of ASCII."""
_DOTS = ".\u3002\uff0e\uff61"
"""What UTS 46 reads as dots."""
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

_SEPARATOR = re.compile(r"[,;\r\n]")
_QUOTED_NAME = re.compile(r'"[^"]*"(?=\s*<)')
_BRACKETED = re.compile(r"<([^<>]*)>")
_WHATSAPP_DOMAINS = {"s.whatsapp.net", "c.us", "lid", "hosted", "hosted.lid", "g.us", "broadcast", "newsletter"}
"""What follows the @ in WhatsApp's ids of numbers, of persons whose number is hidden, and of groups and lists."""
_GMAIL = {"gmail.com", "googlemail.com"}

_MEMBER = re.compile(r"urn:li:(member|person|fs_miniProfile|fsd_profile):([\w-]+)", re.IGNORECASE)
_PROFILE = re.compile(
    r"(?:https?://)?(?:[a-z0-9-]+\.)*linkedin\.com/"
    r"(?:(?:mwlite/)?in/([^/?#\s]+)(?:[/?#]\S*)?|sales/(?:lead|people)/((?-i:ACoAA)[\w-]+)(?:[,/?#]\S*)?)",
    re.IGNORECASE,
)
_ESCAPED = re.compile(r"[%/?#@]|[^\S\x00-\x1f]")
"""What stays escaped in a profile's name, where it would end it, or make it another spelling."""
_PROFILE_ID = re.compile(r"ACoAA[\w-]+")
_SLUG = re.compile(r"(?:/?in/)?(?!\d+/?$)([\w-]{3,100})/?")

_CHANNEL = re.compile(r"^(?:tel|sms|whatsapp):(?://)?\s*", re.IGNORECASE)
_LINK = re.compile(
    r"(?:https?://)?(?:www\.)?(?:wa\.me/|(?:api|web)\.whatsapp\.com/send/?\?(?:\S*&)?phone=)"
    r"(?:\+|%2B)?([1-9][0-9]{5,})(?:[/?&#]\S*)?",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"([1-9][0-9]{5,})(?::[0-9]+)?(@(?:s\.whatsapp\.net|c\.us))?", re.IGNORECASE)
_NUMBER = re.compile(r"(?:\+|[(0-9]{3})[-+0-9 ()./]{3,30}(?:\s*(?:;ext=|ext\.?|x|#)\s*[0-9]{1,7})?", re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]")
_EQUAL_NUMBERS = [
    (re.compile(r"\+521([0-9]{10})"), r"+52\1"),  # Mexico: a mobile number's 1, no longer dialled
    (re.compile(r"\+549([0-9]{10})"), r"+54\1"),  # Argentina: a mobile number's 9, dialled from abroad only
    (re.compile(r"\+55([1-9]{2})([6-9][0-9]{7})"), r"+55\g<1>9\2"),  # Brazil: mobile numbers of before 2016
    (re.compile(r"\+225([04-9][0-3][0-9]{6})"), r"+22501\1"),  # Ivory Coast: mobile numbers of before 2021
    (re.compile(r"\+225([04-9][4-6][0-9]{6})"), r"+22505\1"),
    (re.compile(r"\+225([04-9][7-9][0-9]{6})"), r"+22507\1"),
]
"""Numbers as WhatsApp keeps them, and those in force."""
_NORTH_AMERICAN_DIGITS = 10


def emails(value: str) -> list[str]:
    """Return the addresses, each once, in lower case with ASCII domains; names around them are left out."""
    parts = _SEPARATOR.split(_QUOTED_NAME.sub("", _visible(value)))
    found = (_email(bracketed[1] if (bracketed := _BRACKETED.search(part)) else part) for part in parts)
    return list(dict.fromkeys(filter(None, found)))


def _email(value: str) -> str | None:
    text = value.strip()
    while text[:7].lower() == "mailto:":
        text = _visible(unquote(text[7:].partition("?")[0])).strip()
    local, _, domain = unicodedata.normalize("NFC", text).rpartition("@")
    if not local or re.search(r"[\s@<>,;]", local):
        return None
    try:
        host = _ascii_domain(domain.rstrip(_DOTS))
    except UnicodeError:
        return None
    if host in _WHATSAPP_DOMAINS:
        return None
    local = _lower(local)
    if settings().merge_plus_addresses:
        local = local.partition("+")[0] or local
    if settings().merge_gmail_dots and host in _GMAIL:
        local, host = local.replace(".", "") or local, "gmail.com"
    return f"{local}@{host}"


@lru_cache(DOMAINS)
def _ascii_domain(domain: str) -> str:
    return idna.encode(domain, uts46=True).decode().rstrip(".")  # "y.de." with an ignored character after it


def phone(value: str) -> str | None:
    """Return the number in E.164, with `;ext=` where it has an extension; None if it is not one.

    Digits alone that are a valid number with its country code are that number. Any other number without a country code
    belongs to `PHONE_DEFAULT_REGION`; if that is not set, it is invalid.
    """
    given = _plain(value)
    if complete := _complete(given):
        return complete
    return _e164(_CHANNEL.sub("", given, 1), settings().phone_default_region)


def _guessed_phone(value: str) -> str | None:
    """Return the number that a session id is, of which nobody says that it is one; None if that is not certain."""
    given = _plain(value)
    if complete := _complete(given):
        return complete
    text = _CHANNEL.sub("", given, 1)
    if not _NUMBER.fullmatch(text) or _DIGITS.fullmatch(text) or _DATE.match(given):
        return None
    return _e164(text, settings().phone_default_region, is_certain=text != given or text.startswith("+"))


def _complete(text: str) -> str | None:
    """Return the number that digits with a country code are: alone, or in an id or link of WhatsApp."""
    if link := _LINK.fullmatch(text):
        return _e164(f"+{link[1]}", None)
    if not (found := _DIGITS.fullmatch(_CHANNEL.sub("", text, 1))):
        return None
    digits, is_whatsapp = found[1], found[2] is not None
    if not is_whatsapp and len(digits) == _NORTH_AMERICAN_DIGITS and _is_north_american():
        national = _e164(digits, settings().phone_default_region, is_certain=False)
        if national:
            return national
    return _e164(f"+{digits}", None, is_certain=is_whatsapp)


@cache
def _is_north_american_region(region: str | None) -> bool:
    import phonenumbers  # takes long to import

    return region is not None and phonenumbers.country_code_for_region(region) == 1


def _is_north_american() -> bool:
    """Whether numbers have ten digits at home, without a 0 before: many are foreign numbers of other countries, too."""
    return _is_north_american_region(settings().phone_default_region)


def _e164(text: str, region: str | None, *, is_certain: bool = True) -> str | None:
    """Return the number; None if it cannot be one or, unless it is certain that it is one, if nobody can have it."""
    import phonenumbers  # takes long to import, and most ticks meet no new number

    try:
        number = phonenumbers.parse(text, region)
        e164 = today = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        for former, form in _EQUAL_NUMBERS:
            today = former.sub(form, today) if former.fullmatch(today) else today
        checked = number if today == e164 else phonenumbers.parse(today, None)
    except phonenumbers.NumberParseException:
        return None
    if not (phonenumbers.is_possible_number if is_certain else phonenumbers.is_valid_number)(checked):
        return None
    form = f"{today};ext={number.extension}" if number.extension else today
    # of "+49 00151…", one zero was read
    return _e164(form, None) if number.italian_leading_zero and form != text else form


def _plain(value: str) -> str:
    """Return the text as it is read by eye: visible characters, with the digits and signs of ASCII."""
    if value.isascii():
        return value.strip(_SPACE)
    text = unicodedata.normalize("NFKC", _visible(value)).replace("\u2212", "-")
    return re.sub(r"\d", lambda found: str(unicodedata.decimal(found[0])), text).strip(_SPACE)


def linkedin(value: str) -> str | None:
    """Return the member's URN, or the profile's address without scheme, country and tail; None if it is neither.

    The id or the name of a profile may stand alone.
    """
    text = _visible(value).strip()
    if found := _linkedin(text):
        return found
    return f"linkedin.com/in/{_lower(slug[1])}" if (slug := _SLUG.fullmatch(text)) else None


def _linkedin(value: str) -> str | None:
    if member := _MEMBER.fullmatch(value):
        kind = member[1].lower()
        return f"urn:li:{'fsd_profile' if kind == 'fs_miniprofile' else kind}:{member[2]}"
    if _PROFILE_ID.fullmatch(value):
        return f"urn:li:fsd_profile:{value}"
    if profile := _PROFILE.fullmatch(value):
        name = _visible(unquote(profile[1] or profile[2]))
        if _PROFILE_ID.fullmatch(name):
            return f"urn:li:fsd_profile:{name}"
        return f"linkedin.com/in/{_ESCAPED.sub(lambda found: quote(found[0], safe=''), _lower(name))}" if name else None
    return None


def session(value: str) -> list[str]:
    """Return the identifiers that a session id is, of a crew that does not say what its session ids are.

    The function `analytics.may_be_identifier` has to be true for every session id that has one.
    """
    if number := _guessed_phone(value):
        return [number]
    return emails(value) or _one(_linkedin(_visible(value).strip()))


def _visible(text: str) -> str:
    return text if text.isascii() else _INVISIBLE.sub("", text)


def _lower(text: str) -> str:
    """Return the text in lower case and NFC; some letters are one character with their accent in lower case only."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())


def _one(form: str | None) -> list[str]:
    return [form] if form else []


_FORMS: dict[str, Callable[[str], list[str]]] = {
    "email": emails,
    "phone": lambda value: _one(phone(value)),
    "linkedin": lambda value: _one(linkedin(value)),
    "session": session,
}


def canonical(kind: str, value: str) -> list[str]:
    """Return the canonical forms of a value of kind email, phone, linkedin or session; none if the value is invalid.

    An e-mail field may hold several addresses; any other value has one form. A canonical form is its own. A value whose
    form PostgreSQL cannot store or index, such as the profile `%00`, is invalid, too.
    """
    forms: Iterable[str] = _FORMS[kind](value) if kind in _FORMS else ()
    return [form for form in forms if not _CONTROL.search(form) and len(form.encode()) <= LONGEST_BYTES]


def version() -> str:
    """Return what identifies how values are put into canonical form: the rules, the libraries and the settings."""
    return sha256("\n".join(_makings()).encode()).hexdigest()[:8]


def _makings() -> Iterator[str]:
    yield from (str(RULES), _release("phonenumbers"), _release("idna"), unicodedata.unidata_version)
    of = settings()
    yield from (of.phone_default_region or "", str(of.merge_plus_addresses), str(of.merge_gmail_dots))


@cache
def _release(library: str) -> str:
    return metadata.version(library)
