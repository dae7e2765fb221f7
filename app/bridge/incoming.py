"""What is known of a telephone call when its stream begins."""

from dataclasses import dataclass, field

from app.agents.schema import AgentFile
from app.session.journal import Reader


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """A call that was let in. Numbers are personal: they go to the agent's templates and to nobody's log.

    disclosure_said: the carrier's own voice speaks the disclosure before the stream. readers: who at the door has to
    follow the call's journal.
    """

    call_sid: str
    agent: AgentFile
    caller_number: str
    dialled_number: str
    disclosure_said: bool
    readers: tuple[Reader, ...] = field(default=(), compare=False)
