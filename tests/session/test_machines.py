"""The small machines by themselves: what may follow what, and what is counted."""

import pytest

from app.audio.formats import PCM16_24K
from app.errors import InvariantError
from app.session.commands import AddAgentText, AddCallerText, PlayAudio, SendMark
from app.session.conversation import MAX_ENTRIES, Conversation, Side
from app.session.disclosure import DisclosureMachine, DisclosureState
from app.session.floor import Floor, FloorMachine
from app.session.idleness import Idle, Idleness
from app.session.keypad import MAX_DIGITS, Keypad
from app.session.phase import Phase, PhaseMachine
from app.session.playback import Playback
from app.session.turns import words_heard
from app.session.words import ItemId, ModelNumber, ResponseId
from tests.support.driver import pcm

pytestmark = pytest.mark.core

M1, R1, I1 = ModelNumber(1), ResponseId("resp_1"), ItemId("item_1")


def test_a_call_never_goes_back() -> None:
    phase = PhaseMachine()
    phase.move(Phase.DISCLOSING)
    phase.move(Phase.CLOSING)
    with pytest.raises(InvariantError, match="closing and cannot become conversing"):
        phase.move(Phase.CONVERSING)


def test_a_disclosure_that_is_settled_stays_so() -> None:
    disclosure = DisclosureMachine(interruptible=False)
    disclosure.spoken(0)
    assert not disclosure.may_be_cut
    disclosure.settle(DisclosureState.HEARD, at_ms=900, mark="1:9")
    assert disclosure.is_over
    assert disclosure.hung_up() is None
    with pytest.raises(InvariantError, match="heard and cannot become failed"):
        disclosure.settle(DisclosureState.FAILED, at_ms=950)


def test_both_may_hold_the_floor() -> None:
    floor = FloorMachine()
    held = []
    floor.agent_is(speaking=True)
    floor.caller_started()
    floor.caller_started()
    held.append(floor.floor)
    floor.agent_is(speaking=False)
    held.append(floor.floor)
    floor.caller_stopped()
    held.append(floor.floor)
    assert held == [Floor.CONTESTED, Floor.CALLER, Floor.NOBODY]


def test_digits_end_at_the_hash_at_quiet_or_when_there_are_too_many() -> None:
    keypad = Keypad()
    assert keypad.press("1", 0.0) is None
    assert keypad.due_at == 2.0
    assert keypad.press("2", 1.0) is None
    assert keypad.due_at == 3.0
    assert keypad.press("#", 1.5) == "12"
    assert keypad.due_at is None
    assert keypad.press("#", 2.0) is None
    assert [keypad.press("7", 3.0) for _ in range(MAX_DIGITS)][-1] == "7" * MAX_DIGITS


def test_a_silent_caller_is_asked_once_and_again_after_an_answer() -> None:
    idle = Idleness(12.0, 30.0)
    idle.caller_was_active(0.0)
    assert (idle.check(11.9), idle.check(12.0), idle.check(13.0)) == (None, Idle.PROMPT, None)
    assert idle.deadline == 30.0
    idle.caller_was_active(20.0)
    assert (idle.check(31.9), idle.check(32.0), idle.check(50.0)) == (None, Idle.PROMPT, Idle.HANG_UP)


@pytest.mark.parametrize(
    ("text", "heard", "generated", "expected"),
    [
        ("Your order has shipped.", 50, 100, "Your order"),
        ("Your order has shipped.", 100, 100, "Your order has shipped."),
        ("Your order has shipped.", 0, 100, ""),
        ("Your order has shipped.", 5, 100, ""),
        ("ご注文は発送されました", 50, 100, "ご注文は発"),
        ("", 50, 100, ""),
    ],
)
def test_the_heard_words_end_with_a_word(text: str, heard: int, generated: int, expected: str) -> None:
    assert words_heard(text, heard, generated) == expected


def test_a_new_model_session_is_told_everything_in_order_and_once() -> None:
    conversation = Conversation()
    conversation.add(Side.AGENT, "Hello.")
    conversation.learnt(Side.CALLER, ItemId("c1"), "", M1)
    conversation.learnt(Side.CALLER, ItemId("c1"), "Where is it?", M1)
    assert conversation.tell(M1) == [AddAgentText(M1, ItemId("dialtone_1"), "Hello.")]
    assert conversation.tell(M1) == []
    m2 = ModelNumber(2)
    assert conversation.tell(m2) == [
        AddAgentText(m2, ItemId("dialtone_1"), "Hello."),
        AddCallerText(m2, ItemId("c1"), "Where is it?"),
    ]
    for number in range(MAX_ENTRIES + 50):
        conversation.add(Side.CALLER, str(number))
    assert len(conversation.tell(ModelNumber(3))) == MAX_ENTRIES


def played(playback: Playback, at: float) -> list[SendMark]:
    return [command for command in playback.release(at) if isinstance(command, SendMark)]


def test_the_round_trip_is_that_of_the_least_delayed_marks() -> None:
    playback = Playback(PCM16_24K)
    playback.audio(M1, R1, I1, 0, pcm(2000))
    marks = []
    for step in range(10):
        at = 10.0 + step * 0.1
        marks += [(mark, at) for mark in played(playback, at)]
    # each piece is played 0.1 s after the one before; marks come back 80 ms later, some with jitter
    for number, (mark, _) in enumerate(marks[:8]):
        due = 10.0 + 0.1 * (number + 1)
        playback.reached(mark.generation, mark.number, due + 0.08 + (0.03 if number % 2 else 0.0))
    assert playback.clock.round_trip_s == pytest.approx(0.08)
    assert playback.clock.lateness_s == pytest.approx(0.0, abs=1e-9)
    cut = playback.cut(10.95)
    assert cut.sounding is not None
    assert PCM16_24K.ms_of(cut.sounding.heard) == 950


def test_audio_that_was_late_on_its_way_is_heard_later() -> None:
    playback = Playback(PCM16_24K)
    playback.audio(M1, R1, I1, 0, pcm(200))
    playback.item_complete(I1)
    for mark in played(playback, 10.0):
        playback.reached(mark.generation, mark.number, 10.0 + 0.1 * mark.number + 0.05)
    second = ItemId("item_2")
    playback.audio(M1, R1, second, 0, pcm(2000))
    marks = played(playback, 20.0) + played(playback, 20.1) + played(playback, 20.2)
    # this stretch began to play 60 ms late: a packet was held up
    for number, mark in enumerate(marks[:2]):
        playback.reached(mark.generation, mark.number, 20.0 + 0.1 * (number + 1) + 0.05 + 0.06)
    cut = playback.cut(20.3)
    assert cut.sounding is not None
    assert PCM16_24K.ms_of(cut.sounding.heard) == 240


def test_an_end_that_comes_after_all_was_sent_is_sent_by_itself() -> None:
    playback = Playback(PCM16_24K)
    playback.audio(M1, R1, I1, 0, pcm(100))
    playback.release(1.0)
    playback.item_complete(I1)
    assert playback.release(1.05) == [PlayAudio(b"", True), SendMark(1, 2)]
    assert [item.item_id for item in playback.reached(1, 2, 1.2)] == [I1]
    assert playback.is_empty
