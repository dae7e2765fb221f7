"""What the door is given by whoever puts the service together, and how it says no."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

import structlog
from structlog.typing import FilteringBoundLogger

from app.agents.schema import AgentFile
from app.bridge.incoming import IncomingCall
from app.errors import CallRefused
from app.ingress.admission import Admission
from app.ingress.seat import Accounts
from app.ingress.signature import PublicUrl, Signatures
from app.session.commands import HangUp, TransferCall
from app.stream.leg import StreamLeg

log: FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether a call may come. reason: a short word when not, such as draining or full; details: for people."""

    ok: bool
    reason: str = ""
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """All that the routes need.

    account_sid: None when any account may call. agent_for: who answers a dialled number. is_ready: whether that agent
    can take calls now, or is still being prepared, or lacks something.
    disclosure_is_rendered: whether our own voice can speak an agent's disclosure; if not, Twilio's does.
    accounts_of: the accounts of an agent's models, in their order.
    run_call: the call behind the door; returns when it is over. has_stream: whether a stream of a CallSid is open.
    last_word: what a call's session wants done with the call now that its stream has ended. was_on: whether this
    process has had a stream of a CallSid.
    call_completed: told, perhaps repeatedly, that a CallSid's call is over. refused: told why somebody was turned away.
    clock: seconds, monotonic. start_within_s, form_within_s: how long a stream's `start` and a form may take to come.
    """

    public_url: PublicUrl
    signatures: Signatures
    account_sid: str | None
    admission: Admission
    agent_for: Callable[[str], AgentFile | None]
    disclosure_is_rendered: Callable[[AgentFile], bool]
    run_call: Callable[[IncomingCall, StreamLeg], Awaitable[None]]
    has_stream: Callable[[str], bool]
    last_word: Callable[[str], HangUp | TransferCall | None]
    was_on: Callable[[str], bool]
    call_completed: Callable[[str], None]
    readiness: Callable[[], Readiness]
    metrics: Callable[[], bytes]
    is_ready: Callable[[AgentFile], bool] = lambda agent: True
    accounts_of: Callable[[AgentFile], Accounts] = lambda agent: (None,)
    refused: Callable[[str], None] = lambda reason: None
    clock: Callable[[], float] = time.monotonic
    start_within_s: float = 10.0
    form_within_s: float = 10.0

    def note_refusal(self, refusal: CallRefused, route: str, **fields: str) -> None:
        """Log and count that somebody was turned away. fields: nothing personal."""
        self.refused(refusal.reason)
        log.warning("door.refused", reason=refusal.reason, route=route, **fields)
