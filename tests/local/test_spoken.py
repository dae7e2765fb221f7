import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.local.english import English
from app.local.japanese import Japanese
from app.local.japanese_reading import read_japanese
from app.local.offers import tools_of
from app.local.spoken import spoken
from tests.support.talks import BOOK, CANCEL, LOOKUP

pytestmark = pytest.mark.core

MIXED = (
    st.text(st.sampled_from("0123456789 abXZ$%€.,-:/#@+()[]<>*_\n年月日時円個번개시월일원\u200d😀'!?１²")) | st.text()
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Order 1042 has been shipped.", "Order one zero four two has been shipped."),
        ("The order number is 104.", "The order number is one zero four."),
        ("That is 104 items, 1,042 in all.", "That is one hundred four items, one thousand forty two in all."),
        ("Number 12345678", "Number one two three, four five six, seven eight"),
        ("ORD-1042, A1B2, #77, No. 5", "O R D one zero four two, A one B two, number seven seven, number five"),
        ("It is $12.50.", "It is twelve dollars and fifty cents."),
        ("$1, $0.99, €3, £2.01, 35.5 USD", "one dollar, ninety nine cents, three euros, two pounds and one penny, "
         "thirty five point five dollars"),
        ("$3 million and 10%", "three million dollars and ten percent"),
        ("on 11/21/2026", "on November twenty first, twenty twenty six"),
        ("on 2026-11-25 or Nov. 3", "on November twenty fifth, twenty twenty six or November third"),
        ("Wednesday, November 25.", "Wednesday, November twenty fifth."),
        ("2026-11-25T15:30:00Z", "November twenty fifth, twenty twenty six at three thirty P M"),
        ("at 3:05 PM, 10 a.m. or 15:00", "at three oh five P M, ten A M or three P M"),
        ("in 2005, March 1999", "in two thousand five, March nineteen ninety nine"),
        ("Call 555-0142 or +1 415 555 2671", "Call five five five, zero one four two or plus one, four one five, "
         "five five five, two six seven one"),
        ("3-5 days, the 2nd, 3.14, -5", "three to five days, the second, three point one four, minus five"),
        ("a@b.com or www.acme.com", "a at b dot com or w w w dot acme dot com"),
        ("R&D", "R and D"),
    ],
)  # fmt: skip
def test_english_is_read_as_people_say_it(text: str, said: str) -> None:
    assert spoken(text, "en") == said
    assert spoken(said, "en-GB") == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("주문 1042번은 발송되었습니다.", "주문 일공사이 번은 발송되었습니다."),
        ("1번, 2번을 눌러 주세요.", "일 번, 이 번을 눌러 주세요."),
        ("11월 25일 10시 30분", "십일월 이십오 일 열 시 삼십 분"),
        ("6월 10월 오후 3시", "유월 시월 오후 세 시"),
        ("2026-11-25 15:30", "이천이십육년 십일월 이십오일 오후 세 시 삼십 분"),
        ("35,000원, $12, 20%, 3.5", "삼만 오천 원, 십이 달러, 이십 퍼센트, 삼 점 오"),
        ("010-1234-5678", "공일공, 일이삼사, 오육칠팔"),
        ("3개, 20명, 4자리", "세 개, 스무 명, 네 자리"),
        ("AI 상담원", "에이아이 상담원"),
    ],
)
def test_korean_is_read_as_people_say_it(text: str, said: str) -> None:
    assert spoken(text, "ko") == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("注文番号1042", "ちゅうもんばんごう いち ゼロ よん に"),
        ("11月24日、4時30分", "じゅういちがつにじゅうよっか、よじさんじゅっぷん"),
        ("2026-04-01 15:08", "にせんにじゅうろくねん しがつ ついたち じゅうごじはっぷん"),
        ("1,500円、3件、20回、2人", "せんごひゃくえん、さんけん、にじゅっかい、ふたり"),
        ("到着予定日は、明日です。", "とうちゃくよていびわ、あしたです。"),
        ("AIの自動音声です。", "エーアイのじどうおんせいです。"),
        ("鬱ではない", "ではない"),
    ],
)
def test_japanese_is_read_as_kana(text: str, said: str) -> None:
    assert spoken(text, "ja") == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("**Bold** 😀 and `code`", "Bold and code"),
        ("[[h@'loU]] <break/> hello", "hello"),
        ("A [link](https://acme.example) here", "A link here"),
        ("# Title\n- one\n- two", "Title. one. two"),
        ("“Hi” — it’s\u200b fine…", '"Hi", it\'s fine.'),
        ("", ""),
    ],
)
def test_what_is_not_speech_is_left_out(text: str, said: str) -> None:
    assert spoken(text, "en") == said


@given(MIXED)
def test_nothing_is_left_that_a_voice_would_stumble_on(text: str) -> None:
    assert not any(char in "<>[]*_`\n" or char.isdigit() for char in spoken(text, "en"))
    for language in ("ko", "ja", "de"):
        said = spoken(text, language)
        assert not any(char in "<>[]*_`\n" for char in said)
        assert language == "de" or not any(char in "0123456789" for char in said)


def test_all_that_the_japanese_dialogue_can_say_has_a_reading() -> None:
    said = Japanese()
    tools = tools_of([LOOKUP, CANCEL, BOOK])
    fixed = [value for name, value in vars(Japanese).items() if isinstance(value, str) and not name.startswith("_")]
    sentences = [*fixed, said.abilities(tools), said.human(tools), said.no_person(tools), said.which(tools)]
    sentences += [said.ask(one, tool) for tool in tools for one in tool.parameters]
    for text in sentences:
        bare = "".join(char for char in read_japanese(text) if "\u4e00" <= char <= "\u9fff")
        assert not bare
        # a kanji without a reading is left out, so as many must be read as stand there
        assert len(read_japanese(text)) >= len(text) - text.count("お") - 2, text


def test_the_english_dialogue_needs_no_digit_read() -> None:
    assert "press one for yes and two for no" in spoken(English.yes_or_no, "en")
