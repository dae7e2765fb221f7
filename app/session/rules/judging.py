"""Does the caller interrupt? Joins our ear's verdicts and the model's word to `interruption.py`, by the mode."""

from app.session.commands import CancelResponse, CancelSpeech, DeleteItem, ListenClosely, NoteClaim, NoteFalseAlarm
from app.session.conversation import Side
from app.session.events import CallerAudio
from app.session.interruption import Sound
from app.session.phase import Phase
from app.session.rules.beginning import TURN_WAIT_S
from app.session.rules.cutting import cut_playback, delete_unheard
from app.session.rules.heard import note_without_words
from app.session.rules.leaving import after_turn, close
from app.session.rules.saying import say_to_model, speak
from app.session.rules.state import CallState
from app.session.rules.voicing import cut_parts, response_written
from app.session.words import BargeInMode, ItemId, Outcome, Phrase, ResponseId, Verdict

UNHEARD_WAIT_S = 2.0
"""How long the model may take to notice a caller who has interrupted; after that it is asked to go on without."""
ONSET_MARGIN_MS = 200
"""A model counts what lies before the first word to the turn (prefix_padding_ms, mostly 300)."""
UNHEARD_CUE = "The caller interrupted you, but the words could not be made out. Ask what they would like."
CLAIM_CUE = (
    "You have just claimed to be a human. You are an AI assistant, and the caller was told so again. "
    "Go on helping, and do not claim it any more."
)
MAX_CLAIMS = 3
"""A model that claims to be a human so often is not let speak to the caller any more."""


def is_news(call: CallState, frame: CallerAudio) -> bool:
    """Does this frame change anything but what the model is given?"""
    if frame.verdict is not call.verdict:
        return True
    if frame.verdict is Verdict.SPEECH and call.interruption.is_hearing:  # each frame of it counts
        return call.interruption.voice_heard(call.terms.audio.ms_of(len(frame.audio))) or call.backlog.is_due
    return call.backlog.is_due


def may_be_interrupted(call: CallState) -> bool:
    """Does a sound of the caller call for a judgement now: is there agent audio that it could stop?"""
    if call.terms.barge_in is not BargeInMode.CONFIRMED or call.playback.is_silent:
        return False
    if call.phase.phase is Phase.DISCLOSING:
        return call.disclosure.may_be_cut
    return call.phase.phase is Phase.CONVERSING and not call.playback.holds(Phrase.REMINDER)


def verdict_given(call: CallState, verdict: Verdict, at: float) -> None:
    """Our own detector has another opinion than a frame ago, or has heard enough."""
    before, call.verdict = call.verdict, verdict
    if verdict is Verdict.SILENCE and before is not Verdict.SILENCE:
        call.quiet_since = at
    mind_dismissed(call, at)
    if verdict is Verdict.SPEECH:
        if before is not Verdict.SPEECH and may_be_interrupted(call):
            call.interruption.voice_began(at)
        if call.interruption.is_enough:
            accept_interruption(call, at)
    elif before is Verdict.SPEECH:
        call.interruption.voice_ended(at)
        if call.is_unheard:
            call.unheard_by = at + UNHEARD_WAIT_S


def speech_reported(call: CallState, item_id: ItemId, audio_start_ms: int, at: float) -> None:
    """The model hears the caller. audio_start_ms: where in its audio that begins."""
    call.interruption.open_item = item_id
    call.is_unheard = False
    call.unheard_by = None
    if is_late(call, audio_start_ms):
        return  # it was said before the model was there: what sounds now was not interrupted by it
    if call.terms.barge_in is BargeInMode.IMMEDIATE:
        interrupt(call, at)
    elif call.terms.barge_in is BargeInMode.CONFIRMED:
        if not may_be_interrupted(call):
            interrupt(call, at)  # a response that has no sound yet: the caller has not finished after all
        else:
            call.interruption.reported(item_id, at)
            if call.verdict is Verdict.SPEECH and not call.interruption.is_hearing:
                call.interruption.voice_began(at)


def is_late(call: CallState, audio_start_ms: int) -> bool:
    """Was this part of the model's audio sent later than the caller spoke it?"""
    audio = call.terms.audio
    said = call.backlog.place_of(audio.bytes_of(audio_start_ms))
    return said + audio.bytes_of(ONSET_MARGIN_MS) < call.backlog.late_until


def accept_interruption(call: CallState, at: float) -> None:
    """It is one: stop the agent in this very step."""
    sound = call.interruption.settle()
    open_item = call.interruption.open_item
    items = list(sound.items) if sound.items or open_item is None else [open_item]
    call.floor.caller_started()
    if not items:
        call.is_unheard = True
        call.unheard_by = None if call.verdict is Verdict.SPEECH else at + UNHEARD_WAIT_S
    for item_id in items:
        call.interruption.take_back(item_id)
        call.caller_turns.started(item_id, call.ms(sound.since))
    interrupt(call, at)
    if sound.is_committed:
        call.floor.caller_stopped()
        call.responses.want(items[-1], confirmed=True)
        note_without_words(call, items[-1], at)
        after_turn(call, at)


