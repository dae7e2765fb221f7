"""What the providers charge, from a dated file that operators keep, deploy/prices.yaml: a row for models of one price.

A model that no row names has no price: what its calls cost is then not known, which is said rather than guessed. The
embedded model runs on our own machine and costs nothing, with and without the file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

import structlog
from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from app.errors import SettingsError
from app.session.block import Block, Location, choice, nearest, wrong, wrong_within
from app.session.cost import FREE, Price, TokenPrice, TokenPrices

log = structlog.get_logger(__name__)

PRICES = Path("deploy/prices.yaml")
"""Where the file lies, seen from the folder that the service is started in."""

_DATED = re.compile(r"-\d{4}-\d{2}-\d{2}$")


def _as_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float):
        shown = "empty" if value is None else repr(value)
        raise wrong(f"is {shown}; write US dollars as a number, such as 0.40")
    return Decimal(str(value))


def _as_names(value: object) -> object:
    if value == ():  # left out
        return value
    names = tuple(value) if isinstance(value, list) else ()
    if not names or not all(isinstance(name, str) and name for name in names):
        raise wrong("is no list of names; write, for example, [gpt-realtime-2.1]")
    return names


def _as_day(value: object) -> object:
    if not isinstance(value, date):
        raise wrong("is no day; write the day on which the source said so, such as 2026-11-20")
    return value


Dollars = Annotated[Decimal, Field(ge=0, le=100_000), BeforeValidator(_as_number)]
Names = Annotated[tuple[str, ...], BeforeValidator(_as_names)]


class TokenBlock(Block):
    """US$ for a million tokens of one kind. A price that is not known is left out."""

    input: Dollars
    cached: Dollars | None = None
    output: Dollars | None = None


class PriceRow(Block):
    """The price of one or several models of a provider: for conversations, or for writing down what the caller says."""

    provider: Annotated[
        Literal["openai", "azure", "tokenlab", "compatible"], choice("openai", "azure", "tokenlab", "compatible")
    ]
    models: Names = ()
    transcription_models: Names = ()
    as_of: Annotated[date, BeforeValidator(_as_day)]
    source: Annotated[str, Field(min_length=1)]
    text: TokenBlock | None = None
    audio: TokenBlock | None = None
    image: TokenBlock | None = None
    per_minute: Dollars | None = None
    """US$ for a minute of the caller's speech; for transcription models that are billed by time."""

    @model_validator(mode="after")
    def _prices_something(self) -> Self:
        if bool(self.models) == bool(self.transcription_models):
            raise wrong("names no models or both kinds; write models, or transcription_models in a row of their own")
        by_token = self.text is not None or self.audio is not None or self.image is not None
        if self.models and self.per_minute is not None:
            raise wrong_within([(("per_minute",), "is for transcription_models; write text and audio")])
        if by_token == (self.per_minute is not None):
            raise wrong("has no price or two; write text and audio, or per_minute for a transcription model")
        return self

    @property
    def tokens(self) -> TokenPrices:
        """The prices by kind of token."""
        return TokenPrices(_token_price(self.text), _token_price(self.audio), _token_price(self.image))


class PriceFile(Block):
    """The whole file."""

    prices: tuple[PriceRow, ...]

    @model_validator(mode="after")
    def _prices_each_once(self) -> Self:
        seen: dict[tuple[str, bool, str], int] = {}
        mistakes: list[tuple[Location, str]] = []
        for number, row in enumerate(self.prices):
            for key, names in (("models", row.models), ("transcription_models", row.transcription_models)):
                for place, name in enumerate(names):
                    first = seen.setdefault((row.provider, key == "models", name), number)
                    if first != number:
                        message = f"{name} has a price in prices[{first}] already; leave one out"
                        mistakes.append((("prices", number, key, place), message))
        if mistakes:
            raise wrong_within(mistakes)
        return self


