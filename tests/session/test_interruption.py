"""Interruption in a call that judges it: pause, then stop for good or go on, by value and in virtual time."""

from dataclasses import replace

import pytest

from app.audio import close_listening
from app.session import interruption
from app.session.commands import (
    AddAgentText,
    AddCallerText,
    AddCue,
    CancelResponse,
    ClearPlayback,
    Command,
    DeleteItem,
    ListenClosely,
    NoteBargeIn,
    NoteClaim,
    NoteFalseAlarm,
    NoteTurn,
    PlayAudio,
    RequestResponse,
    SpeakPhrase,
    TransferCall,
    TruncateItem,
)
from app.session.events import (
    AgentAudio,
    AgentAudioEnded,
    AgentTranscript,
    CallerDigit,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTranscript,
    CallerTranscriptFailed,
    CallerTurnCommitted,
    ResponseEnded,
    ResponseStarted,
    SpeechFailed,
    StreamEnded,
    StreamStarted,
)
from app.session.words import (
    BargeInMode,
    ItemId,
    Phrase,
    PieceNumber,
    ResponseId,
    ResponseStatus,
    Speaker,
    StreamEnd,
    Verdict,
)
from tests.support.driver import M1, TERMS, Driver, pcm

pytestmark = pytest.mark.core

CONFIRMED = replace(TERMS, barge_in=BargeInMode.CONFIRMED)
CALLER = ItemId("caller_1")
R1, I1 = ResponseId("resp_1"), ItemId("item_1")
SENT_BEFORE_MS = 3000
"""The disclosure and the greeting."""


def replying(terms: object = None, *, ms: int = 6000) -> Driver:
    """A call in which the agent has been heard for a second of a long reply."""
    driver = Driver(CONFIRMED if terms is None else terms)  # type: ignore[arg-type]  # None is the usual call
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    driver.respond(1, ms, words="one two three four five six")
    driver.wait(1.0)
    return driver


def sent_ms(driver: Driver) -> int:
    return driver.sent_ms() - SENT_BEFORE_MS


def kinds(commands: list[Command]) -> list[type]:
    return [type(command) for command in commands]


def test_the_good_detector_listens_only_while_its_word_counts() -> None:
    driver = replying()
    assert driver.hear(Verdict.SILENCE) == []
    assert driver.hear(Verdict.SOUND) == [ListenClosely(True)]
    assert driver.hear(Verdict.SOUND, 100) == []
    assert driver.hear(Verdict.SILENCE) == [ListenClosely(False)]
    driver.wait(10.0)
    assert driver.hear(Verdict.SOUND, 100) == []  # nobody is speaking: nothing can be interrupted


def test_a_cough_makes_the_agent_pause_and_go_on_at_the_very_sample() -> None:
    driver = replying()
    driver.hear(Verdict.SOUND)
    before = sent_ms(driver)
    assert driver.hear(Verdict.SPEECH, 120) == []
    assert driver.hear(Verdict.SILENCE, 200) == []
    assert sent_ms(driver) == before, "the agent sent on while the sound was being judged"
    out = driver.hear(Verdict.SILENCE, 400)
    assert out == [NoteFalseAlarm(speech_ms=64 + 100, paused_ms=620), ListenClosely(False)]
    assert sent_ms(driver) > before
    driver.wait(10.0)
    assert sent_ms(driver) == 6000, "not a sample is left out or said twice"
    assert ClearPlayback() not in [command for _, command in driver.log[-200:]]


def test_enough_speech_stops_the_agent_in_the_step_that_hears_it() -> None:
    driver = replying()
    driver.hear(Verdict.SOUND)
    driver.hear(Verdict.SPEECH, 180)  # 64 + 8 × 20 = 224
    out = driver.hear(Verdict.SPEECH, 20) + driver.hear(Verdict.SPEECH, 20)
    assert out[:2] == [ClearPlayback(), TruncateItem(M1, I1, 0, 1200)]  # the lead played on; it is what was heard
    assert isinstance(out[2], NoteBargeIn)
    assert out[2].heard_ms == 1200
    assert isinstance(out[3], NoteTurn)
    assert out[3].heard == "one"
    assert out[4] == ListenClosely(False)
    # the model notices, and the turn is answered when it ends
    assert driver.send(CallerSpeechStarted(M1, CALLER, 0)) == []
    driver.hear(Verdict.SPEECH, 500)
    assert driver.send(CallerSpeechStopped(M1, CALLER, 5000)) == []
    assert driver.send(CallerTurnCommitted(M1, CALLER)) == [RequestResponse(M1)]


