import pytest

from app.local.instructions import business_in, facts_in, opening_in, wording_in

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("instructions", "business"),
    [
        ("You answer the telephone for Acme. Be brief.", "Acme"),
        ("You answer the telephone for Acme, a mail-order shop.", "Acme"),
        ("You are Sunny, the receptionist at Blue River Dental Clinic. We are open daily.", "Blue River Dental Clinic"),
        ("You are the AI phone agent of Acme & Sons. If the caller asks, help.", "Acme & Sons"),
        ("You are Acme's order desk.", "Acme"),
        ("You work for the Acme Corporation.", "Acme Corporation"),
        ("당신은 온라인 쇼핑몰 한빛상점의 전화 상담원입니다.", "한빛상점"),
        ("あなたはアクメの電話受付です。", "アクメ"),
        ("あなたはさくら商店の電話受付です。", "さくら商店"),
        ("あなたはさくらの湯の電話受付です。", "さくらの湯"),
        ("さくら商店の電話受付として話します。", "さくら商店"),
        ("お客様の電話に出てください。", None),
        ("お客様からの電話に、すべての電話に出ます。", None),
        ("You are a helpful assistant.", None),
        ("Answer calls in English.", None),
        ("", None),
    ],
)
def test_the_business_is_found_where_it_is_named(instructions: str, business: str | None) -> None:
    assert business_in(instructions) == business


@pytest.mark.parametrize(
    "token",
    ["A", "Ab0+", "A's ", "A A", "A&", "A.a", "a_", "phone for A ", "가", "あ", "漢", "あなたは", "の", " ", "\n"],
)
def test_work_grows_with_the_instructions_no_faster_than_they_do(token: str) -> None:
    """With work by the square of the length, any of these would take minutes."""
    hostile = token * (60_000 // len(token))
    assert isinstance(business_in(hostile), str | None)
    assert business_in(f"You answer the telephone for Acme. {hostile}") == "Acme"
    assert opening_in(hostile) is None
    assert len(facts_in(hostile)) <= 1


def test_a_quoted_opening_is_said_word_for_word() -> None:
    assert opening_in('Greet the caller with "Hello, Acme here." Then wait.') == "Hello, Acme here."
    assert opening_in("Greet the caller warmly.") is None
    assert wording_in('Say exactly: "One moment."') == "One moment."
    assert wording_in("Say something nice.") is None


def test_facts_are_sentences_about_the_business_not_orders_to_the_agent() -> None:
    facts = facts_in(
        "You answer the telephone for Acme. We are open Monday to Friday from 9 to 5.\n"
        "- Delivery takes three days\n"
        "Never promise a refund. Ask callers for their address. If delivery is late, apologise."
    )
    assert facts == {
        "opening hours": "We are open Monday to Friday from 9 to 5.",
        "delivery": "Delivery takes three days.",
    }


def test_what_a_tool_knows_is_not_told_from_the_instructions() -> None:
    assert facts_in("We are open from 9 to 5.", ["opening hours"]) == {}
