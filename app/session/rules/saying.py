"""What is said without the model: phrases in our own voice, words into the conversation, the last word."""

from app.session.commands import HangUp, SpeakPhrase, TransferCall
from app.session.conversation import Side
from app.session.phase import Phase
from app.session.rules.state import CallState
from app.session.words import ItemId, Phrase, PieceNumber

BEGIN = ItemId("begin")
"""The reason of the model's own beginning: a call without a greeting."""
RECOVERED = ItemId("recovered")
"""The reason of a response that takes the place of one that was lost."""
HANG_UP_WAIT_S = 2.0
"""How long the carrier may take to close its stream."""


def speak(call: CallState, phrase: Phrase) -> PieceNumber | None:
    """Have a phrase spoken; None when there are no words for it."""
    text = call.terms.phrases.get(phrase)
    if text is None:
        return None
    call.pieces += 1
    piece = PieceNumber(call.pieces)
    call.speaking.add(piece)
    call.playback.add_phrase(phrase, piece, text)
    call.out.append(SpeakPhrase(piece, phrase))
    return piece


def say_to_model(call: CallState, side: Side, text: str) -> ItemId:
    """Enter words into the conversation, and tell the model at once if there is one."""
    item_id = call.conversation.add(side, text)
    if call.line.is_ready and call.phase.phase is not Phase.CLOSING:
        call.out += call.conversation.tell(call.line.model)
    return item_id


def hang_up(call: CallState, at: float, *, say: str | None = None) -> None:
    """Close the carrier's stream, once; it ends the call then, or dials another. say: a sentence for its own voice."""
    if call.is_hanging_up or call.is_stream_over:
        return
    call.is_hanging_up = True
    call.closing_by = at + HANG_UP_WAIT_S
    call.out.append(HangUp(say) if call.transfer_to is None else TransferCall(call.transfer_to, say))
