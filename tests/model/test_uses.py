import pytest

from app.model.uses import says_realtime

pytestmark = pytest.mark.core


@pytest.mark.parametrize(
    ("detail", "says"),
    [
        ({"supported_endpoints": ["/v1/realtime"]}, True),
        ({"supported_endpoints": ["chat", "realtime"]}, True),
        ({"data": {"supported_endpoint_types": ["openai-realtime"]}}, True),
        ({"capabilities": {"realtime": True, "vision": False}}, True),
        ({"metadata": {"supports_realtime": True}}, True),
        ({"realtime": {"url": "wss://…"}}, True),
        ({"endpoints": [{"path": "/v1/realtime", "method": "GET"}]}, True),
        ({"type": "realtime", "features": ["tools"]}, True),
        ({"capabilities": ["chat", "real-time"]}, True),
        ({"modalities": ["realtime", "text"]}, True),
        ({"recommended_for": ["chat", "realtime"]}, True),
        ({"features": {"realTime": True}}, True),
        ({"lemondata": {"category": "audio", "capability_flags": {"realtime": True}}}, True),
        ({"lemondata": {"category": "chat", "public_contract_summary": {"request_endpoint": "/v1/realtime"}}}, True),
        ({"model": {"id": "m", "protocols": ["realtime"]}}, True),
        ({"capabilities": [{"name": "realtime", "supported": True}]}, True),
        ({"capabilities": {"audio": True}}, None),
        ({"recommended_for": ["voice_agents"]}, None),
        ({"recommended_for": ["tts", "voice_agents"]}, None),
        ({"type": "audio", "features": ["tools", "streaming"]}, None),
        ({"category": "audio"}, None),
        ({"capabilities": ["tools", "vision"]}, None),
        ({"modalities": ["text", "audio"], "type": "chat"}, None),
        ({"supported_endpoints": ["/v1/live"]}, None),
        ({"recommended_for": ["voice_chat"]}, None),
        ({"mode": "chat", "supports_audio_input": True, "supports_function_calling": True}, None),
        ({"mode": "chat", "supports_audio_input": False, "supports_function_calling": True}, False),
        ({"aliases": ["gpt-realtime-latest"], "description": "not for realtime", "name": "gpt-realtime"}, None),
        ({"name": "realtime", "supported": False}, False),
        ({"capabilities": [{"name": "audio"}, {"name": "realtime", "supported": False}]}, False),
        ({"capabilities": {"realtime": {"supported": False}, "audio": True}}, False),
        ({"supports_realtime": "no"}, False),
        ({"supported_endpoints": ["/v1/chat/completions"]}, False),
        ({"supported_endpoints": ["/v1/chat/completions"], "capabilities": {"audio": True}}, False),
        ({"endpoints": [{"path": "/v1/chat/completions", "method": "POST"}, {"path": "/v1/responses"}]}, False),
        ({"type": "chat"}, False),
        ({"category": "tts"}, False),
        ({"recommended_for": ["stt"]}, False),
        ({"capabilities": {"chat": True, "tools": True, "audio": False}}, False),
        ({"lemondata": {"category": "stt", "supported_operations": ["audio.transcriptions"]}}, False),
        ({"capabilities": {"realtime": False}}, False),
        ({"supports_realtime": False}, False),
        ({"id": "gpt-realtime", "object": "model", "owned_by": "openai"}, None),
        ({"realtime_price": None}, None),
        ({"supported_endpoints": []}, None),
        ("gpt-realtime", None),
        (None, None),
        ([], None),
    ],
)
def test_what_a_detail_says_of_realtime_wherever_it_says_it(detail: object, says: bool | None) -> None:
    assert says_realtime(detail) is says


def test_a_name_that_says_realtime_may_be_filed_under_chat() -> None:
    assert says_realtime({"id": "gpt-realtime", "category": "chat"}, "gpt-realtime") is None
    assert says_realtime({"id": "gpt-realtime-whisper", "category": "stt"}, "gpt-realtime-whisper") is False
    assert says_realtime({"supported_endpoints": ["/v1/chat/completions"]}, "gpt-realtime") is False
