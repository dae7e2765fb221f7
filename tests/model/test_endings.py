import pytest

from app.model.endings import error_of, silent_items
from app.model.messages import Content, OutputItem, Response, StatusDetails, StatusError

pytestmark = pytest.mark.core


def message(item_id: str | None, *kinds: str | None) -> OutputItem:
    return OutputItem(type="message", id=item_id, content=[Content(kind) for kind in kinds])


@pytest.mark.parametrize(
    ("output", "silent"),
    [
        ([message("a", "output_text")], ["a"]),
        ([message("a", "text")], ["a"]),
        ([message("a", "output_text"), message("b", "text", "output_text")], ["a", "b"]),
        ([message("a", "output_audio")], []),
        ([message("a", "audio")], []),
        ([message("a", "output_text", "output_audio")], []),
        ([message("a", "output_text"), message("b", "output_audio")], []),
        ([message("a", "output_text"), OutputItem(type="function_call", id="b")], []),
        ([message("a")], []),
        ([message("a", None)], []),
        ([message(None, "output_text")], []),
        ([OutputItem(type="message", id="a")], []),
        ([], []),
        (None, []),
    ],
)
def test_only_an_answer_that_is_text_and_nothing_else_is_silent(
    output: list[OutputItem] | None, silent: list[str]
) -> None:
    assert silent_items(Response("resp_1", output=output)) == silent


def test_why_a_response_failed_stands_in_its_details() -> None:
    details = StatusDetails(error=StatusError("tokens", "insufficient_quota"))
    error = error_of(Response("resp_1", status_details=details))
    assert (error.type, error.code) == ("tokens", "insufficient_quota")
    assert error_of(Response("resp_1")).code is None
    assert error_of(Response("resp_1", status_details=StatusDetails(reason="turn_detected"))).code is None
