"""The rules of a call: what happened and when → what to do.

Takes in one event at a time and answers with the commands that it calls for, in order. No clock, socket, await, log or
random: time is an argument, silence is news by `deadline`. The small machines (phase, floor, disclosure, responses,
playback, tool calls, turns, keypad, line) do not know each other; they are joined here and nowhere else.
"""

from typing import assert_never

from app.session.backlog import Backlog
from app.session.claims import claims_to_be_human
from app.session.commands import (
    AnswerToolCall,
    AppendInputAudio,
    CancelResponse,
    CancelSpeech,
    CancelTool,
    ClearPlayback,
    CloseModel,
    Command,
    DeleteItem,
    HangUp,
    ListenClosely,
    NoteBargeIn,
    NoteClaim,
    NoteEnd,
    NoteFalseAlarm,
    NoteToolCall,
    OpenModel,
    RequestResponse,
    RunTool,
    SetTurnHandling,
    SpeakPhrase,
    TransferCall,
    TruncateItem,
)
from app.session.conversation import Conversation, Side
from app.session.disclosure import DisclosureMachine, DisclosureState
from app.session.events import (
    AgentAudio,
    AgentAudioEnded,
    AgentTranscript,
    CallCompleted,
    CallerAudio,
    CallerDigit,
    CallerSpeechStarted,
    CallerSpeechStopped,
    CallerTranscript,
    CallerTranscriptFailed,
    CallerTurnCommitted,
    DeadlinePassed,
    Event,
    ItemTaken,
    ModelLost,
    ModelReady,
    ModelStalled,
    PlaybackReached,
    RequestRefused,
    ResponseEnded,
    ResponseStarted,
    ServiceStopping,
    SpeechAudio,
    SpeechEnded,
    SpeechFailed,
    StreamEnded,
    StreamStalled,
    StreamStarted,
    ToolCallFinished,
    ToolCallRequested,
    TranscriptionBilled,
    TurnHandlingSet,
)
from app.session.floor import FloorMachine
from app.session.idleness import Idle, Idleness
from app.session.interruption import InterruptionMachine
from app.session.keypad import Keypad
from app.session.line import ModelLine
from app.session.phase import Phase, PhaseMachine
from app.session.playback import MAX_WAITING_MS, Item, Playback
from app.session.responses import Responses
from app.session.terms import Terms
from app.session.toolcalls import ToolCall, ToolCalls
from app.session.turns import AgentTurns, CallerTurns, words_heard
from app.session.words import (
    BargeInMode,
    Fault,
    ItemId,
    ModelNumber,
    Outcome,
    Phrase,
    PieceNumber,
    Request,
    ResponseId,
    ResponseStatus,
    StreamEnd,
    ToolCallId,
    ToolStatus,
    Verdict,
)

KEPT_MS = 10_000
"""How much of the caller's audio is kept for a model that is not there yet."""
TURN_WAIT_S = 8.0
"""How long the greeting waits for a caller who was speaking when the disclosure ended."""
LAST_WORDS_S = 10.0
"""How long the last words may take before the line is closed without them."""
UNHEARD_WAIT_S = 2.0
"""How long the model may take to notice a caller who has interrupted; after that it is asked to go on without."""
HANG_UP_WAIT_S = 2.0
LINGER_S = 2.0
"""How long the model's socket stays open after the stream's end, for the last response.done and transcripts."""
STREAM_SILENCE_S = 10.0
"""Media comes every 20 ms, silence too: none for so long, and the socket is half open."""
_OUTCOMES = {
    StreamEnd.STOPPED: Outcome.CALLER_HUNG_UP,
    StreamEnd.LOST: Outcome.STREAM_LOST,
    StreamEnd.CLOSED: Outcome.INTERRUPTED,  # not by our command, which has an outcome of its own: the process ends
}
BEGIN = ItemId("begin")
RECOVERED = ItemId("recovered")
UNHEARD_CUE = "The caller interrupted you, but the words could not be made out. Ask what they would like."
CLAIM_CUE = (
    "You have just claimed to be a human. You are an AI assistant, and the caller was told so again. "
    "Go on helping, and do not claim it any more."
)
MAX_CLAIMS = 3
"""A model that claims to be a human so often is not let speak to the caller any more."""


def _claims(words: str) -> bool:
    """Do these words, to which no more will come, claim that a human speaks?"""
    return claims_to_be_human(words, is_whole=True)


