"""`dialtone say`: a conversation in writing with an agent's model, without a telephone; what it answers is a WAV file.

The model is reached, set up and offered its tools as in a call, and is told that disclosure and greeting were spoken.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from app.agents.loader import load
from app.agents.registry import Registry
from app.agents.schema import AgentFile
from app.audio import mulaw, wav
from app.audio.formats import MODEL_HZ, PCM16_24K, ULAW_8K, AudioFormat
from app.audio.resample import resample
from app.bridge.call import PreparedAgent, prepare
from app.bridge.typed_talk import TypedTalk, TypedTurn
from app.choices import Choices
from app.errors import ModelError, SettingsError
from app.model.embedded import EmbeddedModel
from app.session.words import Phrase
from app.settings import Settings
from app.speech.local import LocalSynthesizer
from app.telemetry.logs import configure
from app.tools.catalogue import Catalogue
from app.tools.database import Databases

DONE, FOUND_WRONG, ASKED_WRONG = 0, 1, 2

_PAUSE_MS = 500
"""Between the answers in the file."""

DESCRIPTION = """\
Say something in writing to an agent's model and hear what it answers: its words are printed as they come, its voice is
written as a WAV file (16 bits, 24 kHz, mono). No telephone, no carrier, no running service: the quickest way to try a
prompt, a voice or a provider. Tools are run as in a call.
"""
EXAMPLES = """\
examples:
  dialtone say --agent acme-orders "Where is my order 1042?"
      the agent of that id in AGENTS_DIR (deploy/agents); the answer's sound is in say.wav
  dialtone say --agent drafts/orders.yaml "Hello." "What can you do?" --out drafts/hello.wav
      a file that is not served yet; two turns of one conversation
  dialtone say --agent acme-orders "Where is my order 1042?" --json | jq '.turns[0].first_audio_ms'
      words, tool calls, times and usage of each turn, as JSON

Answers go to standard output; turns, tool calls and all else to standard error. An agent with provider: local starts
the embedded model by itself; the others need the environment of `dialtone serve`: OPENAI_API_KEY and so on. What may
pass is tried again, and told: a connect three times, a failed answer and a lost session once.
exit code: 0 it answered, 1 it could not (the model, the agent file), 2 asked wrong (no such agent, a missing key)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give the parser of `dialtone say` its options, description and examples."""
    parser.description = DESCRIPTION
    parser.epilog = EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--agent", required=True, metavar="A", help="an agent's id, or the path of an agent file")
    parser.add_argument("texts", nargs="+", metavar="TEXT", help="what the caller says; several are several turns")
    parser.add_argument(
        "--out", type=Path, default=Path("say.wav"), metavar="WAV", help="the answers' sound (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print turns, tool calls, times and usage as JSON")


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do what the arguments say and return the exit code. Raises SettingsError, VoiceAgentError."""
    texts: list[str] = args.texts
    if not all(text.strip() for text in texts):
        return _asked_wrong("TEXT has no words; write what the caller says")
    out: Path = args.out
    if out.is_dir() or out.suffix.lower() != ".wav":
        return _asked_wrong(f"--out {out}: is no name of a WAV file; write one that ends in .wav")
    agent = _agent(args.agent, settings.agents_dir)
    if isinstance(agent, int):
        return agent
    configure("warning", "console", out=sys.stderr)
    return asyncio.run(_say(settings, agent, texts, out, as_json=args.json))


def _agent(name: str, folder: Path) -> AgentFile | int:
    """Return the agent of that path or id; the exit code when there is none, which is then told."""
    path = Path(name)
    if path.suffix in (".yaml", ".yml"):
        if not path.is_file():
            return _asked_wrong(f"--agent {name}: there is no such file; name an agent file, or an agent's id")
        loaded = load(path)
        if isinstance(loaded, AgentFile):
            return loaded
        for mistake in loaded.mistakes:
            print(mistake, file=sys.stderr)
        return FOUND_WRONG
    registry = Registry.load(folder)
    agent = registry.named(name)
    if agent is not None:
        return agent
    for mistake in registry.mistakes:
        print(mistake, file=sys.stderr)
    known = ", ".join(one.agent for one in registry.agents) or "none"
    return _asked_wrong(
        f"--agent {name}: no agent of that id in {folder}, where there are: {known}; write one of these ids, the path "
        "of an agent file, or set AGENTS_DIR"
    )


def _asked_wrong(message: str) -> int:
    print(f"dialtone say: {message}", file=sys.stderr)
    return ASKED_WRONG


