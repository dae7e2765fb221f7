"""Languages as an agent file names them: BCP 47 tags, read in any case, kept as they are written."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from app.session.block import wrong

PATTERN = (
    r"^[A-Za-z]{2,3}(-[A-Za-z]{3}){0,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?"
    r"(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(-[A-WY-Za-wy-z0-9](-[A-Za-z0-9]{2,8})+)*(-[xX](-[A-Za-z0-9]{1,8})+)?$"
)
"""RFC 5646 §2.1, without the grandfathered tags."""
_COUNTRIES_TAKEN_FOR_LANGUAGES = {"jp": "ja", "cn": "zh", "kr-kr": "ko-KR", "dk": "da", "cz": "cs", "gr": "el"}


def checked_language(tag: str) -> str:
    """Return the tag as RFC 5646 §2.1.1 writes it: language small, script with a capital, region in capitals.

    Raises what a validator raises for one that is no tag.
    """
    hyphened = tag.strip().replace("_", "-")
    if meant := _COUNTRIES_TAKEN_FOR_LANGUAGES.get(hyphened.partition("-")[0].lower()):
        raise wrong(f"{tag} begins with a country, not a language; did you mean {meant}?")
    if meant := _COUNTRIES_TAKEN_FOR_LANGUAGES.get(hyphened.lower()):
        raise wrong(f"{tag} begins with a country, not a language; did you mean {meant}?")
    if not re.fullmatch(PATTERN, tag):
        advice = f"did you mean {_as_written(hyphened)}?" if re.fullmatch(PATTERN, hyphened) else "write one like en-US"
        raise wrong(f"{tag!r} is no BCP 47 language tag; {advice}")
    return _as_written(tag)


def primary(tag: str) -> str:
    """Return a tag's language without script, region and the rest: `ko` for `ko-KR`."""
    return tag.partition("-")[0].lower()


def _as_written(tag: str) -> str:
    first, *rest = tag.split("-")
    parts = [first.lower()]
    for part in rest:
        after_singleton = any(len(before) == 1 for before in parts)
        if len(part) == 2 and not after_singleton:
            parts.append(part.upper())
        elif len(part) == 4 and part.isalpha() and not after_singleton:
            parts.append(part.capitalize())
        else:
            parts.append(part.lower())
    return "-".join(parts)


LanguageTag = Annotated[
    str,
    AfterValidator(checked_language),
    Field(examples=["en-US", "ko-KR", "ja-JP"], json_schema_extra={"pattern": PATTERN}),
]
