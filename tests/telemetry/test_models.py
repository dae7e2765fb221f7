import pytest

from app.session.commands import CloseModel, OpenModel
from app.session.events import DeadlinePassed, ModelLost, ModelReady, StreamEnded
from app.session.journal import Entry
from app.session.words import ModelNumber, StreamEnd
from app.telemetry.models import ModelSessions
from tests.support.journals import FIRST

pytestmark = pytest.mark.core

SECOND = ModelNumber(2)


def opened() -> ModelSessions:
    models = ModelSessions()
    models.read(Entry(10.0, DeadlinePassed(), (OpenModel(FIRST),)))
    return models


def test_connecting_takes_from_the_asking_to_the_answer() -> None:
    models = opened()
    assert models.connect_ms(ModelReady(FIRST), 10.25) == 250
    assert models.connect_ms(ModelReady(SECOND), 10.25) is None


def test_an_open_session_can_be_lost_once() -> None:
    models = opened()
    assert models.is_loss(ModelLost(FIRST, "close_1006"))
    models.read(Entry(11.0, ModelLost(FIRST, "close_1006"), (OpenModel(SECOND),)))
    assert not models.is_loss(ModelLost(FIRST, "close_1006"))
    assert models.is_loss(ModelLost(SECOND, "close_1006"))


@pytest.mark.parametrize(
    "entry",
    [
        Entry(11.0, DeadlinePassed(), (CloseModel(FIRST),)),
        Entry(11.0, StreamEnded(StreamEnd.STOPPED), ()),
    ],
)
def test_what_was_closed_is_not_lost(entry: Entry) -> None:
    models = opened()
    models.read(entry)
    assert not models.is_loss(ModelLost(FIRST, "close_1000"))
