import pytest

from app.session.commands import CloseModel, OpenModel
from app.session.events import DeadlinePassed, ModelLost, ModelReady, ModelSilent, ModelStalled
from app.session.journal import Entry, FrameRun
from app.session.words import ModelNumber
from app.telemetry.models import Connected, Lost, ModelSessions, Unreached
from tests.support.journals import FIRST, SECOND, Moment, write

pytestmark = pytest.mark.core

FOURTH = ModelNumber(4)


class Watch:
    def __init__(self) -> None:
        self.models = ModelSessions()
        self.changes: list[Connected | Lost | Unreached] = []

    def read(self, entry: Entry | FrameRun) -> None:
        if isinstance(entry, Entry) and (change := self.models.read(entry)) is not None:
            self.changes.append(change)


def changes_of(moments: list[Moment]) -> list[Connected | Lost | Unreached]:
    watch = Watch()
    write([(0.0, DeadlinePassed(), [OpenModel(FIRST)]), *moments], watch)
    return watch.changes


def test_connecting_takes_from_the_asking_to_the_answer() -> None:
    assert changes_of([(0.25, ModelReady(FIRST), []), (0.3, ModelReady(SECOND), [])]) == [Connected(FIRST, 0, 250)]


def test_the_attempts_to_mend_a_loss_are_told_apart_from_it() -> None:
    third = ModelNumber(3)
    assert changes_of(
        [
            (1.0, ModelLost(FIRST, "close_1006"), [OpenModel(SECOND)]),
            (2.0, ModelLost(SECOND, "http_401", is_final=True), []),
            (3.0, DeadlinePassed(), [OpenModel(third, choice=1)]),
            (3.5, ModelReady(third), []),
            (4.0, ModelStalled(third), [CloseModel(third), OpenModel(FOURTH, choice=1)]),
            (4.5, ModelReady(FOURTH), []),
            (12.0, ModelSilent(FOURTH, 6.0), []),
            (14.0, ModelSilent(FOURTH, 8.0), [CloseModel(FOURTH)]),
        ]
    ) == [
        Lost(FIRST, 0, "close_1006"),
        Unreached(SECOND, 0, "http_401", is_final=True),
        Connected(third, 1, 500),
        Lost(third, 1, "stalled"),
        Connected(FOURTH, 1, 500),
        Lost(FOURTH, 1, "silent"),
    ]
