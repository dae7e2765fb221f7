"""Is this event of the realtime protocol as the vendor's schema has it?

The schema is extracted from OpenAI's published specification (openai/openai-openapi 2.3.0). An event is held against
its own type's definition, so that a fault is named where it is.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator

_SCHEMA = json.loads((Path(__file__).parent / "realtime-events.schema.json").read_text("utf-8"))


@cache
def _validator(side: str, kind: str) -> Draft202012Validator:
    definitions = _SCHEMA["x-events"][side]
    assert kind in definitions, f"no {side} event is called {kind}"
    return Draft202012Validator({"$ref": definitions[kind], "$defs": _SCHEMA["$defs"]})


def assert_client_event(event: Mapping[str, object]) -> None:
    """Fail unless a client may send this."""
    _validator("client", str(event["type"])).validate(event)


def assert_server_event(event: Mapping[str, object]) -> None:
    """Fail unless a server may send this."""
    _validator("server", str(event["type"])).validate(event)
