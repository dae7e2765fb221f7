"""What Dialtone says when the agent file does not word it: by language, and in English for languages not listed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wording:
    """The fixed sentences of one language; language is the BCP 47 primary tag they are written in.

    idle: nobody has said anything for a while. goodbye: before we hang up. full: no line is free. cover: the line to
    the model is being replaced. model_lost: the call cannot go on. no_stream: the call could not be connected at all.
    """

    language: str
    idle: str
    goodbye: str
    full: str
    cover: str
    model_lost: str
    no_stream: str


ENGLISH = Wording(
    language="en",
    idle="Are you still there?",
    goodbye="Thank you for calling. Goodbye.",
    full="All our lines are busy right now. Please call again in a few minutes.",
    cover="One moment, please.",
    model_lost="I'm sorry, we are having a technical problem and I can't continue this call. Please call again later.",
    no_stream="I'm sorry, we could not connect your call. Please call again in a few minutes.",
)

KOREAN = Wording(
    language="ko",
    idle="여보세요, 아직 듣고 계신가요?",
    goodbye="전화해 주셔서 감사합니다. 안녕히 계세요.",
    full="지금은 통화량이 많아 연결이 어렵습니다. 잠시 후 다시 전화해 주세요.",
    cover="잠시만 기다려 주세요.",
    model_lost="죄송합니다. 시스템에 문제가 생겨 통화를 계속할 수 없습니다. 잠시 후 다시 전화해 주세요.",
    no_stream="죄송합니다. 전화를 연결하지 못했습니다. 잠시 후 다시 전화해 주세요.",
)

JAPANESE = Wording(
    language="ja",
    idle="もしもし、お電話はつながっておりますでしょうか。",
    goodbye="お電話ありがとうございました。失礼いたします。",
    full="ただいま電話が大変混み合っております。しばらくしてから、おかけ直しください。",
    cover="少々お待ちください。",
    model_lost="申し訳ございません。システムの不具合により、通話を続けることができません。後ほどおかけ直しください。",
    no_stream="申し訳ございません。お電話をおつなぎできませんでした。しばらくしてから、おかけ直しください。",
)

_BY_LANGUAGE = {wording.language: wording for wording in (ENGLISH, KOREAN, JAPANESE)}


def wording_for(language: str) -> Wording:
    """Return the sentences for a BCP 47 tag by its primary language: Korean for ko-KR; English where there are none."""
    return _BY_LANGUAGE.get(language.partition("-")[0].lower(), ENGLISH)