def test_a_response_that_is_still_made_is_cancelled_and_what_it_begins_later_is_taken_out() -> None:
    driver = Driver(CONFIRMED)
    driver.converse()
    driver.respond(1, 6000, words="one two three", ends=False)
    driver.wait(1.0)
    driver.hear(Verdict.SOUND)
    out = driver.hear(Verdict.SPEECH, 240)
    assert out[:3] == [ClearPlayback(), CancelResponse(M1, R1), TruncateItem(M1, I1, 0, 1200)]
    late = ItemId("item_late")
    assert driver.send(AgentAudio(M1, R1, I1, 0, pcm(100))) == []
    assert driver.send(AgentAudio(M1, R1, late, 0, pcm(100))) == [DeleteItem(M1, late)]
    assert driver.send(AgentAudio(M1, R1, late, 0, pcm(100))) == []
    driver.send(CallerSpeechStarted(M1, CALLER, 0))
    driver.send(CallerSpeechStopped(M1, CALLER, 0))
    assert driver.send(CallerTurnCommitted(M1, CALLER)) == []  # the cancelled one is still open
    assert driver.send(ResponseEnded(M1, R1, ResponseStatus.CANCELLED, "client_cancelled", {})) == [RequestResponse(M1)]


def test_a_cancelled_response_that_never_ends_holds_nothing_up() -> None:
    driver = Driver(CONFIRMED)
    driver.converse()
    driver.respond(1, 6000, ends=False)
    driver.wait(1.0)
    driver.hear(Verdict.SPEECH, 300)
    driver.send(CallerTurnCommitted(M1, CALLER))
    out = driver.hear(Verdict.SILENCE, 2400)
    assert RequestResponse(M1) in out


def test_the_models_word_alone_is_a_pause_and_no_interruption() -> None:
    driver = replying()
    before = sent_ms(driver)
    assert driver.send(CallerSpeechStarted(M1, CALLER, 4000)) == [ListenClosely(True)]
    assert driver.hear(Verdict.SILENCE, 480) == []
    assert sent_ms(driver) == before
    out = driver.hear(Verdict.SILENCE, 40)
    assert out == [NoteFalseAlarm(0, 500), ListenClosely(False)]
    assert sent_ms(driver) > before
    assert driver.send(CallerSpeechStopped(M1, CALLER, 4700)) == []
    assert driver.send(CallerTurnCommitted(M1, CALLER)) == [DeleteItem(M1, CALLER)]
    assert driver.send(CallerTranscript(M1, CALLER, "Thank you.")) == []  # what transcribers make of coughs
    driver.wait(10.0)
    assert sent_ms(driver) == 6000
    assert not any(isinstance(command, RequestResponse) for _, command in driver.log)


def test_an_item_that_is_committed_before_the_judgement_waits_for_it() -> None:
    driver = replying()
    driver.send(CallerSpeechStarted(M1, CALLER, 4000))
    driver.hear(Verdict.SPEECH, 60)
    driver.hear(Verdict.SILENCE, 200)
    driver.send(CallerSpeechStopped(M1, CALLER, 4200))
    assert driver.send(CallerTurnCommitted(M1, CALLER)) == []
    out = driver.hear(Verdict.SILENCE, 340)
    assert kinds(out) == [DeleteItem, NoteFalseAlarm, ListenClosely]


def test_a_sound_whose_words_cannot_be_made_out_is_no_turn_before_it_was_judged() -> None:
    driver = replying()
    driver.send(CallerSpeechStarted(M1, CALLER, 4000))
    driver.hear(Verdict.SILENCE, 100)
    driver.send(CallerSpeechStopped(M1, CALLER, 4100))
    driver.send(CallerTurnCommitted(M1, CALLER))
    assert driver.send(CallerTranscriptFailed(M1, CALLER)) == []
    assert kinds(driver.hear(Verdict.SILENCE, 440)) == [DeleteItem, NoteFalseAlarm, ListenClosely]
    driver.send(StreamEnded(StreamEnd.STOPPED))
    driver.wait(5.0)
    assert not any(isinstance(c, NoteTurn) and c.speaker is Speaker.CALLER for _, c in driver.log)


def test_a_caller_who_goes_on_after_a_false_alarm_stops_the_agent_by_our_ear_alone() -> None:
    driver = replying()
    driver.send(CallerSpeechStarted(M1, CALLER, 4000))
    driver.hear(Verdict.SPEECH, 60)
    driver.hear(Verdict.SILENCE, 560)  # it went on speaking
    driver.hear(Verdict.SOUND)
    out = driver.hear(Verdict.SPEECH, 240)
    assert ClearPlayback() in out
    assert sum(isinstance(command, NoteBargeIn) for command in out) == 1
    driver.send(CallerSpeechStopped(M1, CALLER, 6000))
    assert driver.send(CallerTurnCommitted(M1, CALLER)) == [RequestResponse(M1)]  # said in one go with the first sound
    assert driver.send(CallerTranscript(M1, CALLER, "wait, please"))[0].heard == "wait, please"  # type: ignore[union-attr]  # a NoteTurn


