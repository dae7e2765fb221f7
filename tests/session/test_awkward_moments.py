"""What peers do at the worst moment: two items of one sound, words before sound, ends before answers. By value."""

from dataclasses import replace

import pytest

from app.session.commands import (
    AddAgentText,
    CancelResponse,
    Command,
    DeleteItem,
    NoteClaim,
    NoteFalseAlarm,
    NoteTurn,
    RequestResponse,
    SpeakPhrase,
    TruncateItem,
)
from app.session.events import (
    AgentAudio,
    AgentAudioEnded,
    AgentTranscript,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTranscript,
    CallerTurnCommitted,
    ModelLost,
    ModelReady,
    ResponseEnded,
    ResponseStarted,
    StreamStarted,
    ToolCallFinished,
    ToolCallRequested,
)
from app.session.terms import Terms
from app.session.words import (
    ItemId,
    ModelNumber,
    Phrase,
    PieceNumber,
    ResponseId,
    ResponseStatus,
    ToolCallId,
    ToolStatus,
    Verdict,
)
from tests.session.test_interruption import CONFIRMED, I1, R1, kinds, replying
from tests.support.driver import M1, Driver, pcm

pytestmark = pytest.mark.core

A, B = ItemId("caller_a"), ItemId("caller_b")
I2, I3 = ItemId("item_2"), ItemId("item_3")
R2 = ResponseId("resp_2")
M2 = ModelNumber(2)
CUTTABLE = replace(CONFIRMED, disclosure_interruptible=True)


def only(commands: list[Command], *types: type) -> list[Command]:
    return [command for command in commands if isinstance(command, types)]


def ended(response: ResponseId = R1) -> ResponseEnded:
    return ResponseEnded(M1, response, ResponseStatus.COMPLETED, "", {})


def disclosing(terms: Terms = CONFIRMED, *, after_s: float = 0.5) -> Driver:
    """Four seconds of disclosure, of which so much has been played; the model is there."""
    driver = Driver(terms)
    driver.send(StreamStarted())
    driver.speak(1, 4000)
    driver.connect()
    driver.wait(after_s)
    return driver


# --- the disclosure ---------------------------------------------------------------------------------------------------


def test_a_claim_that_is_made_during_the_disclosure_never_sounds() -> None:
    driver = disclosing()
    driver.send(ResponseStarted(M1, R1))
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(3000)))
    out = driver.send(AgentTranscript(M1, R1, I1, "I am a real person. How can I help?"))
    assert kinds(out)[:3] == [CancelResponse, DeleteItem, NoteClaim]
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(3000)))
    driver.send(ended())
    driver.wait(5.0)
    driver.speak(2, 1000)
    driver.wait(5.0)
    assert driver.sent_ms() == 4000 + 1000, "the disclosure and the greeting, and nothing of the claim"
    assert [c for _, c in driver.log if isinstance(c, RequestResponse)], "the caller is still owed an answer"


def test_a_disclosure_that_is_said_again_comes_before_what_the_model_said_meanwhile() -> None:
    driver = disclosing(CUTTABLE, after_s=1.0)
    driver.hear(Verdict.SPEECH, 300)
    driver.send(CallerSpeechStarted(M1, A, 500))
    driver.respond(1, 2000, words="Hello.")
    driver.hear(Verdict.SILENCE, 100)
    driver.send(CallerSpeechStopped(M1, A, 800))
    assert SpeakPhrase(PieceNumber(2), Phrase.DISCLOSURE) in driver.send(CallerTurnCommitted(M1, A))
    before = driver.sent_ms()
    driver.speak(2, 4000)
    driver.wait(9.0)
    assert driver.sent_ms() - before == 4000 + 2000


def test_a_disclosure_that_was_cut_by_a_turn_already_over_is_said_again_at_once() -> None:
    driver = disclosing(CUTTABLE, after_s=1.0)
    driver.send(CallerSpeechStarted(M1, A, 500))
    driver.hear(Verdict.SPEECH, 100)
    driver.hear(Verdict.SILENCE, 100)
    driver.send(CallerSpeechStopped(M1, A, 800))
    driver.send(CallerTurnCommitted(M1, A))
    out = driver.send(CallerTranscript(M1, A, "Stop!"))
    assert only(out, SpeakPhrase) == [SpeakPhrase(PieceNumber(2), Phrase.DISCLOSURE)]


