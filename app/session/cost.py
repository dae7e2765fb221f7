"""What a call's models have used and cost so far, by their own counts.

A response is billed for its whole context again, kind by kind, and what of it the provider still had at hand (cached)
is part of the input at a price of its own: Σ over the kinds of (in − cached) · input price + cached · cached price,
and the output. What the caller says is written down at a price apart, by tokens or by time.

Where a usage leaves open of which kind a token was, it counts as the dearest that it can have been: a limit on the cost
must hold whatever a provider leaves out.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

_MILLION = Decimal(1_000_000)
_MINUTE_MS = Decimal(60_000)
_KINDS = ("text", "audio", "image")


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """US$ for a million tokens of one kind; None: not known. cached: for input that the provider still had at hand."""

    input: Decimal | None = None
    cached: Decimal | None = None
    output: Decimal | None = None


_NOT_KNOWN = TokenPrice()


@dataclass(frozen=True, slots=True)
class TokenPrices:
    """The prices of one model by kind of token."""

    text: TokenPrice = _NOT_KNOWN
    audio: TokenPrice = _NOT_KNOWN
    image: TokenPrice = _NOT_KNOWN


@dataclass(frozen=True, slots=True)
class Price:
    """What a model costs. Writing the caller's words down costs by tokens, or by time: per_minute, US$."""

    tokens: TokenPrices
    transcription: TokenPrices | None = None
    transcription_per_minute: Decimal | None = None


_NOTHING = Decimal(0)
_NO_PRICES = TokenPrices()
_NO_CHARGE = TokenPrice(_NOTHING, _NOTHING, _NOTHING)
_NO_CHARGES = TokenPrices(_NO_CHARGE, _NO_CHARGE, _NO_CHARGE)
FREE = Price(_NO_CHARGES, _NO_CHARGES, _NOTHING)
"""Of a model that runs on our own machine."""


class UsageSum:
    """Adds up a call's usage by dotted name; what writing the caller's words down used stands under `transcription`."""

    __slots__ = ("_counts",)

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> dict[str, int]:
        """The sums so far, in the order of their names."""
        return dict(sorted(self._counts.items()))

    def add(self, usage: Mapping[str, int]) -> None:
        """Add a response."""
        self._counts.update(usage)

    def add_transcription(self, usage: Mapping[str, int]) -> None:
        """Add the writing down of a turn."""
        self._counts.update({f"transcription.{name}": count for name, count in usage.items()})


class CostMeter:
    """Adds up what a call has used. prices: of the call's models, in the order of their choices; None: not known.

    usage, in both charges: whole numbers by dotted name, as `ResponseEnded` and `TranscriptionBilled` bring them.
    """

    __slots__ = ("_prices", "_spent")

    def __init__(self, prices: Sequence[Price | None]) -> None:
        self._prices = tuple(prices)
        self._spent: Decimal | None = _NOTHING

    @property
    def usd(self) -> float | None:
        """What was spent so far, in US$; None from the first thing on whose price is not known."""
        return None if self._spent is None else float(round(self._spent, 9))

    def charge(self, choice: int, usage: Mapping[str, int]) -> None:
        """Add a response, however it ended. One that used nothing costs nothing, whatever the price."""
        price = self._prices[choice]
        self._add(_token_cost(usage, _NO_PRICES if price is None else price.tokens))

    def charge_transcription(self, choice: int, usage: Mapping[str, int]) -> None:
        """Add what writing down a turn of the caller used: tokens, or `duration_ms`."""
        price = self._prices[choice]
        by_token = price.transcription if price is not None else None
        per_minute = price.transcription_per_minute if price is not None else None
        duration_ms = _count(usage, "duration_ms")
        if duration_ms:
            self._add(None if per_minute is None else per_minute * duration_ms / _MINUTE_MS)
        else:
            self._add(_token_cost(usage, _NO_PRICES if by_token is None else by_token))

    def _add(self, cost: Decimal | None) -> None:
        self._spent = None if cost is None or self._spent is None else self._spent + cost


@dataclass(frozen=True, slots=True)
class _Share:
    """So many tokens, and what a million of them can cost; None: not known."""

    tokens: int
    prices: tuple[Decimal | None, ...]

    @property
    def cost(self) -> Decimal | None:
        if self.tokens == 0:
            return _NOTHING
        known = [price for price in self.prices if price is not None]
        return self.tokens * max(known) / _MILLION if known else None


def _token_cost(usage: Mapping[str, int], prices: TokenPrices) -> Decimal | None:
    """Return the US$ for a usage; None when it holds tokens whose price is not known."""
    by_kind = {"text": prices.text, "audio": prices.audio, "image": prices.image}
    shares = [*_input_shares(usage, by_kind), *_output_shares(usage, by_kind)]
    if not any(share.tokens for share in shares):  # perhaps nothing but the total was told
        either = [price for kind in by_kind.values() for price in (kind.input, kind.output)]
        shares.append(_Share(_count(usage, "total_tokens"), tuple(either)))
    return _sum(share.cost for share in shares)


def _input_shares(usage: Mapping[str, int], prices: Mapping[str, TokenPrice]) -> list[_Share]:
    counts = {kind: _count(usage, f"input_token_details.{kind}_tokens") for kind in _KINDS}
    cached = {
        kind: min(counts[kind], _count(usage, f"input_token_details.cached_tokens_details.{kind}_tokens"))
        for kind in _KINDS
    }
    unnamed = _count(usage, "input_tokens") - sum(counts.values())
    cached_unnamed = _count(usage, "input_token_details.cached_tokens") - sum(cached.values())
    # cached, but of which kind is not said: those count for which being cached saves the least
    for kind in sorted(_KINDS, key=lambda kind: _saving(prices[kind])):
        more = max(0, min(counts[kind] - cached[kind], cached_unnamed))
        cached[kind] += more
        cached_unnamed -= more
    cached_unnamed = max(0, min(cached_unnamed, unnamed))
    shares = [_Share(counts[kind] - cached[kind], (prices[kind].input,)) for kind in _KINDS]
    shares += [_Share(cached[kind], (prices[kind].cached,)) for kind in _KINDS]
    shares.append(_Share(max(0, unnamed - cached_unnamed), tuple(prices[kind].input for kind in _KINDS)))
    shares.append(_Share(cached_unnamed, tuple(prices[kind].cached for kind in _KINDS)))
    return shares


def _output_shares(usage: Mapping[str, int], prices: Mapping[str, TokenPrice]) -> list[_Share]:
    """Reasoning is text that nobody hears: among the text tokens, or else what the total has beyond them."""
    text = _count(usage, "output_token_details.text_tokens")
    audio = _count(usage, "output_token_details.audio_tokens")
    unnamed = max(0, _count(usage, "output_tokens") - text - audio)
    reasoning = min(unnamed, _count(usage, "output_token_details.reasoning_tokens"))
    return [
        _Share(text + reasoning, (prices["text"].output,)),
        _Share(audio, (prices["audio"].output,)),
        _Share(unnamed - reasoning, (prices["text"].output, prices["audio"].output)),
    ]


def _saving(price: TokenPrice) -> Decimal:
    """What a token that is cached saves; where that is not known, more than any other."""
    if price.input is None or price.cached is None:
        return Decimal("Infinity")
    return price.input - price.cached


def _count(usage: Mapping[str, int], name: str) -> int:
    return max(0, usage.get(name, 0))


def _sum(costs: Iterable[Decimal | None]) -> Decimal | None:
    total = _NOTHING
    for cost in costs:
        if cost is None:
            return None
        total += cost
    return total
