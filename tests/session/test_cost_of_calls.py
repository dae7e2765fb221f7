"""What whole calls cost, reckoned by hand from the usage that their models told."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.session.commands import CancelResponse, HangUp, NoteEnd, NoteTurn, OpenModel, SpeakPhrase
from app.session.cost import Price, TokenPrice, TokenPrices
from app.session.events import (
    AgentAudio,
    AgentAudioEnded,
    ModelLost,
    ModelReady,
    ResponseEnded,
    ResponseStarted,
    StreamEnded,
    TranscriptionBilled,
)
from app.session.terms import ModelTerms
from app.session.words import ItemId, ModelNumber, Outcome, Phrase, ResponseId, ResponseStatus, StreamEnd
from tests.support.driver import M1, TERMS, Driver, pcm

pytestmark = pytest.mark.core


def dollars(*prices: str) -> TokenPrice:
    return TokenPrice(*map(Decimal, prices))


LARGE = Price(  # as gpt-realtime-2.1, and a transcription by the token
    TokenPrices(dollars("4", "0.40", "24"), dollars("32", "0.40", "64")),
    TokenPrices(dollars("1.25", "0", "5"), dollars("1.25")),
)
SMALL = Price(TokenPrices(dollars("0.60", "0.06", "2.40"), dollars("10", "0.30", "20")))


def usage(text: int, audio: int, cached_text: int, cached_audio: int, out_text: int, out_audio: int) -> dict[str, int]:
    """A response's usage as a provider tells it, by dotted name."""
    return {
        "total_tokens": text + audio + out_text + out_audio,
        "input_tokens": text + audio,
        "output_tokens": out_text + out_audio,
        "input_token_details.text_tokens": text,
        "input_token_details.audio_tokens": audio,
        "input_token_details.image_tokens": 0,
        "input_token_details.cached_tokens": cached_text + cached_audio,
        "input_token_details.cached_tokens_details.text_tokens": cached_text,
        "input_token_details.cached_tokens_details.audio_tokens": cached_audio,
        "input_token_details.cached_tokens_details.image_tokens": 0,
        "output_token_details.text_tokens": out_text,
        "output_token_details.audio_tokens": out_audio,
    }


NOTHING = usage(0, 0, 0, 0, 0, 0)


class Call(Driver):
    """A call in conversation with models of these prices."""

    def __init__(self, *prices: Price | None, max_cost_usd: float | None = None) -> None:
        models = tuple(ModelTerms(price=price) for price in prices)
        super().__init__(replace(TERMS, models=models, max_cost_usd=max_cost_usd))
        self.converse()

    def answer(self, number: int, used: dict[str, int], *, model: ModelNumber = M1, how: str = "completed") -> None:
        """A response without sound, from its beginning to its bill."""
        response_id = ResponseId(f"resp_{number}")
        self.send(ResponseStarted(model, response_id))
        self.send(ResponseEnded(model, response_id, ResponseStatus(how), "", used))
        self.wait(0.5)

    def end(self) -> NoteEnd:
        """What the session says at its end, which the caller brings about if it has not come."""
        self.send(StreamEnded(StreamEnd.STOPPED))
        self.wait(10)
        (end,) = [command for _, command in self.log if isinstance(command, NoteEnd)]
        return end


def test_a_call_costs_what_its_usage_comes_to_by_hand() -> None:
    call = Call(LARGE)
    call.answer(1, usage(1200, 0, 0, 0, 40, 180))
    #   text in 1200 · 4          =  4800 millionths of a dollar
    #   text out 40 · 24          =   960
    #   audio out 180 · 64        = 11520
    call.send(TranscriptionBilled(M1, {"input_tokens": 60, "output_tokens": 12, "total_tokens": 72}))
    #   60 · 1.25 + 12 · 5        =   135
    call.answer(2, usage(1300, 260, 1200, 180, 90, 400))
    #   text in (1300 − 1200) · 4 =   400
    #   cached text 1200 · 0.40   =   480
    #   audio in (260 − 180) · 32 =  2560
    #   cached audio 180 · 0.40   =    72
    #   out 90 · 24 + 400 · 64    = 27760
    call.answer(3, usage(1390, 660, 1280, 256, 25, 120), how="cancelled")
    #   110 · 4 + 1280 · 0.40     =   952
    #   404 · 32 + 256 · 0.40     = 13030.4
    #   25 · 24 + 120 · 64        =  8280
    call.answer(4, NOTHING, how="failed")
    # all in all                    70949.4 millionths: seven cents
    end = call.end()
    assert end.outcome is Outcome.CALLER_HUNG_UP
    assert end.cost_usd == 0.0709494


