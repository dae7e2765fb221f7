"""Does the agent claim to be human? Its own words, read as they come, in English, Korean and Japanese.

An instruction forbids the model to say so; this is the second lock behind it. A claim is found by what is said of the
speaker ("I am a real person", "I'm not a robot"), never by the mere word: "I can get you a real person" is none. What
is denied, asked, supposed or quoted is none either.

Words arrive in pieces, and "I am a human" can still become "I am a human-made program". So a claim counts once what
follows it is there: a mark, or the whole next word. Whoever knows that nothing follows says that the text is whole.
"""

import re
import unicodedata

from app.session.english_claims import is_claimed_in_english
from app.session.japanese_claims import is_claimed_in_japanese
from app.session.korean_claims import is_claimed_in_korean

_TAIL = 1000
"""Characters, about a minute of speech: what lies further back was read when it came."""
_SIGNS = (
    "human", "person", "people", "robot", "bot", "machine", "computer", "android", "program", "software",
    "algorithm", "automat", "virtual", "digital", "artificial", "model", "woman", "guy", "lady", "mother",
    "father", "mom", "mum", "dad", "real", "live", "flesh", "alive", "heartbeat", "pulse", "born", "agent",
    "representative", "operator", "사람", "인간", "상담", "직원", "에이아이", "인공", "로봇", "봇", "기계",
    "컴퓨터", "프로그램", "자동", "가상", "심장", "人", "ロボット", "ボット", "機械", "コンピュータ",
    "プログラム", "自動", "合成", "エーアイ",
)  # fmt: skip
"""Without one of these, or AI, in a sentence it is not looked at any further."""
_AI = re.compile(r"(?<![a-z])a(?:i(?![a-z])|\. ?i\b\.?(?![.]* *$))")
_SENTENCE = re.compile(r"[^.!?。\n]+[.!?。\n]*")
_PLAIN = {ord("’"): "'", ord("‘"): "'", ord("ʼ"): "'", ord("\n"): " ", ord("\t"): " "}


def claims_to_be_human(text: str, *, is_whole: bool = False) -> bool:
    """Return whether the agent says that it is a human, or that it is no machine.

    text: the agent's words so far, from the beginning of an item; only the last thousand characters are read, so read
    it whenever some are added. is_whole: no more will come.
    """
    plain = unicodedata.normalize("NFKC", text[-_TAIL:]).lower()
    if not _is_about_kinds(plain):
        return False
    plain = _AI.sub("ai", plain.translate(_PLAIN))
    if is_whole:
        plain += "\n"
    return any(_is_claim(sentence) for sentence in _SENTENCE.findall(plain) if _is_about_kinds(sentence))


def _is_about_kinds(plain: str) -> bool:
    return any(sign in plain for sign in _SIGNS) or _AI.search(plain) is not None


def _is_claim(sentence: str) -> bool:
    if is_claimed_in_english(sentence):
        return True
    return not sentence.isascii() and (is_claimed_in_korean(sentence) or is_claimed_in_japanese(sentence))
