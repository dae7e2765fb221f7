"""Calls whose model is lost, in virtual time: nothing is lost with it; and the judge would see it if it were."""

import pytest

from app.session.commands import AppendInputAudio, RequestResponse
from app.session.words import Outcome
from scripts.benchmarks.losses import case
from scripts.benchmarks.losses_call import Loss, LossCall
from scripts.benchmarks.losses_model import EmulatedSession


def test_an_undisturbed_call_hears_every_word_once() -> None:
    told = LossCall(1, []).run()
    assert told.outcome is Outcome.CALLER_HUNG_UP
    assert (told.missing, told.twice, told.turns_lost, told.turns_twice, told.covers) == (0, 0, 0, 0, 0)
    assert 0.5 < told.gap_s < 1.2, "the model's own patience and its way to answer"


@pytest.mark.parametrize("seed", range(60))
def test_nothing_is_lost_with_a_model(seed: int) -> None:
    told = case(seed).told
    assert told.outcome is Outcome.CALLER_HUNG_UP
    assert not told.unanswered
    assert (told.missing, told.twice, told.turns_lost, told.turns_twice) == (0, 0, 0, 0)


def test_a_call_across_three_session_limits_keeps_every_word_and_has_no_gap() -> None:
    renewed = LossCall(3, [], session_limit_s=20.0, questions=8)
    told, plain = renewed.run(), LossCall(3, [], questions=8).run()
    assert renewed.renewals >= 3
    assert (told.missing, told.twice, told.turns_lost, told.turns_twice) == (0, 0, 0, 0)
    assert told.gap_s <= plain.gap_s + 0.1


def test_the_judge_sees_a_question_that_nobody_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    perform = EmulatedSession.perform

    def deaf(self: EmulatedSession, command: object) -> None:
        if not isinstance(command, AppendInputAudio) or self.number == 1:
            perform(self, command)  # type: ignore[arg-type]  # whatever the session asks of a model

    monkeypatch.setattr(EmulatedSession, "perform", deaf)
    told = LossCall(1, [Loss(4.0)]).run()
    assert told.unanswered
    assert told.turns_lost


def test_the_judge_sees_an_answer_that_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    perform = EmulatedSession.perform

    def forgetful(self: EmulatedSession, command: object) -> None:
        if isinstance(command, RequestResponse):
            self.entries = [entry for entry in self.entries if entry.role != "cue"]
        perform(self, command)  # type: ignore[arg-type]  # as above

    monkeypatch.setattr(EmulatedSession, "perform", forgetful)
    assert any(LossCall(seed, [Loss(7.4)]).run().twice for seed in range(20))