def go_on_speaking(call: CallState, at: float) -> None:
    """It was none: the agent speaks on from where it stopped, and what the model made of the sound is taken out."""
    sound = call.interruption.settle()
    if call.playback.has_more:
        dismiss(call, sound)
        call.out.append(NoteFalseAlarm(sound.speech_ms, round((at - sound.since) * 1000)))
    elif sound.is_committed and sound.item_id is not None:  # the reply was over: it is the caller's turn after all
        call.responses.want(sound.item_id, confirmed=True)
        note_without_words(call, sound.item_id, at)
    if not call.floor.is_caller_speaking:
        after_turn(call, at)


def dismiss(call: CallState, sound: Sound) -> None:
    """Take out what the model made of a sound that was no turn, now or once it is committed."""
    if sound.items:
        call.floor.caller_stopped()
    for item_id, is_committed in sound.items.items():
        call.interruption.dismiss(item_id)
        call.caller_turns.forget(item_id)
        if is_committed:
            call.conversation.forget(item_id)
            call.out.append(DeleteItem(call.line.model, item_id))


def mind_dismissed(call: CallState, at: float) -> None:
    """The model still hears a sound that was no turn: what the caller says by now, over nothing of ours, is one."""
    item_id = call.interruption.open_item
    if item_id is None or call.verdict is Verdict.SILENCE or not call.interruption.is_dismissed(item_id):
        return
    if call.playback.is_silent and call.phase.phase is Phase.CONVERSING:
        call.interruption.take_back(item_id)
        call.floor.caller_started()
        call.caller_turns.started(item_id, call.ms(at))


def mind_listening(call: CallState) -> None:
    """Have the good detector listen while its word counts, and no longer."""
    closely = call.interruption.is_judging or (call.verdict is not Verdict.SILENCE and may_be_interrupted(call))
    if closely is not call.is_listening:
        call.is_listening = closely
        call.out.append(ListenClosely(closely))


def not_noticed(call: CallState, at: float) -> None:
    """The caller has interrupted, and the model has heard nothing of it: nobody must wait for a turn's end."""
    if not call.line.is_ready:
        call.unheard_by = at + UNHEARD_WAIT_S  # it cannot notice before it is there and has the audio
        return
    call.is_unheard = False
    call.unheard_by = None
    call.floor.caller_stopped()
    if call.phase.phase is Phase.CONVERSING:
        call.responses.want(say_to_model(call, Side.CUE, UNHEARD_CUE))
    after_turn(call, at)


def interrupt(call: CallState, at: float) -> None:
    """The caller speaks: stop the agent, if it may be stopped now."""
    if call.phase.phase is Phase.DISCLOSING:
        if not call.disclosure.may_be_cut:
            return
        call.disclosure.cut()
        call.begin_by = at + TURN_WAIT_S
    elif call.phase.phase is not Phase.CONVERSING or call.playback.holds(Phrase.REMINDER):
        return
    cut_playback(call, at, is_barge_in=True)


def cut_claim(call: CallState, response_id: ResponseId, item_id: ItemId, at: float) -> None:
    """The model says that it is a human: cut it and say the disclosure again. The words come before their sound."""
    if call.phase.phase is Phase.DISCLOSING:
        withdraw_claim(call, response_id, item_id, at)
        return
    if call.phase.phase is not Phase.CONVERSING:
        return
    sounding = cut_playback(call, at, is_barge_in=False)
    is_heard = sounding is not None and sounding.item_id == item_id
    heard_ms = call.terms.audio.ms_of(sounding.heard) if sounding is not None and is_heard else 0
    call.out.append(NoteClaim(response_id, item_id, heard_ms))
    call.claims += 1
    if call.claims >= MAX_CLAIMS:
        close(call, Outcome.AGENT_HUNG_UP, Phrase.GOODBYE, at)
        return
    speak(call, Phrase.REMINDER)
    call.responses.want(say_to_model(call, Side.CUE, CLAIM_CUE))


def withdraw_claim(call: CallState, response_id: ResponseId, item_id: ItemId, at: float) -> None:
    """So it says while the caller hears the disclosure: nothing of the response has sounded, and nothing will."""
    if call.responses.response_id == response_id:
        cut_response = call.responses.cut(at)
        if cut_response is not None:
            call.out.append(CancelResponse(call.line.model, cut_response))
    response_written(call, response_id)
    withdrawn = call.playback.withdraw(response_id)
    for item in withdrawn:
        if item.piece in call.speaking:
            call.speaking.discard(item.piece)
            call.out.append(CancelSpeech(item.piece))
    delete_unheard(call, withdrawn)
    cut_parts(call, withdrawn)
    call.out.append(NoteClaim(response_id, item_id, 0))
    call.claims += 1
    call.responses.want(say_to_model(call, Side.CUE, CLAIM_CUE))