def test_the_greeting_waits_for_a_sound_that_is_still_judged_when_the_disclosure_ends() -> None:
    driver = disclosing(CUTTABLE, after_s=3.85)
    out = driver.hear(Verdict.SPEECH, 160)
    driver.hear(Verdict.SILENCE, 20)
    out += driver.wait(0.2)
    assert only(out, SpeakPhrase) == []
    out = driver.hear(Verdict.SILENCE, 500)
    assert only(out, SpeakPhrase) == [SpeakPhrase(PieceNumber(2), Phrase.GREETING)], "it was a cough: on with it"


# --- one sound, several items; one item, several sounds ---------------------------------------------------------------


def two_items(driver: Driver) -> None:
    """One sound, of which the model has made a turn and begun another."""
    driver.send(CallerSpeechStarted(M1, A, 4000))
    driver.hear(Verdict.SPEECH, 60)
    driver.hear(Verdict.SILENCE, 200)
    driver.send(CallerSpeechStopped(M1, A, 4200))
    driver.send(CallerTurnCommitted(M1, A))
    driver.hear(Verdict.SILENCE, 100)
    driver.send(CallerSpeechStarted(M1, B, 4600))


def test_an_interruption_is_not_over_because_its_first_item_is() -> None:
    driver = replying()
    two_items(driver)
    out = driver.hear(Verdict.SPEECH, 300)
    assert only(out, TruncateItem)
    assert RequestResponse(M1) not in out, "asked while the caller speaks"
    driver.send(CallerSpeechStopped(M1, B, 5000))
    driver.send(ended())
    assert RequestResponse(M1) in driver.send(CallerTurnCommitted(M1, B))


def test_every_item_of_a_false_alarm_is_taken_out() -> None:
    driver = replying()
    two_items(driver)
    out = driver.hear(Verdict.SILENCE, 600)
    assert only(out, DeleteItem, NoteFalseAlarm)[0] == DeleteItem(M1, A)
    driver.send(CallerSpeechStopped(M1, B, 4800))
    assert driver.send(CallerTurnCommitted(M1, B)) == [DeleteItem(M1, B)]


def test_an_item_that_is_judged_again_is_not_deleted_before_the_second_word() -> None:
    driver = replying()
    driver.send(CallerSpeechStarted(M1, A, 4000))
    driver.hear(Verdict.SPEECH, 60)
    driver.hear(Verdict.SILENCE, 560)
    driver.hear(Verdict.SPEECH, 120)  # a short "no", too short for our ear
    driver.hear(Verdict.SILENCE, 200)
    driver.send(CallerSpeechStopped(M1, A, 5000))
    assert driver.send(CallerTurnCommitted(M1, A)) == []
    out = driver.send(CallerTranscript(M1, A, "No."))
    assert only(out, TruncateItem)
    (turn,) = [c for c in only(out, NoteTurn) if isinstance(c, NoteTurn) and c.heard == "No."]
    assert turn.end_ms < (driver.at - 100.0) * 1000, "it ended when the model heard it end"
    assert RequestResponse(M1) in out


def test_an_interruption_accepted_between_the_end_of_speech_and_its_turn_is_answered() -> None:
    driver = replying()
    driver.send(CallerSpeechStarted(M1, A, 4000))
    driver.hear(Verdict.SPEECH, 180)
    driver.send(CallerSpeechStopped(M1, A, 4200))
    assert only(driver.hear(Verdict.SPEECH, 60), TruncateItem)
    assert RequestResponse(M1) in driver.send(CallerTurnCommitted(M1, A)) + driver.send(ended())


# --- what was heard of what was said ----------------------------------------------------------------------------------


def test_later_parts_of_a_cut_item_are_shortened_to_nothing_each() -> None:
    driver = Driver(CONFIRMED)
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    for part in range(3):
        driver.send(AgentAudio(M1, R1, I1, part, pcm(3000)))
    driver.wait(1.0)
    cuts = only(driver.hear(Verdict.SPEECH, 240), TruncateItem, DeleteItem)
    assert [(c.content_index, c.audio_end_ms > 0) for c in cuts if isinstance(c, TruncateItem)] == [
        (0, True),
        (1, False),
        (2, False),
    ]
    assert len(cuts) == 3


def test_words_without_a_sound_were_not_heard() -> None:
    driver = Driver(CONFIRMED)
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    driver.send(AgentTranscript(M1, R1, I1, "one two three four"))
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(2000)))
    driver.send(AgentAudioEnded(M1, R1, I1))
    driver.wait(1.0)
    driver.send(AgentTranscript(M1, R1, I2, "Your account was closed."))
    (turn,) = only(driver.hear(Verdict.SPEECH, 300), NoteTurn)
    assert isinstance(turn, NoteTurn)
    assert turn.generated == "one two three four Your account was closed."
    assert turn.heard is not None
    assert "account" not in turn.heard