class Session:
    """One call. `deadline`: the next moment at which silence itself is news, or None."""

    def __init__(self, terms: Terms) -> None:
        self.deadline: float | None = None
        self._terms = terms
        self._out: list[Command] = []
        self._phase = PhaseMachine()
        self._floor = FloorMachine()
        self._disclosure = DisclosureMachine(interruptible=terms.disclosure_interruptible)
        self._playback = Playback(terms.audio)
        self._responses = Responses()
        self._tools = ToolCalls()
        self._conversation = Conversation()
        self._keypad = Keypad()
        self._line = ModelLine()
        self._idleness = Idleness(terms.idle_prompt_s, terms.idle_hangup_s)
        self._interruption = InterruptionMachine(
            min_speech_ms=terms.min_speech_ms, resume_after_ms=terms.resume_after_ms
        )
        self._verdict = Verdict.SILENCE
        self._is_listening = False  # closely, that is
        self._is_unheard = False  # the caller has interrupted, and the model has not noticed yet
        self._unheard_by: float | None = None
        self._claims = 0
        self._caller_turns = CallerTurns()
        self._agent_turns = AgentTurns()
        self._began_at = 0.0
        self._frame_at = 0.0
        self._caller_bytes = 0
        self._backlog = Backlog(terms.audio.bytes_of(KEPT_MS))
        self._pieces = 0
        self._speaking: set[PieceNumber] = set()
        self._is_begun = False  # the greeting, or the model's own beginning, has had its turn
        self._begin_by: float | None = None
        self._outcome: Outcome | None = None
        self._last_piece: PieceNumber | None = None
        self._is_hanging_up = False
        self._is_stream_over = False
        self._over_at: float | None = None
        self._closing_by: float | None = None

    @property
    def ended(self) -> bool:
        return self._phase.phase is Phase.ENDED

    def receive(self, event: Event, *, at: float) -> list[Command]:
        """Take in one event; return the commands it calls for, in order. at: seconds, monotonic."""
        if type(event) is CallerAudio and not self._is_news(event):  # fifty times a second: moves no pacing, no timers
            return self._caller_audio(event.audio, at)
        if self.ended:
            return []
        out = self._out = []
        self._take(event, at)
        if not self.ended:
            self._go_on(at)
        self.deadline = self._next_deadline()
        return out

    # --- what happened ------------------------------------------------------------------------------------------------

    def _take(self, event: Event, at: float) -> None:
        match event:
            case CallerAudio(audio, verdict):
                self._out += self._caller_audio(audio, at)
                self._judged(verdict, at)
            case StreamStarted(disclosure_said):
                self._stream_started(at, disclosure_said=disclosure_said)
            case CallerDigit(digit):
                self._digit(digit, at)
            case PlaybackReached(generation, number):
                for item in self._playback.reached(generation, number, at):
                    self._item_finished(item, at, mark=f"{generation}:{number}")
            case StreamEnded(end):
                self._stream_ended(end, at)
            case StreamStalled():
                self._hang_up_now(Outcome.STREAM_LOST, at)
            case CallCompleted():
                self._hang_up_now(Outcome.CALLER_HUNG_UP, at)
            case ServiceStopping():
                self._hang_up_now(Outcome.INTERRUPTED, at)
            case SpeechAudio(piece, audio):
                self._playback.phrase_audio(piece, audio)
            case SpeechEnded(piece):
                if self._playback.phrase_complete(piece):
                    self._speaking.discard(piece)
                else:
                    self._speech_failed(piece, at)  # it was spoken without a sound
            case SpeechFailed(piece, _):
                self._speech_failed(piece, at)
            case ToolCallFinished(tool_call_id, status, output):
                self._tool_finished(tool_call_id, status, output, at)
            case DeadlinePassed():
                self._deadline_passed(at)
            case TranscriptionBilled():
                pass  # for the journal's readers
            case _:
                if self._line.is_current(event.model):
                    self._take_from_model(event, at)

    def _take_from_model(
        self,
        event: ModelReady
        | TurnHandlingSet
        | ModelStalled
        | ModelLost
        | CallerSpeechStarted
        | CallerSpeechStopped
        | CallerTurnCommitted
        | CallerTranscript
        | CallerTranscriptFailed
        | ItemTaken
        | ResponseStarted
        | AgentAudio
        | AgentAudioEnded
        | AgentTranscript
        | ToolCallRequested
        | ResponseEnded
        | RequestRefused,
        at: float,
    ) -> None:
        match event:
            case AgentAudio(model, response_id, item_id, content_index, audio):
                if self._takes_in(response_id):
                    self._responses.heard_from(at)
                    self._playback.audio(model, response_id, item_id, content_index, audio)
                    self._bound_waiting(at)
                else:
                    self._drop_stray(model, item_id)
            case AgentAudioEnded(_, _, item_id):
                self._playback.item_complete(item_id)
            case AgentTranscript(model, response_id, item_id, text):
                if self._takes_in(response_id):
                    words = self._playback.words(model, response_id, item_id, text)
                    if claims_to_be_human(words):
                        self._cut_claim(response_id, item_id, at)
            case ModelReady():
                self._model_ready(at)
            case TurnHandlingSet():
                self._line.turn_handling_confirmed()
            case ModelStalled(model):
                self._out.append(CloseModel(model))
                self._model_lost(at)
            case ModelLost():
                self._model_lost(at)
            case CallerSpeechStarted(_, item_id, audio_start_ms):
                self._floor.caller_started()
                self._caller_turns.started(item_id, self._stream_ms(audio_start_ms, at))
                self._idleness.caller_was_active(at)
                self._speech_reported(item_id, at)
            case CallerSpeechStopped(_, item_id, audio_end_ms):
                self._floor.caller_stopped()
                if not self._interruption.is_dismissed(item_id):
                    self._caller_turns.stopped(item_id, self._stream_ms(audio_end_ms, at))
                self._idleness.caller_was_active(at)
                if self._line.answers_turns and self._phase.phase is Phase.CONVERSING:
                    self._responses.expect(item_id, at)
            case CallerTurnCommitted(_, item_id):
                self._turn_committed(item_id, at)
            case CallerTranscript(model, item_id, text):
                if self._interruption.is_about(item_id) and text.strip():
                    self._accept_interruption(at)
                if not self._interruption.is_dismissed(item_id):
                    self._conversation.learnt(Side.CALLER, item_id, text, model)
                    self._note_caller_turn(item_id, text, at)
            case CallerTranscriptFailed(_, item_id):
                self._note_caller_turn(item_id, None, at)
            case ItemTaken(_, item_id):
                self._responses.confirm(item_id)
            case ResponseStarted(model, response_id):
                if self._responses.started(response_id, at) or self._phase.phase is Phase.CLOSING:
                    self._responses.cut(at)
                    self._out.append(CancelResponse(model, response_id))
            case ToolCallRequested():
                self._tool_requested(event, at)
            case ResponseEnded():
                self._response_ended(event, at)
            case RequestRefused(_, request, fault, _):
                if request is Request.RESPONSE:
                    if fault not in (Fault.BENIGN, Fault.TRANSIENT):
                        self._responses.drop_wants()
                    self._responses.refused(at)
            case _:
                assert_never(event)

    # --- the caller's side --------------------------------------------------------------------------------------------

    def _caller_audio(self, audio: bytes, at: float) -> list[Command]:
        phase = self._phase.phase
        if phase is not Phase.CONVERSING and phase is not Phase.DISCLOSING:
            return []
        self._frame_at = at
        self._caller_bytes += len(audio)
        if self._line.is_ready and not self._backlog:
            return [AppendInputAudio(self._line.model, audio)]
        self._backlog.keep(audio)
        if not self._line.is_ready:
            return []
        return [AppendInputAudio(self._line.model, frame) for frame in self._backlog.next_two()]

    def _stream_started(self, at: float, *, disclosure_said: bool) -> None:
        if self._phase.phase is not Phase.OPENING:
            return
        self._began_at = self._frame_at = at
        self._idleness.caller_was_active(at)
        self._phase.move(Phase.DISCLOSING)
        self._open_model()
        if disclosure_said:
            self._conversation.add(Side.AGENT, self._terms.phrases.get(Phrase.DISCLOSURE, ""))
            self._settle_disclosure(DisclosureState.HEARD, at, mark=None)
        else:
            self._disclose(at)

    def _stream_ended(self, end: StreamEnd, at: float) -> None:
        self._is_stream_over = True
        self._over_at = at
        if self._phase.phase is Phase.OPENING:
            self._began_at = at
        if self._outcome is None:
            self._outcome = _OUTCOMES[end]
        self._leave(at)
        self._closing_by = at + LINGER_S

    def _digit(self, digit: str, at: float) -> None:
        if self._phase.phase in (Phase.DISCLOSING, Phase.CONVERSING):
            self._idleness.caller_was_active(at)
            if self._terms.digits_interrupt and self._phase.phase is Phase.CONVERSING:
                self._interrupt(at)
            self._keyed_in(self._keypad.press(digit, at))

    def _keyed_in(self, digits: str | None) -> None:
        if digits is not None:
            self._responses.want(self._conversation.add(Side.CALLER, f"Keypad: {digits}"))

    def _turn_committed(self, item_id: ItemId, at: float) -> None:
        if self._phase.phase is Phase.CLOSING:
            return
        self._interruption.committed(item_id)
        if self._interruption.is_dismissed(item_id):
            self._out.append(DeleteItem(self._line.model, item_id))
            self._after_turn(at)
            return
        self._conversation.learnt(Side.CALLER, item_id, "", self._line.model)
        if self._interruption.is_about(item_id):
            return  # what becomes of it is being judged
        if self._phase.phase is Phase.CONVERSING and self._line.answers_turns:
            self._responses.expect(item_id, at)
        else:
            self._responses.want(item_id, confirmed=True)
        self._after_turn(at)

    def _after_turn(self, at: float) -> None:
        """What has waited for the end of the caller's turn has its turn now."""
        if self._begin_by is None:
            return
        self._begin_by = None
        if self._phase.phase is Phase.DISCLOSING:
            self._disclose(at)  # it was cut, and is said again
        else:
            self._begin()

    # --- does the caller interrupt? -----------------------------------------------------------------------------------

    def _is_news(self, frame: CallerAudio) -> bool:
        """Does this frame change anything but what the model is given?"""
        if frame.verdict is not self._verdict:
            return True
        if frame.verdict is Verdict.SPEECH and self._interruption.is_hearing:
            return self._interruption.voice_heard(self._terms.audio.ms_of(len(frame.audio)))
        return False

    @property
    def _may_be_interrupted(self) -> bool:
        """Does a sound of the caller call for a judgement now: is there agent audio that it could stop?"""
        if self._terms.barge_in is not BargeInMode.CONFIRMED or self._playback.is_silent:
            return False
        if self._phase.phase is Phase.DISCLOSING:
            return self._disclosure.may_be_cut
        return self._phase.phase is Phase.CONVERSING and not self._playback.holds(Phrase.REMINDER)

    def _judged(self, verdict: Verdict, at: float) -> None:
        """Our own detector has another opinion than a frame ago, or has heard enough."""
        before, self._verdict = self._verdict, verdict
        if verdict is Verdict.SPEECH:
            if before is not Verdict.SPEECH and self._may_be_interrupted:
                self._interruption.voice_began(at)
            if self._interruption.is_enough:
                self._accept_interruption(at)
        elif before is Verdict.SPEECH:
            self._interruption.voice_ended(at)
            if self._is_unheard:
                self._unheard_by = at + UNHEARD_WAIT_S

    def _speech_reported(self, item_id: ItemId, at: float) -> None:
        """The model hears the caller."""
        self._interruption.open_item = item_id
        self._is_unheard = False
        self._unheard_by = None
        if self._terms.barge_in is BargeInMode.IMMEDIATE:
            self._interrupt(at)
        elif self._terms.barge_in is BargeInMode.CONFIRMED:
            if not self._may_be_interrupted:
                self._interrupt(at)  # a response that has no sound yet: the caller has not finished after all
            else:
                self._interruption.reported(item_id, at)
                if self._verdict is Verdict.SPEECH and not self._interruption.is_hearing:
                    self._interruption.voice_began(at)

    def _accept_interruption(self, at: float) -> None:
        """It is one: stop the agent in this very step."""
        sound = self._interruption.settle()
        item_id = sound.item_id or self._interruption.open_item
        self._floor.caller_started()
        if item_id is None:
            self._is_unheard = True
            self._unheard_by = None if self._verdict is Verdict.SPEECH else at + UNHEARD_WAIT_S
        else:
            self._interruption.take_back(item_id)
            self._caller_turns.started(item_id, self._ms(sound.since))
        if sound.is_committed and item_id is not None:
            self._floor.caller_stopped()
            self._responses.want(item_id, confirmed=True)
        self._interrupt(at)

    def _go_on_speaking(self, at: float) -> None:
        """It was none: the agent speaks on from where it stopped, and what the model made of the sound is taken out."""
        sound = self._interruption.settle()
        item_id = sound.item_id
        if not self._playback.has_more:  # the reply was over: whatever it was, it is the caller's turn
            if sound.is_committed and item_id is not None:
                self._responses.want(item_id, confirmed=True)
                self._after_turn(at)
            return
        if item_id is not None:
            self._floor.caller_stopped()
            self._interruption.dismiss(item_id)
            self._caller_turns.forget(item_id)
            if sound.is_committed:
                self._conversation.forget(item_id)
                self._out.append(DeleteItem(self._line.model, item_id))
        self._out.append(NoteFalseAlarm(sound.speech_ms, round((at - sound.since) * 1000)))

    def _mind_listening(self) -> None:
        """Have the good detector listen while its word counts, and no longer."""
        closely = self._interruption.is_judging or (self._verdict is not Verdict.SILENCE and self._may_be_interrupted)
        if closely is not self._is_listening:
            self._is_listening = closely
            self._out.append(ListenClosely(closely))

    def _not_noticed(self, at: float) -> None:
        """The caller has interrupted, and the model has heard nothing of it: nobody must wait for a turn's end."""
        self._is_unheard = False
        self._unheard_by = None
        self._floor.caller_stopped()
        if self._phase.phase is Phase.CONVERSING:
            self._responses.want(self._say_to_model(Side.CUE, UNHEARD_CUE))
        self._after_turn(at)

    def _interrupt(self, at: float) -> None:
        """The caller speaks: stop the agent, if it may be stopped now."""
        if self._phase.phase is Phase.DISCLOSING:
            if not self._disclosure.may_be_cut:
                return
            self._disclosure.cut()
            self._begin_by = at + TURN_WAIT_S
        elif self._phase.phase is not Phase.CONVERSING or self._playback.holds(Phrase.REMINDER):
            return
        self._cut_playback(at, is_barge_in=True)

    # --- cutting ------------------------------------------------------------------------------------------------------

    def _cut_playback(self, at: float, *, is_barge_in: bool) -> Item | None:
        """Stop all that sounds or waits, on both sides of us, and enter what was heard of it; return what sounded."""
        self._interruption.drop()
        cut_response = self._responses.cut(at)
        was_silent = self._playback.is_silent
        cut = self._playback.cut(at)
        if not was_silent:
            self._out.append(ClearPlayback())
        if cut_response is not None:
            self._out.append(CancelResponse(self._line.model, cut_response))
        for piece in sorted(self._speaking):
            self._out.append(CancelSpeech(piece))
        self._speaking.clear()
        if cut.sounding is not None:
            self._truncate(cut.sounding)
        self._delete(cut.dropped)
        if is_barge_in and not was_silent:
            self._note_barge_in(cut.sounding)
        for item in cut.finished:
            self._item_finished(item, at, mark=None)
        if cut.sounding is not None:
            self._enter_turn(cut.sounding, at, interrupted=True)
        for item in cut.dropped:
            if self._agent_turns.present is not None and self._agent_turns.present.is_of(item):
                self._enter_turn(item, at, interrupted=True)
        self._out += self._agent_turns.close()
        if cut.finished or cut.sounding is not None:
            self._idleness.agent_was_active(at)
        return cut.sounding

    def _truncate(self, item: Item) -> None:
        heard_ms = self._terms.audio.ms_of(item.heard)
        if item.item_id is None:
            if item.phrase is not Phrase.DISCLOSURE:  # which will be said again, and entered then
                self._say_to_model(Side.AGENT, words_heard(item.text, item.heard, item.generated))
            return
        heard = words_heard(item.text, item.heard, item.generated)
        if item.model is None or not self._line.is_current(item.model):
            return
        self._conversation.learnt(Side.AGENT, item.item_id, heard, item.model)
        if heard_ms > 0:
            self._out.append(TruncateItem(item.model, item.item_id, item.content_index, heard_ms))
        else:
            self._out.append(DeleteItem(item.model, item.item_id))

    def _delete(self, items: list[Item]) -> None:
        """Take out what nobody heard: whole items, or the later parts of one that was heard in part."""
        deleted: set[ItemId] = set()
        for item in items:
            if item.item_id is None or item.model is None or not self._line.is_current(item.model):
                continue
            if item.follows_heard:
                self._out.append(TruncateItem(item.model, item.item_id, item.content_index, 0))
            elif item.item_id not in deleted:
                deleted.add(item.item_id)
                self._conversation.forget(item.item_id)
                self._out.append(DeleteItem(item.model, item.item_id))

    def _drop_stray(self, model: ModelNumber, item_id: ItemId) -> None:
        """The model began this item before it learnt of the cut: nobody will hear it, so it is not to remember it."""
        if self._phase.phase is not Phase.CLOSING and not self._playback.knows(item_id):
            self._playback.bar(item_id)
            self._out.append(DeleteItem(model, item_id))

    def _cut_claim(self, response_id: ResponseId, item_id: ItemId, at: float) -> None:
        """The model says that it is a human: cut it and say the disclosure again. The words come before their sound."""
        if self._phase.phase is not Phase.CONVERSING:
            return
        sounding = self._cut_playback(at, is_barge_in=False)
        is_heard = sounding is not None and sounding.item_id == item_id
        heard_ms = self._terms.audio.ms_of(sounding.heard) if sounding is not None and is_heard else 0
        self._out.append(NoteClaim(response_id, item_id, heard_ms))
        self._claims += 1
        if self._claims >= MAX_CLAIMS:
            self._close(Outcome.AGENT_HUNG_UP, Phrase.GOODBYE, at)
            return
        self._speak(Phrase.REMINDER)
        self._responses.want(self._say_to_model(Side.CUE, CLAIM_CUE))

    # --- what was heard -----------------------------------------------------------------------------------------------

    def _item_finished(self, item: Item, at: float, mark: str | None) -> None:
        """An item was heard to its end."""
        if item.phrase is Phrase.DISCLOSURE:
            self._conversation.add(Side.AGENT, item.text)
            state = DisclosureState.HEARD if item.is_proven else DisclosureState.UNPROVEN
            if self._disclosure.state is DisclosureState.SPEAKING:
                self._settle_disclosure(state, at, mark=mark if item.is_proven else None)
            return
        if item.phrase is None:
            self._idleness.agent_was_active(at)
            if item.item_id is not None and item.model is not None:
                self._conversation.learnt(Side.AGENT, item.item_id, item.text.strip(), item.model)
                if item.is_shortened and self._line.is_current(item.model):
                    end_ms = self._terms.audio.ms_of(item.generated)
                    self._out.append(TruncateItem(item.model, item.item_id, item.content_index, end_ms))
        else:
            self._say_to_model(Side.AGENT, item.text)
            if item.phrase is not Phrase.IDLE:
                self._idleness.agent_was_active(at)
        self._enter_turn(item, at, interrupted=False)
        if item.piece is not None and item.piece == self._last_piece:
            self._hang_up(at)

    def _enter_turn(self, item: Item, at: float, *, interrupted: bool) -> None:
        """Add an item to the agent's turn; note the turn when it is whole."""
        if item.phrase is Phrase.DISCLOSURE:
            return
        started_at = at if item.started_at is None else item.started_at
        self._out += self._agent_turns.enter(item, self._ms(started_at), self._ms(at), interrupted=interrupted)
        self._close_agent_turn_if_whole()

    def _close_agent_turn_if_whole(self) -> None:
        """A turn is whole when no more of it will sound: nothing of it waits, and its response is over."""
        turn = self._agent_turns.present
        if turn is None or self._playback.has_items_of(turn.response_id, turn.piece):
            return
        if turn.response_id is None or turn.response_id != self._responses.response_id:
            self._out += self._agent_turns.close()

    def _note_caller_turn(self, item_id: ItemId, text: str | None, at: float) -> None:
        note = self._caller_turns.written(item_id, text, self._ms(at))
        if note is not None:
            self._out.append(note)

    def _note_barge_in(self, item: Item | None) -> None:
        if item is None:
            self._out.append(NoteBargeIn(None, None, None, None))
        else:
            heard_ms, generated_ms = (self._terms.audio.ms_of(size) for size in (item.heard, item.generated))
            self._out.append(NoteBargeIn(item.response_id, item.item_id, heard_ms, generated_ms, item.first_mark))

    # --- our own voice ------------------------------------------------------------------------------------------------

    def _disclose(self, at: float) -> None:
        self._disclosure.spoken(self._ms(at))
        if self._speak(Phrase.DISCLOSURE) is None:
            self._disclosure_failed(at)

    def _speak(self, phrase: Phrase) -> PieceNumber | None:
        """Have a phrase spoken; None when there are no words for it."""
        text = self._terms.phrases.get(phrase)
        if text is None:
            return None
        self._pieces += 1
        piece = PieceNumber(self._pieces)
        self._speaking.add(piece)
        self._playback.add_phrase(phrase, piece, text)
        self._out.append(SpeakPhrase(piece, phrase))
        return piece

    def _speech_failed(self, piece: PieceNumber, at: float) -> None:
        if piece not in self._speaking:
            return
        self._speaking.discard(piece)
        phrase = self._playback.phrase_of(piece)
        self._playback.drop_phrase(piece)
        if self._phase.phase is Phase.DISCLOSING and self._disclosure.state is DisclosureState.SPEAKING:
            self._disclosure_failed(at)
        elif piece == self._last_piece:
            self._hang_up(at, say=None if phrase is None else self._terms.phrases.get(phrase))
        elif phrase is Phrase.GREETING and not self._responses.is_wanted:
            self._responses.want(BEGIN, confirmed=True)

    def _disclosure_failed(self, at: float) -> None:
        """Fail closed: a caller who was not told does not reach the model."""
        self._out.append(self._disclosure.settle(DisclosureState.FAILED, at_ms=self._ms(at)))
        self._outcome = Outcome.DISCLOSURE_FAILED
        self._leave(at)
        self._hang_up(at, say=self._terms.phrases.get(Phrase.MODEL_LOST), transfer_to=self._terms.transfer_undisclosed)

    def _settle_disclosure(self, state: DisclosureState, at: float, *, mark: str | None) -> None:
        self._out.append(self._disclosure.settle(state, at_ms=self._ms(at), mark=mark))
        if self._phase.phase is not Phase.DISCLOSING:
            return
        self._phase.move(Phase.CONVERSING)
        self._idleness.agent_was_active(at)
        if self._line.is_ready:
            self._out += self._conversation.tell(self._line.model)
            self._let_model_answer()
        if self._floor.is_caller_speaking:
            self._begin_by = at + TURN_WAIT_S
        else:
            self._begin()

    def _begin(self) -> None:
        """The first words after the disclosure: the greeting, or the model's own."""
        self._is_begun = True
        if self._speak(Phrase.GREETING) is None and not self._responses.is_wanted:
            self._responses.want(BEGIN, confirmed=True)

    # --- the model ----------------------------------------------------------------------------------------------------

    def _open_model(self) -> None:
        self._out.append(OpenModel(self._line.open()))

    def _model_ready(self, at: float) -> None:
        if self._phase.phase is Phase.CLOSING:
            return
        frames_ms = self._terms.audio.ms_of(self._caller_bytes - self._backlog.size_bytes)
        self._line.ready(frames_ms, at)
        self._out += self._conversation.tell(self._line.model)
        if self._phase.phase is Phase.CONVERSING:
            self._let_model_answer()

    def _let_model_answer(self) -> None:
        """Only where its voice detector decides does the model answer, and stop, by itself."""
        if self._terms.barge_in is BargeInMode.IMMEDIATE:
            self._out.append(SetTurnHandling(self._line.model, create_response=True, interrupt_response=True))

    def _model_lost(self, at: float) -> None:
        was_answering = self._responses.is_open or self._responses.is_expected or self._floor.is_caller_speaking
        self._line.lost(at)
        self._responses.abandon()
        self._playback.model_gone()
        self._interruption.model_gone()
        self._is_unheard = False
        self._unheard_by = None
        self._floor.caller_stopped()
        if was_answering and self._is_begun:
            self._responses.want(RECOVERED, confirmed=True)

    def _takes_in(self, response_id: ResponseId) -> bool:
        """False for a straggler of a response that was cut, and when the call is about to end."""
        return self._phase.phase is not Phase.CLOSING and not self._responses.is_cut(response_id)

    def _bound_waiting(self, at: float) -> None:
        """Two minutes of unheard speech are enough: the response is cancelled, and what there is plays out."""
        if self._playback.waiting_ms > MAX_WAITING_MS:
            cut_response = self._responses.cut(at)
            if cut_response is not None:
                self._playback.response_complete(cut_response, is_shortened=True)
                self._out.append(CancelResponse(self._line.model, cut_response))

    def _response_ended(self, event: ResponseEnded, at: float) -> None:
        claim = next((item for item, words in self._playback.words_of(event.response_id) if _claims(words)), None)
        was_open = self._responses.ended(event.response_id)
        self._playback.response_complete(event.response_id)
        self._close_agent_turn_if_whole()
        if was_open and event.status is ResponseStatus.FAILED:
            self._responses.failed()
        elif was_open:
            self._responses.succeeded()
        if claim is not None:
            self._cut_claim(event.response_id, claim, at)

    def _say_to_model(self, side: Side, text: str) -> ItemId:
        """Enter words into the conversation, and tell the model at once if there is one."""
        item_id = self._conversation.add(side, text)
        if self._line.is_ready and self._phase.phase is not Phase.CLOSING:
            self._out += self._conversation.tell(self._line.model)
        return item_id

    # --- tools --------------------------------------------------------------------------------------------------------

    def _tool_requested(self, event: ToolCallRequested, at: float) -> None:
        call = ToolCall(
            event.tool_call_id, event.model, event.response_id, event.item_id, event.name, event.arguments, at
        )
        if not self._tools.request(call):
            return
        if self._responses.is_cut(event.response_id) or self._phase.phase is not Phase.CONVERSING:
            self._tools.withdraw(call)
            self._note_tool(call, "", ToolStatus.WITHDRAWN, at)
            self._out.append(DeleteItem(event.model, event.item_id))
            return
        self._out.append(RunTool(call.tool_call_id, call.name, call.arguments))

    def _tool_finished(self, tool_call_id: ToolCallId, status: ToolStatus, output: str, at: float) -> None:
        call = self._tools.answer(tool_call_id)
        if call is None:
            return
        self._note_tool(call, output, status, at)
        if self._phase.phase is not Phase.CONVERSING:
            return
        if self._line.is_current(call.model) and self._line.is_ready:
            item_id = self._conversation.next_id()
            self._out.append(AnswerToolCall(call.model, item_id, call.tool_call_id, output))
            known = f"{call.name} was called with {call.arguments} and answered {output}"
            self._conversation.learnt(Side.CUE, item_id, known, call.model)
        else:  # the session that asked is gone: the next one is told
            known = f"{call.name} was called with {call.arguments} and answered {output}"
            item_id = self._say_to_model(Side.CUE, known)
        if not self._tools.are_running(call.response_id):
            self._responses.want(item_id)

    def _note_tool(self, call: ToolCall, output: str, status: ToolStatus, at: float) -> None:
        duration_ms = round((at - call.requested_at) * 1000)
        self._out.append(NoteToolCall(call.name, call.arguments, output, status, duration_ms))

    # --- what the new state allows ------------------------------------------------------------------------------------

    def _go_on(self, at: float) -> None:
        if self._phase.phase is Phase.CONVERSING:
            if self._line.is_given_up(at):
                self._close(Outcome.MODEL_LOST, Phrase.MODEL_LOST, at)
            elif self._may_request():
                self._out += self._conversation.tell(self._line.model)
                self._responses.request(at)
                self._out.append(RequestResponse(self._line.model))
        if self._phase.phase is Phase.CLOSING and self._is_stream_over and not self._is_awaiting_model(at):
            self._finish(at)
            return
        if not self._is_stream_over:
            if self._interruption.is_judging:
                self._playback.hold()
            else:
                self._playback.go_on()
            self._out += self._playback.release(at, only=self._only_phrase())
            self._mind_listening()
        self._floor.agent_is(speaking=not self._playback.is_silent)

    def _only_phrase(self) -> Phrase | None:
        """Nothing else plays before the disclosure is over."""
        return Phrase.DISCLOSURE if self._phase.phase is Phase.DISCLOSING else None

    def _may_request(self) -> bool:
        return (
            self._line.is_ready
            and self._is_begun
            and self._responses.is_wanted
            and not self._responses.is_open
            and not self._responses.is_expected
            and not self._floor.is_caller_speaking
        )

    def _is_awaiting_model(self, at: float) -> bool:
        """After the stream's end: are there last words of the model that the record wants?"""
        if self._closing_by is not None and at >= self._closing_by:
            return False
        return self._line.is_ready and (self._responses.is_open or self._caller_turns.await_words)

    # --- time ---------------------------------------------------------------------------------------------------------

    def _deadline_passed(self, at: float) -> None:
        for item in self._playback.give_up(at):
            self._item_finished(item, at, mark=None)
        stuck = self._responses.overdue(at)
        if stuck is not None and self._line.is_ready:
            self._out.append(CancelResponse(self._line.model, stuck))
            self._playback.response_complete(stuck)
        phase = self._phase.phase
        if phase is Phase.CLOSING:
            if not self._is_stream_over and self._closing_by is not None and at >= self._closing_by:
                if self._is_hanging_up:  # the carrier does not even take our leave
                    self._is_stream_over = True
                else:
                    self._hang_up(at)
            return
        if self._interruption.deadline is not None and at >= self._interruption.deadline:
            self._go_on_speaking(at)
        if self._unheard_by is not None and at >= self._unheard_by:
            self._not_noticed(at)
        if self._keypad.due_at is not None and at >= self._keypad.due_at:
            self._keyed_in(self._keypad.take())
        if self._begin_by is not None and at >= self._begin_by:
            self._after_turn(at)
        if self._line.reopen_at is not None and at >= self._line.reopen_at:
            self._open_model()
        if at >= self._frame_at + STREAM_SILENCE_S:  # as the deadline is reckoned: floats round
            self._hang_up_now(Outcome.STREAM_LOST, at)
        elif at >= self._began_at + self._terms.max_call_s:
            if self._disclosure.is_over:
                self._close(Outcome.MAX_DURATION, Phrase.GOODBYE, at)
            else:
                self._close(Outcome.MAX_DURATION, None, at)
        elif phase is Phase.CONVERSING:
            self._mind_idleness(at)

    def _mind_idleness(self, at: float) -> None:
        if self._is_somebody_speaking:
            return
        match self._idleness.check(at):
            case Idle.PROMPT:
                self._speak(Phrase.IDLE)
            case Idle.HANG_UP:
                self._close(Outcome.IDLE, Phrase.GOODBYE, at)

    @property
    def _is_somebody_speaking(self) -> bool:
        return self._floor.is_caller_speaking or not self._playback.is_silent

    def _next_deadline(self) -> float | None:
        if self.ended:
            return None
        phase = self._phase.phase
        times: list[float | None] = [self._playback.proof_due_at, self._responses.deadline]
        if not self._is_stream_over:
            times.append(self._playback.turn_at)
        if phase is Phase.CLOSING:
            times.append(self._closing_by)
        elif phase is not Phase.OPENING:
            times += [
                self._interruption.deadline,
                self._unheard_by,
                self._keypad.due_at,
                self._begin_by,
                self._line.reopen_at,
                self._began_at + self._terms.max_call_s,
                self._frame_at + STREAM_SILENCE_S,
            ]
            if phase is Phase.CONVERSING:
                times.append(self._line.give_up_at)
                times.append(None if self._is_somebody_speaking else self._idleness.deadline)
        return min((time for time in times if time is not None), default=None)

    def _ms(self, at: float) -> int:
        """Milliseconds since the stream's start."""
        return max(0, round((at - self._began_at) * 1000))

    def _stream_ms(self, audio_ms: int, at: float) -> int:
        """The model's count of the caller's audio as milliseconds since the stream's start, never in the future."""
        return max(0, min(audio_ms + self._line.origin_ms, self._ms(at)))

    # --- the end ------------------------------------------------------------------------------------------------------

    def _close(self, outcome: Outcome, phrase: Phrase | None, at: float) -> None:
        """End the call by our own will, with last words if there are any."""
        if self._phase.phase is Phase.CLOSING:
            return
        self._outcome = outcome
        self._leave(at)
        piece = self._speak(phrase) if phrase is not None else None
        if piece is None:
            self._hang_up(at)
        else:
            self._last_piece = piece
            self._closing_by = at + LAST_WORDS_S

    def _hang_up_now(self, outcome: Outcome, at: float) -> None:
        if self._is_hanging_up:
            return
        if self._outcome is None:
            self._outcome = outcome
        self._leave(at)
        self._hang_up(at)

    def _leave(self, at: float) -> None:
        """Into CLOSING: nothing new begins, what was under way is cut or withdrawn."""
        if self._phase.phase is Phase.CLOSING:
            if not self._playback.is_empty:
                self._cut_playback(at, is_barge_in=False)
            return
        self._cut_playback(at, is_barge_in=False)
        self._phase.move(Phase.CLOSING)
        self._keypad.take()
        self._responses.drop_wants()
        self._begin_by = None
        for call in self._tools.withdraw_all():
            self._out.append(CancelTool(call.tool_call_id))
            self._note_tool(call, "", ToolStatus.WITHDRAWN, at)

    def _hang_up(self, at: float, *, say: str | None = None, transfer_to: str | None = None) -> None:
        if self._is_hanging_up or self._is_stream_over:
            return
        self._is_hanging_up = True
        self._closing_by = at + HANG_UP_WAIT_S
        self._out.append(HangUp(say) if transfer_to is None else TransferCall(transfer_to))

    def _finish(self, at: float) -> None:
        if self._line.is_open:
            self._out.append(CloseModel(self._line.model))
        note = self._disclosure.hung_up()
        if note is not None:
            self._out.append(note)
        self._out += self._caller_turns.close(self._ms(at))
        self._phase.move(Phase.ENDED)
        over_at = at if self._over_at is None else self._over_at  # for the caller it was over then
        self._out.append(NoteEnd(self._outcome or Outcome.ERROR, self._ms(over_at)))
