"""What follows the disclosure: the model may answer, and the greeting, or the model's own beginning, has its turn."""

from app.session.commands import SetTurnHandling
from app.session.disclosure import DisclosureState
from app.session.phase import Phase
from app.session.rules.saying import BEGIN, speak
from app.session.rules.state import CallState
from app.session.words import BargeInMode, Phrase

TURN_WAIT_S = 8.0
"""How long the greeting waits for a caller who was speaking when the disclosure ended."""
COVER_AFTER_S = 0.5
"""So long may the model be missing, at least, before a caller is asked for patience."""


def settle_disclosure(call: CallState, state: DisclosureState, at: float, *, mark: str | None) -> None:
    """The disclosure is over, one way or the other: the conversation begins, unless the call is about to end."""
    call.out.append(call.disclosure.settle(state, at_ms=call.ms(at), mark=mark))
    if call.phase.phase is not Phase.DISCLOSING:
        return
    call.phase.move(Phase.CONVERSING)
    call.idleness.agent_was_active(at)
    if call.line.is_ready:
        call.out += call.conversation.tell(call.line.model)
        let_model_answer(call)
    else:
        call.cover_at = at + COVER_AFTER_S
    if call.floor.is_caller_speaking or call.interruption.is_judging:
        call.begin_by = at + TURN_WAIT_S
    else:
        begin(call)


def begin(call: CallState) -> None:
    """The first words after the disclosure: the greeting, or the model's own."""
    call.is_begun = True
    if speak(call, Phrase.GREETING) is None and not call.responses.is_wanted:
        call.responses.want(BEGIN, confirmed=True)


def let_model_answer(call: CallState) -> None:
    """Only where its voice detector decides does the model answer, and stop, by itself."""
    if call.terms.barge_in is BargeInMode.IMMEDIATE:
        call.out.append(SetTurnHandling(call.line.model, create_response=True, interrupt_response=True))
