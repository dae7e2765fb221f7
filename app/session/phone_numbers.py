"""Telephone numbers as an agent file writes them: E.164, in quotes."""

import re
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from app.session.block import wrong

_PATTERN = r"^\+[1-9][0-9]{6,14}$"
"""E.164: a plus sign and at most 15 digits; the shortest subscribers' numbers have seven with their country's code."""


def _is_written(number: object) -> object:
    if isinstance(number, int) and not isinstance(number, bool):
        raise wrong(f'is a number, which loses its plus sign; write it in quotes: "+{abs(number)}"')
    return number


def _is_phone_number(number: str) -> str:
    if not re.fullmatch(_PATTERN, number):
        digits = re.sub(r"[\s().\-/]", "", number)
        digits = "+" + digits[2:] if digits.startswith("00") else digits
        likely = digits if digits.startswith("+") else "+" + digits
        advice = f'write "{likely}"' if re.fullmatch(_PATTERN, likely) else 'write it like "+15550100"'
        raise wrong(f"{number!r} is no E.164 number (a plus sign, country code, 7 to 15 digits in all); {advice}")
    return number


PhoneNumber = Annotated[
    str,
    BeforeValidator(_is_written),
    AfterValidator(_is_phone_number),
    Field(json_schema_extra={"pattern": _PATTERN}, examples=["+15550100"]),
]
