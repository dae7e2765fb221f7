"""What a session knows: its machines side by side. The rules that join them are the functions beside this file."""

from app.session.backlog import Backlog
from app.session.commands import Command
from app.session.conversation import Conversation
from app.session.cost import CostMeter
from app.session.disclosure import DisclosureMachine
from app.session.floor import FloorMachine
from app.session.idleness import Idleness
from app.session.interruption import InterruptionMachine
from app.session.keypad import Keypad
from app.session.line import ModelLine
from app.session.phase import Phase, PhaseMachine
from app.session.playback import Playback
from app.session.renewal import Renewal
from app.session.responses import Responses
from app.session.terms import Terms
from app.session.toolcalls import ToolCalls
from app.session.turns import AgentTurns, CallerTurns
from app.session.voicing import Voicing
from app.session.words import Outcome, Phrase, PieceNumber, ResponseId, Verdict


class CallState:
    """The small machines of one call, which do not know each other, and what else is known of it."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.out: list[Command] = []
        self.phase = PhaseMachine()
        self.floor = FloorMachine()
        self.disclosure = DisclosureMachine(interruptible=terms.disclosure_interruptible)
        self.playback = Playback(terms.audio)
        self.voicing = Voicing()
        self.responses = Responses()
        self.tools = ToolCalls()
        self.conversation = Conversation()
        self.keypad = Keypad()
        self.line = ModelLine(terms.models)
        self.renewal = Renewal()
        self.cost = CostMeter([model.price for model in terms.models])
        self.idleness = Idleness(terms.idle_prompt_s, terms.idle_hangup_s)
        self.interruption = InterruptionMachine(
            min_speech_ms=terms.min_speech_ms, resume_after_ms=terms.resume_after_ms
        )
        self.verdict = Verdict.SILENCE
        self.is_listening = False  # closely, that is
        self.is_unheard = False  # the caller has interrupted, and the model has not noticed yet
        self.unheard_by: float | None = None
        self.claims = 0
        self.caller_turns = CallerTurns()
        self.agent_turns = AgentTurns()
        self.began_at = 0.0
        self.frame_at = 0.0
        self.caller_bytes = 0
        self.backlog = Backlog(terms.audio)
        self.beside: Backlog | None = None  # on its way to the session that is about to take over
        self.turn_over_bytes = 0  # how much of the caller's audio there was when the last turn was committed
        self.cut_off: ResponseId | None = None  # it was lost with its model, and what there is of it plays out
        self.is_cut_off_whole = False  # all that had begun of it had come to its end
        self.is_repeating = False  # a turn that only the lost model had heard is on its way to the next
        self.is_answer_owed = False  # to that turn, or to what was being answered
        self.repeat_from = 0
        self.repeated_by: float | None = None
        self.cover_at: float | None = None
        self.quiet_since = 0.0  # of the caller
        self.agent_quiet_since = 0.0
        self.tool_rounds = 0  # responses in a row that only called tools
        self.pieces = 0
        self.speaking: set[PieceNumber] = set()
        self.is_begun = False  # the greeting, or the model's own beginning, has had its turn
        self.begin_by: float | None = None
        self.outcome: Outcome | None = None
        self.last_piece: PieceNumber | None = None
        self.transfer_to: str | None = None  # where the call goes behind the last words
        self.is_hanging_up = False
        self.is_stream_over = False
        self.over_at: float | None = None
        self.closing_by: float | None = None

    @property
    def ended(self) -> bool:
        return self.phase.phase is Phase.ENDED

    def ms(self, at: float) -> int:
        """Milliseconds since the stream's start."""
        return max(0, round((at - self.began_at) * 1000))

    def stream_ms(self, audio_ms: int, at: float) -> int:
        """The model's count of the caller's audio as milliseconds since the stream's start, never in the future."""
        audio = self.terms.audio
        return max(0, min(audio.ms_of(self.backlog.place_of(audio.bytes_of(audio_ms))), self.ms(at)))

    def takes_in(self, response_id: ResponseId) -> bool:
        """False for a straggler of a response that was cut, and when the call is about to end."""
        return self.phase.phase is not Phase.CLOSING and not self.responses.is_cut(response_id)

    @property
    def is_somebody_speaking(self) -> bool:
        return self.floor.is_caller_speaking or not self.playback.is_silent

    def only_phrase(self) -> Phrase | None:
        """Nothing else plays before the disclosure is over."""
        return Phrase.DISCLOSURE if self.phase.phase is Phase.DISCLOSING else None