@dataclass(frozen=True, slots=True)
class PriceList:
    """What is charged by provider and name of the model."""

    models: Mapping[tuple[str, str], PriceRow]
    transcription_models: Mapping[tuple[str, str], PriceRow]

    def price_of(self, provider: str, model: str, transcription_model: str | None) -> Price | None:
        """Return what a model costs, None when no row names it.

        model: also a dated version of one that is named, such as gpt-realtime-2025-08-28; at Azure what the agent file
        calls it, else the deployment. transcription_model: what writes the caller's words down; when no row names it,
        only that is not known.
        """
        if provider == "local":
            return FREE
        row = _row_of(self.models, provider, model)
        if row is None:
            return None
        writer = _row_of(self.transcription_models, provider, transcription_model or "")
        if writer is None:
            return Price(row.tokens)
        if writer.per_minute is not None:
            return Price(row.tokens, transcription_per_minute=writer.per_minute)
        return Price(row.tokens, transcription=writer.tokens)


NO_PRICES = PriceList({}, {})


def read_prices(path: Path = PRICES) -> PriceList:
    """Return what a price file says. Without the file no price is known, which is logged once.

    Raises SettingsError with every mistake in it, each with file, line, column and key.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        log.warning("prices.none", detail=f"there is no {path}: what calls cost is not known")
        return NO_PRICES
    except OSError as error:
        raise SettingsError(f"{path}: {(error.strerror or 'cannot be read').lower()}; make it readable") from error
    try:
        root = YAML(typ="rt", pure=True).load(content)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
        problem = " ".join(str(error.problem or "cannot be read").split())
        raise SettingsError(f"{path}:{place}: is not YAML here: {problem}; check indentation and brackets") from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}:1:1: cannot be read as YAML: {error}; save it as UTF-8 text") from error
    if not isinstance(root, CommentedMap):
        raise SettingsError(f"{path}:1:1: is no block of keys; write prices: and a list of rows")
    try:
        file = PriceFile.model_validate(root)
    except ValidationError as error:
        raise SettingsError("; ".join(_mistakes(path, root, error))) from error
    return PriceList(
        {(row.provider, name): row for row in file.prices for name in row.models},
        {(row.provider, name): row for row in file.prices for name in row.transcription_models},
    )


def _row_of(rows: Mapping[tuple[str, str], PriceRow], provider: str, name: str) -> PriceRow | None:
    return rows.get((provider, name)) or rows.get((provider, _DATED.sub("", name)))


def _token_price(block: TokenBlock | None) -> TokenPrice:
    return TokenPrice() if block is None else TokenPrice(block.input, block.cached, block.output)


# --- what is wrong with a file ----------------------------------------------------------------------------------------


def _mistakes(path: Path, root: CommentedMap, error: ValidationError) -> list[str]:
    found = []
    for details in error.errors(include_url=False):
        location = details["loc"]
        line, column = _place(root, location)
        key = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).removeprefix(".")
        found.append(f"{path}:{line}:{column}: {key or 'file'}: {_message(details)}")
    return found


def _message(details: ErrorDetails) -> str:
    match details["type"]:
        case "extra_forbidden":
            key = str(details["loc"][-1])
            meant = nearest(key, {*PriceFile.model_fields, *PriceRow.model_fields, *TokenBlock.model_fields})
            return "unknown key; " + (f"did you mean {meant}?" if meant else "leave it out")
        case "missing":
            return "is missing; write it"
        case "agent_file":
            return details["msg"]
        case "greater_than_equal":
            return "is negative; write 0 or more"
        case _:
            return f"{details['msg'][:1].lower()}{details['msg'][1:]}; see deploy/prices.yaml for how rows are written"


def _place(root: CommentedMap, location: Location) -> tuple[int, int]:
    """Return line and column, from 1, of a key or an item; of what is missing those of the block around it."""
    node: object = root
    line, column = 0, 0
    for step in location:
        if isinstance(node, CommentedMap) and step in node:
            line, column = node.lc.key(step)
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            line, column = node.lc.item(step)
        else:
            break
        node = node[step]
    return line + 1, column + 1
