"""Random spellings of numbers and addresses, as people and channels write them."""

import random
from collections.abc import Iterator

import phonenumbers
from phonenumbers import PhoneNumberFormat as Format

FULL_WIDTH = str.maketrans("+0123456789", "\uff0b\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19")
INVISIBLE = "\ufeff\u200b\u200e\u202a\u2060\u00ad"


def spelled_numbers(times: int, seed: str) -> Iterator[tuple[str, str]]:
    """Valid numbers of all countries in E.164, each with a spelling of it that says its country."""
    rng = random.Random(f"numbers {seed}")
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    found = 0
    while found < times:
        kind = rng.choice([phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE])
        example = phonenumbers.example_number_for_type(rng.choice(regions), kind)
        if example is None:
            continue
        e164 = phonenumbers.format_number(example, Format.E164)
        number = phonenumbers.parse(e164[:-3] + f"{rng.randrange(1000):03}")
        if phonenumbers.is_valid_number(number):
            found += 1
            yield phonenumbers.format_number(number, Format.E164), _spelled(rng, number)


def _spelled(rng: random.Random, number: phonenumbers.PhoneNumber) -> str:
    e164 = phonenumbers.format_number(number, Format.E164)
    international = phonenumbers.format_number(number, Format.INTERNATIONAL)
    digits = e164.removeprefix("+")
    return rng.choice(
        [
            e164,
            international,
            international.replace(" ", rng.choice("\u00a0\u202f\u2007-.")),
            e164.translate(FULL_WIDTH),
            _sprinkled(rng, international),
            f"tel:{e164}",
            f"sms:{international}",
            f"WhatsApp:{e164}",
            f"https://wa.me/{digits}",
            f"https://api.whatsapp.com/send?phone={digits}&text=x",
            f"{digits}@s.whatsapp.net",
            f"{digits}:{rng.randrange(90)}@s.whatsapp.net",
            f"{digits}@c.us",
            digits,
            f" {digits} ",
        ]
    )


def spelled_addresses(times: int, seed: str) -> Iterator[tuple[str, str]]:
    """Addresses in canonical form, each with a spelling of it."""
    rng = random.Random(f"addresses {seed}")
    for _ in range(times):
        local = "".join(rng.choices("abcxyz0123456789._-+'äé", k=rng.randint(1, 12)))
        domain = rng.choice(["example.com", "mail.example", "xn--bcher-kva.example", "a.b.example", "gmail.com"])
        shown = domain.replace("xn--bcher-kva", "Bücher")
        yield (
            f"{local}@{domain}",
            rng.choice(
                [
                    f"{local.upper()}@{shown.upper()}",
                    f'"K, Ana" <{local}@{shown}>',
                    f"Ana K <{local}@{shown}>",
                    f" {local}@{shown}; ",
                    f"mailto:{local}@{shown}?subject=x",
                    _sprinkled(rng, f"{local}@{shown}"),
                ]
            ),
        )


def _sprinkled(rng: random.Random, text: str) -> str:
    """The text with invisible characters anywhere."""
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(text))
        text = text[:at] + rng.choice(INVISIBLE) + text[at:]
    return text
