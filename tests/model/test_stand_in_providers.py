"""The stand-in's beta is the beta, by the reference and not by the client: its words, and what it finds wrong."""

import pytest

from tests.support.model_events import EXAMPLES, Wire, session_object
from tests.support.stand_in_providers import beta_key, catalogue_answer, from_beta, to_beta

pytestmark = pytest.mark.core

RENAMED = {
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
    "conversation.item.added": "conversation.item.created",
}


@pytest.mark.parametrize("kind", EXAMPLES)
def test_nothing_of_ga_is_left_in_what_it_sends(kind: str) -> None:
    for event in to_beta(EXAMPLES[kind]):
        assert event["type"] == RENAMED.get(kind, kind)
        for word in ("'output_text'", "'output_audio'", "'output_modalities'", "audio/pcm"):
            assert word not in str(event)
    assert bool(list(to_beta(EXAMPLES[kind]))) is (kind != "conversation.item.done")


def test_a_session_is_flat() -> None:
    [event] = to_beta({"type": "session.created", "session": session_object()}, temperature=0.7)
    session = event["session"]
    assert isinstance(session, dict)
    assert "audio" not in session
    assert session["voice"] == "marin"
    assert session["input_audio_format"] == session["output_audio_format"] == "pcm16"
    assert (session["modalities"], session["temperature"]) == (["audio", "text"], 0.7)


@pytest.mark.parametrize(
    ("event", "fault"),
    [
        ({"type": "session.update", "session": {"type": "realtime"}}, "session.type is no setting of the beta"),
        ({"type": "session.update", "session": {"audio": {}}}, "session.audio is no setting of the beta"),
        ({"type": "session.update", "session": {"modalities": ["audio"]}}, "modalities are ['audio']"),
        ({"type": "session.update", "session": {"temperature": 0}}, "temperature 0 is outside"),
        (
            {
                "type": "conversation.item.create",
                "item": {"role": "assistant", "content": [{"type": "output_text", "text": "x"}]},
            },
            "an assistant's content is 'output_text'",
        ),
    ],
)
def test_what_is_not_the_betas_is_found(event: Wire, fault: str) -> None:
    faults: list[str] = []
    from_beta(event, faults)
    assert len(faults) == 1
    assert faults[0].startswith(fault)


def test_a_setting_is_named_in_the_betas_words() -> None:
    assert beta_key("audio.input.turn_detection.threshold") == "turn_detection.threshold"
    assert beta_key("audio.output.voice") == "voice"
    assert beta_key("truncation") == "truncation"


def test_the_catalogue_knows_its_models() -> None:
    status, listed = catalogue_answer("/v1/models", "Bearer sk-test")
    assert (status, listed["object"]) == (200, "list")
    assert catalogue_answer("/v1/models/gpt-realtime-2.1", "Bearer sk-test")[1]["supported_endpoints"] == [
        "/v1/realtime"
    ]
    assert catalogue_answer("/v1/models/none", "Bearer sk-test")[0] == 404
    assert catalogue_answer("/v1/models", "")[0] == 401
