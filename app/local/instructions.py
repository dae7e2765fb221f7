"""What an agent's instructions say that rules can use: whose telephone it is, what to say first, facts for callers."""

import re
from collections.abc import Collection, Mapping

from app.local.words import words_of

_MOST_READ = 20_000  # characters of instructions in which a name is looked for
# A name has a few words of a few letters. Bounds keep the work in proportion to the text, whatever the text: without
# them an unbroken token of some kilobytes (a picture in base64) costs the square of its length.
_WORD = r"[A-Z0-9][\w&'’-]{0,40}(?:\.\w{1,20}){0,3}"
_GAP = r"\s{1,20}"
_NAME = rf"(?<![\w&'’-])({_WORD}(?:{_GAP}(?:(?:of|and|&){_GAP})?{_WORD}){{0,6}})"
_KANA, _OTHERS = "ぁ-ゖ", "A-Za-z0-9一-鿿ァ-ヶー"
_DESK = r"の(?:お?電話|受付|コールセンター|窓口|案内|サポート)"
_BUSINESS = (
    rf"(?:telephones?|phones?|calls?|lines?|desk|hotline|assistant|agent|receptionist|support|service|concierge){_GAP}"
    rf"(?:for|of|at|with){_GAP}(?:the{_GAP})?(?:company{_GAP}|shop{_GAP}|store{_GAP})?{_NAME}",
    rf"(?:on behalf of|work(?:ing)? (?:for|at)|represent(?:ing)?|employed by|calling|company called|shop called){_GAP}"
    rf"(?:the{_GAP})?{_NAME}",
    rf"{_NAME}['’]s?{_GAP}(?:\w{{1,40}}{_GAP}){{0,2}}"
    r"(?:telephones?|phones?|assistant|agent|receptionist|order desk|hotline|line)\b",
    r"([\w가-힣]{1,40}?)(?:의|에서|에)?\s{0,20}(?:고객\s?센터|상담|전화|콜센터|안내)",
    # kana stand in names and in all that is no name: only behind "you are", or before a sign of another script
    rf"(?:あなた|わたし|私|こちら|ここ)(?:は|が)、?([{_KANA}{_OTHERS}]{{1,40}}?){_DESK}",
    rf"(?:^|[\s。、「])([{_KANA}]{{1,20}}[{_OTHERS}]{{1,40}}){_DESK}",
    rf"([{_OTHERS}]{{1,40}}){_DESK}",
)
_NO_NAMES = {"You", "The", "A", "An", "Your", "Our", "This", "AI", "I", "고객", "자동", "인공지능", "전화"}
_NO_NAMES |= {"お客様", "客様", "お客", "ご自宅", "お店", "当社", "弊社", "当店"}
_OPENING = r"(?:greet|begin|start|open|answer|first)\b[^.\n\"“]{0,80}?[\"“]([^\"”\n]{4,300})[\"”]"
_CUE = r"(?:\bsay|\btell\b[^\"“]{0,40}|\bgreet\b[^\"“]{0,40}|\bspeak|\bread)\b[^\"“\n]{0,40}[\"“]([^\"”\n]{2,400})[\"”]"
_TELLS_THE_AGENT = re.compile(
    r"^(?:you|your|never|always|do|don't|be|if|when|only|ask|say|tell|keep|use|speak|answer|greet|please|make|call|let|"
    r"offer|confirm|begin|start|end|remember|avoid|help|stay|respond|reply|for each|once|before|after|first|then|look|"
    r"act|treat|give|provide|follow|try|refer|transfer|read|wait|repeat|collect|listen|assume|explain)\b",
    re.IGNORECASE,
)

TOPICS: Mapping[str, frozenset[str]] = {
    # what callers ask of any business → the words by which a sentence of the instructions tells it
    "opening hours": frozenset(["open", "opening", "hours", "closed", "close", "closes", "opens"]),
    "address": frozenset(["address", "located", "location", "street", "avenue"]),
    "returns": frozenset(["return", "returns", "refund", "refunds"]),
    "delivery": frozenset(["delivery", "shipping", "deliver", "delivers", "ship", "ships", "delivered"]),
    "payment": frozenset(["payment", "pay", "accept", "cards", "credit", "cash"]),
    "parking": frozenset(["parking", "park"]),
    "website": frozenset(["website", "online", "web"]),
    "telephone number": frozenset(["telephone", "phone", "fax"]),
    "warranty": frozenset(["warranty", "guarantee"]),
}


def business_in(instructions: str) -> str | None:
    """Return the name of the business whose telephone is answered, or None where the instructions do not say."""
    for pattern in _BUSINESS:
        for match in re.finditer(pattern, instructions[:_MOST_READ]):
            name = re.sub(r"[.,'’]+$", "", match[1]).removesuffix("'s").removesuffix("’s").strip()
            first = name.split()[0] if name else ""
            if name and first not in _NO_NAMES:
                return name
    return None


def opening_in(instructions: str) -> str | None:
    """Return the sentence that the instructions want said first, word for word, or None."""
    match = re.search(_OPENING, instructions, re.IGNORECASE)
    return match[1].strip() if match else None


def wording_in(cue: str) -> str | None:
    """Return the words that a cue wants said ("Say: “One moment.”"), or None."""
    match = re.search(_CUE, cue, re.IGNORECASE)
    return match[1].strip() if match else None


def facts_in(instructions: str, nouns: Collection[str] = ()) -> dict[str, str]:
    """Return what the instructions tell about the business, by topic: sentences that may be read out as they are.

    nouns: what the tools are about; on these a tool knows better.
    """
    known = {word for noun in nouns for word in noun.split()}
    facts: dict[str, str] = {}
    for sentence in re.split(r"(?<=[.!?])\s+|\n+", instructions):
        plain = re.sub(r"^[\s*#>-]+", "", sentence).strip()
        words = set(words_of(plain))
        if len(words) < 3 or _TELLS_THE_AGENT.match(plain) or words & {"caller", "callers", "tool", "you", "customer"}:
            continue
        subject = {*list(words_of(plain))[:2]}
        for topic, telling in TOPICS.items():
            if not known & set(topic.split()) and words & telling and subject & (telling | {"we", "our"}):
                facts.setdefault(topic, plain if plain[-1] in ".!?" else plain + ".")
    return facts
