from collections.abc import Mapping
from functools import partial

import pytest

from app.local.dialogue import CallTool
from app.local.foreign import understand_foreign
from app.local.offers import tools_of
from app.local.sayings import Intent
from app.session.claims import claims_to_be_human
from tests.support.talks import ACME, BOOK, CANCEL, END, LOOKUP, TRANSFER, Talk, offer

pytestmark = pytest.mark.core

HANBIT = "당신은 온라인 쇼핑몰 한빛상점의 전화 상담원입니다."
AKUME = "あなたはアクメの電話受付です。"


def test_a_korean_caller_is_steered_by_the_keypad() -> None:
    talk = Talk([LOOKUP], HANBIT, "ko")
    assert talk.begins() == "한빛상점에 전화해 주셔서 감사합니다. 주문 조회를 원하시면 주문 번호를 눌러 주세요."
    steered = "죄송합니다. 한국어 음성은 아직 알아듣지 못합니다. 전화기 번호판으로 주문 번호를 눌러 주세요."
    assert talk.says(None) == steered
    assert talk.says("where is my order") == steered  # whatever an English ear made of it
    told = talk.presses("1042#")
    assert talk.calls == [CallTool("lookup_order", {"order_number": "1042"})]
    assert "주문 1042번은 발송되었습니다. 도착 예정일은 11월 25일입니다." in told
    assert "도착 예정일은 11월 25일입니다." in talk.presses("*")
    assert "1043번을 찾을 수 없습니다" in talk.presses("1043")
    assert talk.says(None) == steered


def test_a_japanese_caller_is_steered_by_the_keypad() -> None:
    talk = Talk([LOOKUP], AKUME, "ja")
    assert talk.begins() == "お電話ありがとうございます。アクメです。注文の照会は、注文番号を押してください。"
    assert "日本語の音声はまだ聞き取れません" in talk.says(None)
    assert "注文1042は、発送されました。到着予定日は、11月25日です。" in talk.presses("1042")


@pytest.mark.parametrize(("instructions", "language"), [(HANBIT, "ko"), (AKUME, "ja")])
def test_what_changes_something_is_confirmed_with_a_key(instructions: str, language: str) -> None:
    talk = Talk([CANCEL], instructions, language)
    assert "1042" in talk.presses("1042")
    talk.presses("2")
    assert talk.calls == []
    talk.presses("1042")
    talk.presses("1")
    assert talk.calls == [CallTool("cancel_order", {"order_number": "1042"})]


@pytest.mark.parametrize(("instructions", "language"), [(HANBIT, "ko"), (AKUME, "ja")])
def test_several_parameters_are_keyed_in(instructions: str, language: str) -> None:
    talk = Talk([BOOK], instructions, language)
    talk.writes("예약해 주세요" if language == "ko" else "予約をお願いします")
    for keys in ("4", "20261125", "2", "1"):
        talk.presses(keys)
    assert talk.calls == [CallTool("book_table", {"guests": 4, "date": "2026-11-25", "area": "outside"})]


@pytest.mark.parametrize(
    ("text", "intent", "tool"),
    [
        ("네", Intent.YES, None),
        ("아니요", Intent.NO, None),
        ("はい", Intent.YES, None),
        ("いいえ", Intent.NO, None),
        ("안녕히 계세요", Intent.GOODBYE, None),
        ("失礼します", Intent.GOODBYE, None),
        ("다시 말해 주세요", Intent.REPEAT, None),
        ("もう一度お願いします", Intent.REPEAT, None),
        ("사람인가요?", Intent.HUMAN, None),
        ("상담원 바꿔 주세요", Intent.PERSON, None),
        ("1042", Intent.NUMBER, None),
        ("1042 언제 도착해요?", Intent.NUMBER, None),
        ("언제 도착해요?", Intent.QUESTION, None),
        ("주문을 취소해 주세요", Intent.REQUEST, "cancel_order"),
        ("注文を確認したい", Intent.REQUEST, "lookup_order"),
        ("where is my order", Intent.REQUEST, "lookup_order"),
        ("코끼리", Intent.UNCLEAR, None),
    ],
)
def test_typed_words_are_understood_by_plain_signs(text: str, intent: Intent, tool: str | None) -> None:
    heard = understand_foreign(text, tools_of([LOOKUP, CANCEL]))
    assert heard.intent is intent
    assert [one.name for one in heard.tools] == ([tool] if tool else [])