async def _say(settings: Settings, agent: AgentFile, texts: Sequence[str], out: Path, *, as_json: bool) -> int:
    embedded, voice = EmbeddedModel(), LocalSynthesizer()
    databases = Databases(default_url=settings.database, data_dir=settings.data_dir, environ=os.environ)
    choices = Choices(settings, os.environ, lambda: embedded.url)
    try:
        catalogue = Catalogue.of(agent.tools, databases)
        if any(block.provider == "local" for block in agent.model.models):
            await embedded.start()
        prepared = prepare(agent, choices.of(agent), catalogue)
        printer = _Printer(shows_words=not as_json)
        refused = [refusal.message for refusal in (await choices.refusals(prepared.choices)).values()]
        if len(refused) == len(prepared.choices):
            raise ModelError("; ".join(refused))
        for message in refused:
            printer.note(message)
        speak = None if agent.voice is None else partial(voice.speak, language=agent.language)
        reconnects = [terms.reconnects for terms in prepared.terms]
        talk = TypedTalk(prepared.choices, catalogue, printer.words, printer.note, speak, reconnects)
        failure = await _talk(talk, prepared, texts)
    finally:
        await choices.close()
        await embedded.close()
        await voice.close()
        await databases.close()
    printer.end()
    seconds = _write(out, talk.turns, prepared.choices[0].setup.audio_format)
    if as_json:
        print(json.dumps(_as_json(agent, talk, out if seconds else None, failure), ensure_ascii=False, indent=2))
    if failure is not None:
        raise failure
    print(f"{out}: {seconds:.1f} s" if seconds else "no sound came, so nothing was written", file=sys.stderr)
    return DONE


async def _talk(talk: TypedTalk, agent: PreparedAgent, texts: Sequence[str]) -> ModelError | None:
    """Have the conversation; return why it went no further, if so. What was answered until then is kept."""
    said = [agent.phrases[phrase] for phrase in (Phrase.DISCLOSURE, Phrase.GREETING) if phrase in agent.phrases]
    try:
        await talk.run(said, texts)
    except* ModelError as errors:
        (failure,) = errors.exceptions
        assert isinstance(failure, ModelError)  # raised by the conversation itself, in no group of its own
    else:
        return None
    return failure


class _Printer:
    """The agent's words on standard output, a line for each message; all else on standard error, between the lines."""

    def __init__(self, *, shows_words: bool) -> None:
        self._shows_words = shows_words
        self._is_amid_line = False

    def words(self, text: str) -> None:
        """Print the next words; "\\n" ends a line that is begun, which it may have been already."""
        if text == "\n":
            self.end()
        elif self._shows_words and text:
            self._is_amid_line = True
            self._show(text)

    def note(self, text: str) -> None:
        self.end()
        print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        if self._is_amid_line:
            self._is_amid_line = False
            self._show("\n")

    def _show(self, text: str) -> None:
        try:
            print(text, end="", flush=True)
        except BrokenPipeError:  # the reader has seen enough; the file is still to be written
            self._shows_words = self._is_amid_line = False


def _write(out: Path, turns: Sequence[TypedTurn], audio: AudioFormat) -> float:
    """Write what was spoken, if anything was; return how many seconds. Raises SettingsError when that cannot be."""
    spoken = [turn.audio for turn in turns if turn.audio]
    if not spoken:
        return 0.0
    pause = PCM16_24K.silence * (MODEL_HZ * _PAUSE_MS // 1000)
    recording = wav.Recording(MODEL_HZ, 1, pause.join(_wide(bytes(sound), audio) for sound in spoken))
    try:
        wav.write(out, recording)
    except OSError as error:
        raise SettingsError(f"--out {out}: {error.strerror}; name a file that can be written") from error
    return recording.duration_ms / 1000


def _wide(sound: bytes, audio: AudioFormat) -> bytes:
    """Return the sound as PCM16 at 24 kHz."""
    return resample(mulaw.decode(sound), ULAW_8K.rate_hz, MODEL_HZ) if audio == ULAW_8K else sound


def _as_json(agent: AgentFile, talk: TypedTalk, out: Path | None, failure: ModelError | None) -> dict[str, object]:
    return {
        "agent": agent.agent,
        "model": talk.model_name,
        "audio": None if out is None else str(out),
        "error": None if failure is None else str(failure),
        "turns": [
            {
                "text": turn.text,
                "answer": turn.answer.strip(),
                "tool_calls": [
                    {"name": call.name, "arguments": call.arguments, "result": call.result, "status": call.status.value}
                    for call in turn.tool_calls
                ],
                "first_audio_ms": turn.first_audio_ms,
                "audio_ms": talk.audio_ms(turn),
                "usage": dict(turn.usage),
            }
            for turn in talk.turns
        ],
    }