def test_what_was_generated_and_never_heard_stands_in_the_turn_after_the_response_is_over_too() -> None:
    driver = Driver(CONFIRMED)
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    for item, words in ((I1, "one two three four"), (I2, "five six")):
        driver.send(AgentTranscript(M1, R1, item, words))
        driver.send(AgentAudio(M1, R1, item, 0, pcm(2000)))
        driver.send(AgentAudioEnded(M1, R1, item))
    driver.send(ended())
    driver.wait(1.0)
    (turn,) = only(driver.hear(Verdict.SPEECH, 300), NoteTurn)
    assert isinstance(turn, NoteTurn)
    assert (turn.generated, turn.heard) == ("one two three four five six", "one two")


def test_the_next_session_is_told_all_parts_of_what_was_heard() -> None:
    driver = Driver(CONFIRMED)
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    driver.send(AgentTranscript(M1, R1, I1, "first part"))
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(500)))
    driver.send(AgentAudio(M1, R1, I1, 1, pcm(500)))
    driver.send(AgentTranscript(M1, R1, I1, "second part"))
    driver.send(AgentAudioEnded(M1, R1, I1))
    driver.send(ended())
    driver.wait(2.0)
    driver.send(ModelLost(M1, "x"))
    driver.wait(0.1)
    assert AddAgentText(M2, I1, "first part second part") in driver.send(ModelReady(M2))


def test_the_next_session_is_told_what_was_heard_of_a_reply_that_outlived_its_own() -> None:
    driver = replying()
    driver.send(ModelLost(M1, "x"))
    driver.wait(0.1)
    driver.send(ModelReady(M2))
    assert AddAgentText(M2, I1, "one") in driver.hear(Verdict.SPEECH, 300)


def test_a_claim_that_is_spread_over_parts_is_a_claim() -> None:
    driver = Driver(CONFIRMED)
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    driver.send(AgentTranscript(M1, R1, I1, "I am a real "))
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(2800)))
    driver.send(AgentAudio(M1, R1, I1, 1, pcm(800)))
    driver.wait(1.0)
    assert only(driver.send(AgentTranscript(M1, R1, I1, "person. Hello.")), NoteClaim)


def test_audio_that_comes_after_its_response_is_over_does_not_hold_up_the_next() -> None:
    driver = Driver(CONFIRMED)
    driver.converse()
    driver.respond(1, 1000)
    driver.send(AgentAudio(M1, R1, I3, 0, pcm(100)))
    driver.wait(3.0)
    before = driver.sent_ms()
    driver.respond(2, 3000)
    driver.wait(6.0)
    assert driver.sent_ms() - before == 3000


# --- tools ------------------------------------------------------------------------------------------------------------


def test_the_model_goes_on_only_when_all_its_tools_have_answered() -> None:
    driver = Driver(CONFIRMED)
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    driver.send(ToolCallRequested(M1, R1, I1, ToolCallId("c1"), "a", "{}"))
    driver.send(ToolCallFinished(ToolCallId("c1"), ToolStatus.OK, "1"))
    driver.send(ToolCallRequested(M1, R1, I2, ToolCallId("c2"), "b", "{}"))
    assert RequestResponse(M1) not in driver.send(ended())
    assert RequestResponse(M1) in driver.send(ToolCallFinished(ToolCallId("c2"), ToolStatus.OK, "2"))
    driver.send(ResponseStarted(M1, R2))
    assert RequestResponse(M1) not in driver.send(ended(R2)), "it was asked twice for one answer"


def test_the_model_goes_on_when_its_tools_were_faster_than_its_response() -> None:
    driver = Driver(CONFIRMED)
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    driver.send(ToolCallRequested(M1, R1, I1, ToolCallId("c1"), "a", "{}"))
    assert RequestResponse(M1) not in driver.send(ToolCallFinished(ToolCallId("c1"), ToolStatus.OK, "1"))
    assert RequestResponse(M1) in driver.send(ended())


def test_the_model_goes_on_although_its_response_never_said_that_it_was_over() -> None:
    driver = Driver(CONFIRMED)
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    driver.send(ToolCallRequested(M1, R1, I1, ToolCallId("c1"), "a", "{}"))
    driver.send(ToolCallFinished(ToolCallId("c1"), ToolStatus.OK, "1"))
    out = driver.hear(Verdict.SILENCE, 21_000)
    assert kinds(only(out, CancelResponse, RequestResponse)) == [CancelResponse, RequestResponse]