def test_each_model_is_paid_by_its_own_price() -> None:
    call = Call(LARGE, SMALL)
    call.answer(1, usage(1000, 0, 0, 0, 0, 100))  # 4000 + 6400
    out = call.send(ModelLost(M1, "insufficient_quota", is_final=True))
    (opened,) = [command for command in [*out, *call.wait(5)] if isinstance(command, OpenModel)]
    assert opened.choice == 1
    call.send(ModelReady(opened.model))
    call.answer(2, usage(1000, 0, 0, 0, 0, 100), model=opened.model)  # 600 + 2000
    call.send(ResponseEnded(M1, ResponseId("resp_3"), ResponseStatus.CANCELLED, "", usage(0, 0, 0, 0, 0, 50)))  # 3200
    assert call.end().cost_usd == 0.0162


def test_a_call_whose_price_is_not_known_says_so_and_is_not_ended_for_it() -> None:
    call = Call(None, max_cost_usd=0.01)
    assert call.send(TranscriptionBilled(M1, {"input_tokens": 0})) == []
    call.answer(1, usage(100_000, 0, 0, 0, 0, 100_000))
    end = call.end()
    assert (end.outcome, end.cost_usd) == (Outcome.CALLER_HUNG_UP, None)


def test_a_call_that_has_cost_what_it_may_ends_with_a_goodbye() -> None:
    call = Call(LARGE, max_cost_usd=0.05)
    call.answer(1, usage(1000, 0, 0, 0, 0, 700))  # 4000 + 44800: five cents, but for a little
    assert not [command for _, command in call.log if isinstance(command, HangUp)]
    call.answer(2, usage(300, 0, 0, 0, 0, 0))  # 1200 more
    goodbyes = [
        command for _, command in call.log if isinstance(command, SpeakPhrase) and command.phrase is Phrase.GOODBYE
    ]
    assert len(goodbyes) == 1
    call.speak(goodbyes[0].piece, 500)
    call.wait(2)
    assert [command for _, command in call.log if isinstance(command, HangUp)]
    end = call.end()
    assert (end.outcome, end.cost_usd) == (Outcome.MAX_COST, 0.05)


def test_what_was_paid_for_is_heard_to_its_end_before_the_goodbye_and_nothing_more_is_begun() -> None:
    call = Call(LARGE, max_cost_usd=0.04)
    response_id, item_id = ResponseId("resp_1"), ItemId("item_1")
    call.send(ResponseStarted(M1, response_id))
    call.send(AgentAudio(M1, response_id, item_id, 0, pcm(3000)))
    call.send(AgentAudioEnded(M1, response_id, item_id))
    call.send(ResponseEnded(M1, response_id, ResponseStatus.COMPLETED, "", usage(1000, 0, 0, 0, 0, 700)))
    assert call.wait(2.9) == []
    begun = call.send(ResponseStarted(M1, ResponseId("resp_2")))
    assert begun == [CancelResponse(M1, ResponseId("resp_2"))]
    call.send(ResponseEnded(M1, ResponseId("resp_2"), ResponseStatus.CANCELLED, "", NOTHING))
    out = call.wait(0.3)
    assert [c.phrase for c in out if isinstance(c, SpeakPhrase)] == [Phrase.GOODBYE]
    turn = next(c for c in out if isinstance(c, NoteTurn))
    assert not turn.interrupted
