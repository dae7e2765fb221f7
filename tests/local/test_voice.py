import pytest

from app.local.voice import Voice, agent_voice, caller_voice, espeak_voices, has_voice, sentences, speakable

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Your order is on its way! 🎉🚚", "Your order is on its way!"),
        ("**Bold**, _this_ and `code`", "Bold, this and code"),
        ("# Heading\n- one\n- two", "Heading one two"),
        ("See [our page](https://shop.example/a_b) now", "See our page now"),
        ("<speak>Hello <break time='1s'/>there</speak>", "Hello there"),
        ("say [[h@'loU]] twice", "say twice"),
        ("a\x00b\x1b[31mc\u200b\ufeffd", "a b 31mcd"),
        ("안녕하세요 😀 반갑습니다.", "안녕하세요 반갑습니다."),
        ("two < three > one, 20 °C & 10%", "two three one, 20 °C & 10%"),
        ("👨‍👩‍👧 ❤️ ☎️", ""),
    ],
)
def test_what_no_voice_can_say_is_left_out(text: str, spoken: str) -> None:
    assert speakable(text) == spoken


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Hello there. It is 3.5 kilos! Really?", ["Hello there.", "It is 3.5 kilos!", "Really?"]),
        ("Dr. Smith lives in St. Ives. He is out.", ["Dr. Smith lives in St. Ives.", "He is out."]),
        ("It is yours? No. It is mine.", ["It is yours?", "No.", "It is mine."]),
        ('He said "yes." Then he left…', ['He said "yes."', "Then he left…"]),
        ("안녕하세요. 주문을 찾았습니다!", ["안녕하세요.", "주문을 찾았습니다!"]),
        ("こんにちは。げんきですか？はい。", ["こんにちは。", "げんきですか？", "はい。"]),
        ("... !? 🎉", []),
        ("", []),
    ],
)
def test_a_text_is_spoken_by_sentences(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


def test_a_long_sentence_is_cut_at_a_comma_or_between_words() -> None:
    clause = "your parcel left the warehouse this morning and is on its way to you"
    assert sentences(f"{clause}, {clause}.") == [f"{clause},", f"{clause}."]
    parts = sentences(" ".join(["word"] * 100))
    assert all(len(part) <= 120 and not part.startswith(" ") for part in parts)
    assert " ".join(parts) == " ".join(["word"] * 100)
    assert "".join(sentences("가" * 300)) == "가" * 300


def test_an_agent_speaks_by_pico_where_it_can_and_by_espeak_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.local.voice.is_installed", lambda engine: True)
    assert agent_voice("en-US") == Voice("pico", "en-US")
    assert agent_voice("en-GB") == Voice("pico", "en-GB")
    assert agent_voice("en-AU") == Voice("pico", "en-US")
    assert agent_voice("de") == Voice("pico", "de-DE")
    assert agent_voice("ko-KR").engine == "espeak"


def test_without_pico_english_is_espeaks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.local.voice.is_installed", lambda engine: engine == "espeak")
    assert agent_voice("en-US") == Voice("espeak", "en-us")


def test_a_caller_speaks_english_in_the_voice_that_is_understood() -> None:
    assert caller_voice("en-US") == Voice("espeak", "en-us+klatt4", words_per_minute=150, pitch=45)
    assert caller_voice("ko").name == "ko"


def test_espeak_voices_are_found_by_the_nearest_tag() -> None:
    if not espeak_voices():
        pytest.skip("espeak-ng is not installed")
    names = {tag: agent_voice(tag).name for tag in ("ko-KR", "ja-JP", "pt-BR", "zh-CN", "xx-XX")}
    assert names == {"ko-KR": "ko", "ja-JP": "ja", "pt-BR": "pt-br", "zh-CN": "cmn", "xx-XX": "xx"}
    assert has_voice(agent_voice("ko-KR"))
    assert not has_voice(agent_voice("xx-XX"))
    assert has_voice(caller_voice("en"))
