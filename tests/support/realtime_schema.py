"""Is this event what the realtime protocol allows? By the vendor's schema, for both directions."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

from jsonschema import Draft202012Validator

_PATH = Path(__file__).parents[1] / "reference" / "realtime-events.schema.json"
_DOCUMENT = cast(dict[str, dict[str, dict[str, str]]], json.loads(_PATH.read_text(encoding="utf-8")))

CLIENT_TYPES = frozenset(_DOCUMENT["x-events"]["client"])
SERVER_TYPES = frozenset(_DOCUMENT["x-events"]["server"])

_validators: dict[str, Draft202012Validator] = {}


def client_faults(event: Mapping[str, object]) -> list[str]:
    """Return what is wrong with a client's event, one sentence each; nothing for a valid one."""
    return _faults("client", event)


def server_faults(event: Mapping[str, object]) -> list[str]:
    """Return what is wrong with a server's event, one sentence each; nothing for a valid one."""
    return _faults("server", event)


def _faults(side: str, event: Mapping[str, object]) -> list[str]:
    kind = event.get("type")
    definition = _DOCUMENT["x-events"][side].get(kind) if isinstance(kind, str) else None
    if definition is None:
        return [f"{kind!r} is no event of a {side}"]
    errors = _validator(definition).iter_errors(event)
    return [f"{kind}: {error.json_path}: {error.message}" for error in errors]


def _validator(definition: str) -> Draft202012Validator:
    if definition not in _validators:
        # One definition as the entry, not the document's choice among all of them: the errors then name the field.
        document = {key: value for key, value in _DOCUMENT.items() if key != "anyOf"}
        _validators[definition] = Draft202012Validator({**document, "$ref": definition})
    return _validators[definition]