@pytest.mark.parametrize(
    ("language", "asked"),
    [
        *(
            ("ko", asked)
            for asked in ("사람이에요?", "지금 사람이랑 통화하는 건가요?", "로봇이에요?", "사람 맞아요?", "AI예요?")
        ),
        *(("ko", asked) for asked in ("실제 상담원이세요?", "당신은 인간입니까?", "챗봇이야?", "아니, 사람이에요?")),
        *(
            ("ja", asked)
            for asked in ("人間ですか", "ロボットですか", "本当の人ですか？", "人と話していますか", "自動音声ですか")
        ),
        *(
            ("ja", asked)
            for asked in ("中の人はいますか", "いいえ、人間ですか？", "ＡＩですか", "人間じゃないですよね")
        ),
    ],
)
def test_a_caller_who_wants_to_know_whether_this_is_a_human_is_told_the_truth(language: str, asked: str) -> None:
    said = Talk([LOOKUP], HANBIT if language == "ko" else AKUME, language).writes(asked)
    assert ("사람이 아니라 인공지능" if language == "ko" else "人間ではなく、AI") in said
    assert not claims_to_be_human(said, is_whole=True)


@pytest.mark.parametrize("asked", ["사람하고 통화하고 싶어요", "人間と話したいです", "担当者に代わってください"])
def test_a_caller_who_wants_a_human_is_not_told_what_this_is_instead(asked: str) -> None:
    assert understand_foreign(asked, tools_of([LOOKUP])).intent is Intent.PERSON


@pytest.mark.parametrize(
    "said", ["로봇 청소기를 주문했어요", "ロボット掃除機の注文です", "三人です", "이메일로 보내 주세요"]
)
def test_a_thing_that_is_ordered_is_no_question_about_the_agent(said: str) -> None:
    assert understand_foreign(said, tools_of([LOOKUP])).intent is not Intent.HUMAN


def _always(output: str, name: str, arguments: Mapping[str, object]) -> object:
    return output


@pytest.mark.parametrize("language", ["en", "ko", "ja"])
def test_every_language_can_say_everything(language: str) -> None:
    """A caller who asks for everything there is gets words each time, without a blank left in them."""
    talk = Talk([LOOKUP, CANCEL, BOOK, TRANSFER, END], ACME, language)
    heard = [talk.begins()]
    turns = "Hello|Who are you?|Are you a human?|help|1042|what is my order number|cancel it|no|cancel it|yes|thanks"
    turns += "|book a table|4|5|20261125|outside|yes|transfer me|sales|why|asdf|xyz|one moment|i have a question|no"
    turns += "|that's wrong|1043|1044|pay my bill|goodbye"
    heard += [talk.writes(turn) for turn in turns.split("|")]
    for outcome in ("[1, 2]", '{"error": "x"}', '{"ok": true}', "false", '{"shipped": true, "total": 3.5}'):
        told = Talk([LOOKUP], ACME, language, answer=partial(_always, outcome))
        heard.append(told.writes("1042"))
    assert all(text.strip() for text in heard)
    assert not any(blank in text for text in heard for blank in ("None", "{", "}", "  ", " .", " ,"))


PARTY = offer(
    "book_table",
    "",
    party_size={"type": "integer", "maximum": 12},
    seating={"type": "string", "enum": ["inside", "outside"]},
    date={"type": "string", "format": "date"},
)
ODD = offer(
    "book_thing",
    "",
    widget_count={"type": "integer"},
    flavour={"type": "string", "enum": ["a", "b"]},
    item_id={"type": "integer"},
    product_id={"type": "integer"},
)


@pytest.mark.parametrize(
    ("language", "most", "no_day"),
    [
        ("ko", "인원은 12 이하여야 합니다.", "달력에 없는 날짜입니다."),
        ("ja", "人数は12以下でお願いします。", "その日付は暦にありません。"),
    ],
)
def test_what_is_wrong_with_a_keyed_number_is_said(language: str, most: str, no_day: str) -> None:
    talk = Talk([PARTY], HANBIT if language == "ko" else AKUME, language)
    talk.writes("예약해 주세요" if language == "ko" else "予約をお願いします")
    assert most in talk.presses("20")
    talk.presses("4")
    talk.presses("1")
    assert no_day in talk.presses("20260231")
    confirmed = talk.presses("20261125")
    assert ("인원 4, 좌석 inside" if language == "ko" else "人数は4、お席はinside") in confirmed
    assert confirmed in talk.writes("4명이나 5명" if language == "ko" else "4か5"), "left open, and so nothing"
    assert talk.writes("12.5") != confirmed


@pytest.mark.parametrize("language", ["ko", "ja"])
def test_no_two_fields_of_a_confirmation_share_a_name(language: str) -> None:
    talk = Talk([ODD], HANBIT if language == "ko" else AKUME, language)
    talk.writes("예약해 주세요" if language == "ko" else "予約をお願いします")
    for keys in ("3", "1", "12"):
        talk.presses(keys)
    told = talk.presses("13")
    for name in ("widget count", "flavour", "product id"):
        assert told.count(name) == 1


def test_a_description_in_the_callers_language_is_the_name() -> None:
    party = {"type": "integer", "description": "예약 인원 (1명에서 12명까지)"}
    talk = Talk([offer("book_table", "", party_size=party)], HANBIT, "ko")
    assert talk.writes("예약해 주세요").startswith("예약 인원을 전화기 번호판으로")
