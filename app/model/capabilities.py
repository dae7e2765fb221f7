"""What each provider's realtime models take, as data.

One row says what a provider's API takes, a family what its models do; `capabilities` lays the two together. Source:
OpenAI's realtime API reference (the session object) and its pages of the models; documents of TokenLab and Azure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.model.setup import Dialect

OPENAI_VOICES = ("alloy", "ash", "ballad", "cedar", "coral", "echo", "marin", "sage", "shimmer", "verse")
"""What a GA realtime session takes; fable, onyx and nova are voices of other APIs."""
_PREVIEW_VOICES = tuple(voice for voice in OPENAI_VOICES if voice not in ("cedar", "marin"))

SERVER_VAD, SEMANTIC_VAD = "server_vad", "semantic_vad"
PCM16, PCMU = "pcm16", "pcmu"
REASONING_EFFORTS = ("minimal", "low", "medium", "high", "xhigh")
MAX_OUTPUT_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class Range:
    """Both ends belong to it."""

    least: float
    most: float


SPEED = Range(0.25, 1.5)
TEMPERATURE = Range(0.6, 1.2)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the sessions of one provider take, by one API, with one family of models.

    called: as messages name it. reached_by: the keys of the agent file that say where and how it is reached.
    default_model, default_voice, transcription_model: what is used when the file names none; None: nothing is known to
    be there, so no voice is asked for, and nothing transcribed. voices: None: any name. reasoning_efforts: None: it
    depends on a model that nobody has named. session_limit_s: when the provider ends a session; None: not known.
    reconnects: whether a session lost within a call may be opened again, unless the file says otherwise.
    is_by_model: its rows differ by family. has_other_vendors: so a model of no known family may have any voice.
    """

    called: str
    dialect: Dialect
    reached_by: frozenset[str]
    turn_detection: tuple[str, ...]
    audio_formats: tuple[str, ...]
    default_model: str | None
    voices: tuple[str, ...] | None
    default_voice: str | None
    custom_voices: bool
    transcription_model: str | None
    noise_reduction: bool
    max_output_tokens: int
    temperature: Range | None
    speed: Range | None
    truncation: bool
    reasoning_efforts: tuple[str, ...] | None
    session_limit_s: float | None
    reconnects: bool
    is_by_model: bool
    has_other_vendors: bool = False


_OPENAI = Capabilities(
    called="openai",
    dialect=Dialect.GA,
    reached_by=frozenset(),
    turn_detection=(SERVER_VAD, SEMANTIC_VAD),
    audio_formats=(PCM16, PCMU),
    default_model="gpt-realtime-2.1",
    voices=OPENAI_VOICES,
    default_voice="marin",
    custom_voices=True,
    transcription_model="gpt-4o-mini-transcribe",
    noise_reduction=True,
    max_output_tokens=MAX_OUTPUT_TOKENS,
    temperature=None,
    speed=SPEED,
    truncation=True,
    reasoning_efforts=REASONING_EFFORTS,
    session_limit_s=3600.0,
    reconnects=True,
    is_by_model=True,
)
_AZURE = replace(
    _OPENAI,
    called="azure",
    reached_by=frozenset({"deployment", "api_version", "auth"}),
    turn_detection=(SERVER_VAD,),
    default_model=None,  # a deployment, whose name the resource's owner has chosen
    custom_voices=False,
    transcription_model=None,  # likewise a deployment of the resource
    reasoning_efforts=("minimal", "low", "medium", "high"),
    session_limit_s=1800.0,  # the documents say 60 minutes, users report 30
)
_AZURE_PREVIEW = replace(
    _AZURE,
    called="azure's preview API",
    dialect=Dialect.PREVIEW,
    voices=_PREVIEW_VOICES,
    default_voice="alloy",
    transcription_model="whisper-1",  # the preview has it without a deployment
    temperature=TEMPERATURE,
    truncation=False,
    reasoning_efforts=(),
)
_TOKENLAB = replace(
    _OPENAI,
    called="tokenlab",
    default_model="gpt-realtime",
    session_limit_s=None,
    reconnects=False,  # its documents: reconnect only when the user begins a new session
    has_other_vendors=True,
)
_COMPATIBLE = replace(
    _OPENAI,
    called="a compatible server",
    reached_by=frozenset({"base_url", "api_key_env"}),
    default_model=None,
    voices=None,
    default_voice=None,
    session_limit_s=None,
    is_by_model=False,
)
_LOCAL = replace(
    _COMPATIBLE,
    called="the embedded model",
    reached_by=frozenset(),
    default_model="local",
    default_voice="default",
    noise_reduction=False,
    truncation=False,
    reasoning_efforts=(),
)
ROWS: Mapping[str, Capabilities] = {
    "local": _LOCAL,
    "openai": _OPENAI,
    "azure": _AZURE,
    "tokenlab": _TOKENLAB,
    "compatible": _COMPATIBLE,
}
PROVIDERS = tuple(ROWS)


@dataclass(frozen=True, slots=True)
class Family:
    """Models that take the same. pattern: their names, of which a date may follow. successor: what serves instead of
    them at openai, which has shut them down."""

    pattern: str
    reasons: bool
    voices: tuple[str, ...] = OPENAI_VOICES
    default_voice: str = "marin"
    successor: str | None = None


_FAMILIES = (
    Family(r"gpt-realtime-2(\.\d+)?(-mini)?", reasons=True),
    Family(r"gpt-realtime(-1\.5|-mini)?|gpt-audio(-1\.5|-mini)?", reasons=False),
    Family(r"gpt-4o-realtime-preview", False, _PREVIEW_VOICES, "alloy", "gpt-realtime-2.1"),
    Family(r"gpt-4o-mini-realtime-preview", False, _PREVIEW_VOICES, "alloy", "gpt-realtime-2.1-mini"),
)
_DATE = r"(-\d{4}-\d{2}-\d{2})?"


def family_of(model: str) -> Family | None:
    """Return the family that a model's name belongs to, None when it is of none that is known."""
    return next((family for family in _FAMILIES if re.fullmatch(f"({family.pattern}){_DATE}", model)), None)


def capabilities(
    provider: str, model: str | None, dialect: Dialect = Dialect.GA, *, is_deployment: bool = False
) -> Capabilities:
    """Return what sessions with a model take.

    provider: one of PROVIDERS. model: None: not known yet. dialect: azure's alone has both. is_deployment: `model` is
    only a deployment's name, which may or may not tell the model.
    """
    row = _AZURE_PREVIEW if provider == "azure" and dialect is Dialect.PREVIEW else ROWS[provider]
    if not row.is_by_model or model is None:
        return row
    family = family_of(model)
    if family is None:
        if row.has_other_vendors:
            return replace(row, voices=None, default_voice=None)
        return replace(row, reasoning_efforts=row.reasoning_efforts and None) if is_deployment else row
    voices = tuple(voice for voice in row.voices or () if voice in family.voices)
    default_voice = row.default_voice if row.default_voice in voices else family.default_voice
    efforts = row.reasoning_efforts if family.reasons else ()
    return replace(row, voices=voices, default_voice=default_voice, reasoning_efforts=efforts)