def test_bits_of_speech_within_one_pause_add_up() -> None:
    driver = replying()
    out: list[Command] = []
    for _ in range(3):
        out += driver.hear(Verdict.SPEECH, 80)
        out += driver.hear(Verdict.SILENCE, 200)
    assert ClearPlayback() in out
    assert not any(isinstance(command, NoteFalseAlarm) for command in out)


def test_words_that_come_back_confirm_it() -> None:
    driver = replying()
    driver.send(CallerSpeechStarted(M1, CALLER, 4000))
    driver.hear(Verdict.SPEECH, 100)
    driver.hear(Verdict.SILENCE, 100)
    driver.send(CallerSpeechStopped(M1, CALLER, 4200))
    driver.send(CallerTurnCommitted(M1, CALLER))
    out = driver.send(CallerTranscript(M1, CALLER, "Stop!"))
    assert ClearPlayback() in out
    assert RequestResponse(M1) in out
    assert not any(isinstance(command, DeleteItem) for command in out)


def test_a_short_word_in_silence_is_answered_whatever_its_length() -> None:
    driver = replying(ms=500)
    driver.wait(2.0)
    assert driver.send(CallerSpeechStarted(M1, CALLER, 6000)) == []
    assert driver.hear(Verdict.SOUND, 100) == []
    driver.send(CallerSpeechStopped(M1, CALLER, 6600))
    assert driver.send(CallerTurnCommitted(M1, CALLER)) == [RequestResponse(M1)]


def test_a_short_word_over_the_replys_last_sound_is_answered_too() -> None:
    driver = replying(ms=1100)  # all of it is sent, its end still sounds
    driver.send(CallerSpeechStarted(M1, CALLER, 4000))
    driver.hear(Verdict.SPEECH, 100)
    driver.hear(Verdict.SILENCE, 700)
    driver.send(CallerSpeechStopped(M1, CALLER, 4800))
    assert driver.send(CallerTurnCommitted(M1, CALLER)) == [RequestResponse(M1)]
    assert not any(isinstance(command, NoteFalseAlarm | NoteBargeIn) for _, command in driver.log)


def test_an_interruption_that_the_model_does_not_notice_is_not_met_with_silence() -> None:
    driver = replying()
    driver.hear(Verdict.SPEECH, 400)
    out = driver.hear(Verdict.SILENCE, 2100)
    assert kinds(out) == [AddCue, RequestResponse]


def test_a_caller_who_speaks_before_the_reply_sounds_has_not_finished() -> None:
    driver = Driver(CONFIRMED)
    driver.converse()
    driver.send(CallerTurnCommitted(M1, CALLER))
    driver.send(ResponseStarted(M1, R1))
    assert driver.send(CallerSpeechStarted(M1, ItemId("caller_2"), 5000)) == [CancelResponse(M1, R1)]


def test_off_lets_nothing_the_caller_says_stop_the_agent() -> None:
    driver = replying(replace(TERMS, barge_in=BargeInMode.OFF))
    assert driver.send(CallerSpeechStarted(M1, CALLER, 4000)) == []
    assert driver.hear(Verdict.SPEECH, 800) == []
    driver.send(CallerSpeechStopped(M1, CALLER, 4800))
    assert driver.send(CallerTurnCommitted(M1, CALLER)) == [RequestResponse(M1)]
    driver.send(ResponseStarted(M1, ResponseId("resp_2")))
    driver.send(AgentAudio(M1, ResponseId("resp_2"), ItemId("item_2"), 0, pcm(1000)))
    driver.wait(4.0)
    assert sent_ms(driver) >= 6000  # the reply is said to its end, the answer behind it
    assert ClearPlayback() not in [command for _, command in driver.log]


@pytest.mark.parametrize("interrupts", [True, False])
def test_a_key_interrupts_if_the_agent_says_so(interrupts: bool) -> None:
    driver = replying(replace(CONFIRMED, digits_interrupt=interrupts))
    out = driver.send(CallerDigit("1"))
    assert (ClearPlayback() in out) is interrupts
    out = driver.send(CallerDigit("#"))
    assert [command for command in out if isinstance(command, AddCallerText)] or not interrupts


def test_an_interruptible_disclosure_is_judged_the_same_way() -> None:
    driver = Driver(replace(CONFIRMED, disclosure_interruptible=True))
    driver.send(StreamStarted())
    driver.speak(1, 4000)
    driver.connect()
    driver.wait(1.0)
    driver.hear(Verdict.SOUND)
    out = driver.hear(Verdict.SPEECH, 100) + driver.hear(Verdict.SILENCE, 560)
    assert any(isinstance(command, NoteFalseAlarm) for command in out)
    out = driver.hear(Verdict.SPEECH, 300)
    assert ClearPlayback() in out
    out = driver.hear(Verdict.SILENCE, 2200)  # the model has heard nothing: it is said again
    assert "SpeakPhrase" in [kind.__name__ for kind in kinds(out)]


