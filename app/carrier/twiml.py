"""Reads the TwiML that the service answers with. It comes from the other side, so no DTD is followed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from app.errors import PeerError

LONGEST_BYTES = 64 * 1024


class TwimlError(PeerError):
    """The document cannot be carried out; `code` is Twilio's number for it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Say:
    text: str
    language: str
    times: int


@dataclass(frozen=True, slots=True)
class Pause:
    length_s: float


@dataclass(frozen=True, slots=True)
class Reject:
    reason: str


@dataclass(frozen=True, slots=True)
class Hangup:
    pass


@dataclass(frozen=True, slots=True)
class Redirect:
    url: str
    method: str


@dataclass(frozen=True, slots=True)
class Dial:
    """Bridges the caller to somebody else; number: as written, or the kind of noun within and its text."""

    number: str


@dataclass(frozen=True, slots=True)
class ConnectStream:
    """A bidirectional stream. URLs as written: they may be relative to the document's."""

    url: str
    name: str
    parameters: Mapping[str, str]
    status_callback: str
    status_callback_method: str
    action: str
    method: str


@dataclass(frozen=True, slots=True)
class NotCarriedOut:
    """A verb that Twilio knows and this carrier passes over."""

    name: str


Verb = Say | Pause | Reject | Hangup | Redirect | Dial | ConnectStream | NotCarriedOut

_PASSED_OVER = {
    "Play",
    "Gather",
    "Record",
    "Start",
    "Stop",
    "Enqueue",
    "Leave",
    "Pay",
    "Refer",
    "Sms",
    "Queue",
    "Prompt",
}


@dataclass(slots=True)
class _Element:
    name: str
    attributes: Mapping[str, str]
    pieces: list[str] = field(default_factory=list)
    children: list["_Element"] = field(default_factory=list)

    def text(self) -> str:
        return " ".join("".join(self.pieces).split())


def parse(body: bytes) -> list[Verb]:
    """Return the document's verbs in order. Raises TwimlError."""
    if len(body) > LONGEST_BYTES:
        raise TwimlError(11750, f"the TwiML has {len(body)} bytes; at most {LONGEST_BYTES} are read")
    root = _tree(body)
    if root.name != "Response":
        raise TwimlError(12100, f"the root is <{root.name}>; TwiML begins with <Response>")
    return [_verb(child) for child in root.children]


def _tree(body: bytes) -> _Element:
    top = _Element("", {})
    path = [top]

    def start(name: str, attributes: dict[str, str]) -> None:
        element = _Element(name, attributes)
        path[-1].children.append(element)
        path.append(element)

    def end(name: str) -> None:
        element = path.pop()
        path[-1].pieces += element.pieces  # so that <Say> holds the words of the SSML within it

    def text(data: str) -> None:
        path[-1].pieces.append(data)

    def doctype(*_: object) -> None:
        raise TwimlError(12100, "the TwiML has a document type declaration; Twilio follows none: leave it out")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(body, True)
    except expat.ExpatError as error:
        raise TwimlError(12100, f"the TwiML is not XML: {error}") from error
    return top.children[0]


def _verb(element: _Element) -> Verb:
    attributes = element.attributes
    match element.name:
        case "Say":
            times = int(_number(element, "loop", 1))
            return Say(element.text(), attributes.get("language", ""), max(1, times))
        case "Pause":
            return Pause(_number(element, "length", 1))
        case "Reject":
            return Reject(attributes.get("reason", "rejected"))
        case "Hangup":
            return Hangup()
        case "Redirect":
            return Redirect(element.text(), attributes.get("method", "POST").upper())
        case "Dial":
            nouns = [
                f"{noun.name.lower()}:{noun.text()}" if noun.name != "Number" else noun.text()
                for noun in element.children
            ]
            return Dial(", ".join(nouns) or element.text())
        case "Connect":
            return _connect(element)
        case name if name in _PASSED_OVER:
            return NotCarriedOut(name)
        case name:
            raise TwimlError(12200, f"<{name}> is no verb of TwiML (names are case sensitive)")


def _connect(connect: _Element) -> ConnectStream:
    streams = [child for child in connect.children if child.name == "Stream"]
    if len(streams) != 1 or len(connect.children) != 1:
        nouns = ", ".join(f"<{child.name}>" for child in connect.children) or "nothing"
        raise TwimlError(12200, f"<Connect> holds {nouns}; the offline carrier connects exactly one <Stream>")
    stream = streams[0]
    track = stream.attributes.get("track", "inbound_track")
    if track != "inbound_track":
        raise TwimlError(31941, f'<Stream track="{track}">: within <Connect> only inbound_track is legal; leave it out')
    parameters: dict[str, str] = {}
    for child in stream.children:
        name, value = child.attributes.get("name", ""), child.attributes.get("value", "")
        if child.name != "Parameter" or not name:
            raise TwimlError(12200, f'<{child.name}> in <Stream>: only <Parameter name="…" value="…"/> may stand there')
        if len(name) + len(value) >= 500:
            raise TwimlError(12200, f"<Parameter> {name}: name and value have 500 characters or more together")
        parameters[name] = value
    return ConnectStream(
        url=stream.attributes.get("url", ""),
        name=stream.attributes.get("name", ""),
        parameters=parameters,
        status_callback=stream.attributes.get("statusCallback", ""),
        status_callback_method=stream.attributes.get("statusCallbackMethod", "POST").upper(),
        action=connect.attributes.get("action", ""),
        method=connect.attributes.get("method", "POST").upper(),
    )


def _number(element: _Element, name: str, default: float) -> float:
    written = element.attributes.get(name, "")
    try:
        value = float(written) if written else default
    except ValueError as error:
        raise TwimlError(12200, f'<{element.name} {name}="{written}">: a number is needed') from error
    if not 0 <= value < 100_000:
        raise TwimlError(12200, f'<{element.name} {name}="{written}">: a number from 0 on is needed')
    return value