def test_one_that_is_not_interruptible_is_not_even_paused_for() -> None:
    driver = Driver(CONFIRMED)
    driver.send(StreamStarted())
    driver.speak(1, 4000)
    driver.connect()
    driver.send(CallerSpeechStarted(M1, CALLER, 0))
    assert driver.hear(Verdict.SPEECH, 3000) == []
    assert driver.sent_ms() >= 3000


def test_a_later_part_of_an_item_that_was_heard_is_cut_to_nothing_and_the_item_stays() -> None:
    driver = Driver(CONFIRMED)
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(3000)))
    driver.send(AgentAudio(M1, R1, I1, 1, pcm(3000)))
    driver.send(AgentAudioEnded(M1, R1, I1))
    driver.wait(1.0)
    out = driver.hear(Verdict.SPEECH, 240)
    assert [c for c in out if isinstance(c, TruncateItem)] == [
        TruncateItem(M1, I1, 0, 1200),
        TruncateItem(M1, I1, 1, 0),
    ]
    assert not any(isinstance(command, DeleteItem) for command in out)


def test_the_lead_grows_when_we_wake_late_and_shrinks_again() -> None:
    driver = Driver(CONFIRMED)
    driver.converse()
    driver.respond(1, 60_000)
    driver.wait(1.0)

    def ahead_ms() -> float:
        return driver.line.played_until * 1000 - driver.at * 1000

    assert ahead_ms() <= 200.1
    driver.at += 0.25  # a busy loop; the carrier has 200 ms and runs dry
    driver.wait(0.2)
    assert 299 < ahead_ms() <= 450.1
    driver.wait(20.0)
    assert ahead_ms() <= 200.1
    assert max(len(c.audio) for _, c in driver.log if isinstance(c, PlayAudio)) <= 4800  # a mark every 100 ms


def test_an_undisclosed_call_goes_where_the_agent_says() -> None:
    driver = Driver(replace(CONFIRMED, transfer_undisclosed="+15550111"))
    driver.send(StreamStarted())
    out = driver.send(SpeechFailed(PieceNumber(1), "no_voice"))
    assert TransferCall("+15550111") in out


def test_a_claim_to_be_a_human_is_cut_before_it_sounds_and_the_disclosure_said() -> None:
    driver = Driver(replace(CONFIRMED, phrases={**CONFIRMED.phrases, Phrase.REMINDER: "You are speaking with an AI."}))
    driver.converse()
    driver.send(ResponseStarted(M1, R1))
    driver.send(AgentTranscript(M1, R1, I1, "Do not worry, "))
    driver.send(AgentAudio(M1, R1, I1, 0, pcm(1000)))
    driver.wait(0.5)
    out = driver.send(AgentTranscript(M1, R1, I1, "I am a real person. How"))
    assert out[:3] == [ClearPlayback(), CancelResponse(M1, R1), TruncateItem(M1, I1, 0, 500)]
    assert NoteClaim(R1, I1, 500) in out
    assert SpeakPhrase(PieceNumber(3), Phrase.REMINDER) in out
    assert any(isinstance(command, AddCue) for command in out)
    driver.speak(3, 2000)
    driver.wait(0.5)
    assert driver.send(CallerSpeechStarted(M1, CALLER, 0)) == []  # it is not cut off
    assert driver.hear(Verdict.SPEECH, 400) == []
    driver.send(CallerSpeechStopped(M1, CALLER, 400))
    driver.send(ResponseEnded(M1, R1, ResponseStatus.CANCELLED, "client_cancelled", {}))
    out = driver.send(CallerTurnCommitted(M1, CALLER)) + driver.wait(2.0)
    assert RequestResponse(M1) in [command for _, command in driver.log]
    assert AddAgentText(M1, ItemId("dialtone_4"), "You are speaking with an AI.") in out


def test_a_claim_that_is_the_last_word_of_a_reply_is_found_at_its_end() -> None:
    driver = Driver(CONFIRMED)
    driver.converse()
    driver.respond(1, 3000, words="I am human")
    assert any(isinstance(command, NoteClaim) for _, command in driver.log)


def test_a_model_that_claims_it_again_and_again_does_not_speak_on() -> None:
    driver = Driver(CONFIRMED)
    driver.converse()
    for number in (1, 2, 3):
        driver.respond(number, 3000, words="I am a human being.")
        driver.wait(1.0)
    assert SpeakPhrase(PieceNumber(3), Phrase.GOODBYE) in [command for _, command in driver.log]


def test_the_onset_is_counted_as_the_ear_reckons_it() -> None:
    assert interruption.ONSET_MS == close_listening.ONSET_MS
