"""Builds one call, runs it, files its record. Here is the only catch-all: what goes wrong in a call ends that call."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import structlog
from structlog.contextvars import bound_contextvars

from app.agents.schema import AgentFile
from app.bridge.bridge import Bridge, Legs
from app.bridge.incoming import IncomingCall
from app.bridge.roster import Roster
from app.errors import VoiceAgentError
from app.model.choice import ModelChoice
from app.model.leg import ModelLeg
from app.model.prices import NO_PRICES, PriceList
from app.model.setup import FunctionTool
from app.records.record import RecordKeeper
from app.records.store import RecordStore
from app.session.commands import HangUp, TransferCall
from app.session.events import StreamStarted
from app.session.journal import Journal, JournalHead
from app.session.session import Session
from app.session.terms import ModelTerms, Terms
from app.session.words import Phrase
from app.speech.leg import SpeechLeg
from app.speech.phrases import PhraseBook
from app.speech.synthesizer import Synthesizer
from app.speech.wording import wording_for
from app.stream.leg import StreamLeg
from app.telemetry.logs import CallLog
from app.telemetry.metrics import CallMetrics, Metrics
from app.tools.catalogue import Catalogue
from app.tools.leg import ToolsLeg

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PreparedAgent:
    """An agent with all that its calls share. choices: its own model and the fallbacks; terms: their rules."""

    file: AgentFile
    choices: tuple[ModelChoice, ...]
    terms: tuple[ModelTerms, ...]
    catalogue: Catalogue
    phrases: Mapping[Phrase, str]


def phrases_of(agent: AgentFile) -> dict[Phrase, str]:
    """Return the words of the agent's fixed sentences."""
    wording = wording_for(agent.language)
    disclosure = agent.disclosure.text_for(agent.language)
    phrases = {
        Phrase.DISCLOSURE: disclosure,
        Phrase.REMINDER: disclosure,
        Phrase.IDLE: agent.phrases.idle or wording.idle,
        Phrase.GOODBYE: agent.phrases.goodbye or wording.goodbye,
        Phrase.COVER: agent.phrases.cover or wording.cover,
        Phrase.MODEL_LOST: agent.on_model_loss.say or wording.model_lost,
    }
    if agent.greeting is not None:
        phrases[Phrase.GREETING] = agent.greeting
    return phrases


def prepare(
    agent: AgentFile, choices: Sequence[ModelChoice], catalogue: Catalogue, prices: PriceList = NO_PRICES
) -> PreparedAgent:
    """Return the agent ready to take calls. choices: its own model, then its fallbacks, as its file lists them."""
    tools = tuple(FunctionTool(tool.name, tool.description, tool.parameters) for tool in catalogue.tools)
    told = tuple(replace(choice, setup=replace(choice.setup, tools=tools)) for choice in choices)
    terms = tuple(
        ModelTerms(
            session_limit_s=block.limit_s,
            reconnects=block.reconnects,
            price=prices.price_of(block.provider, block.name or choice.target.name, choice.setup.transcription_model),
            transcribes=choice.setup.transcription_model is not None,
        )
        for block, choice in zip(agent.model.models, choices, strict=True)
    )
    return PreparedAgent(agent, told, terms, catalogue, phrases_of(agent))


class Exchange:
    """Runs calls. One for the process."""

    def __init__(
        self,
        *,
        prepared: Callable[[AgentFile], PreparedAgent],
        book: PhraseBook,
        voice: Synthesizer,
        roster: Roster,
        store: RecordStore,
        metrics: Metrics,
    ) -> None:
        self._prepared = prepared
        self._book = book
        self._voice = voice
        self._roster = roster
        self._store = store
        self._metrics = metrics

    def _voice_of(self, agent: AgentFile) -> Callable[[str], Coroutine[None, None, bytes]] | None:
        """Return what speaks the model's words, if it is to answer in writing."""
        return None if agent.voice is None else partial(self._voice.speak, language=agent.language)

    async def run_call(self, incoming: IncomingCall, stream: StreamLeg) -> None:
        """Run one call from its stream's start to its record. Raises nothing but cancellation."""
        loop = asyncio.get_running_loop()
        agent = self._prepared(incoming.agent)
        audio = agent.choices[0].setup.audio_format
        stream.use(audio)
        sounds = {
            phrase: sound
            for phrase, text in agent.phrases.items()
            if (sound := self._book.sound_of(text, agent.file.language, audio)) is not None
        }
        head = JournalHead(
            call_sid=incoming.call_sid,
            agent=agent.file.agent,
            agent_version=agent.file.version,
            language=agent.file.language,
            started_at=time.time(),
            at=loop.time(),
            disclosure_text=agent.phrases[Phrase.DISCLOSURE],
        )
        call_log, call_metrics, keeper = CallLog(head), CallMetrics(self._metrics, head), RecordKeeper(head)

        def said_last(word: HangUp | TransferCall) -> None:
            self._roster.say(incoming.call_sid, word)

        barge_in, limits = agent.file.barge_in, agent.file.limits
        terms = Terms(
            audio=audio,
            phrases=agent.phrases,
            models=agent.terms,
            disclosure_interruptible=agent.file.disclosure.interruptible,
            transfer_undisclosed=agent.file.disclosure.transfer_on_failure,
            transfer_unserved=agent.file.on_model_loss.transfer,
            barge_in=barge_in.mode,
            min_speech_ms=barge_in.min_speech_ms,
            resume_after_ms=barge_in.resume_after_false_alarm_ms,
            digits_interrupt=barge_in.dtmf,
            max_call_s=limits.max_call_s,
            max_cost_usd=limits.max_cost_usd,
            idle_prompt_s=limits.idle_prompt_s,
            idle_hangup_s=limits.idle_hangup_s,
        )
        model = ModelLeg(agent.choices)
        bridge = Bridge(
            Session(terms),
            Journal(head, [call_log, call_metrics, keeper, *incoming.readers]),
            Legs(stream, model, SpeechLeg(sounds, self._voice_of(agent.file), audio), ToolsLeg(agent.catalogue)),
            loop.time,
            said_last,
        )
        self._roster.enter(incoming.call_sid, bridge.report)
        try:
            with bound_contextvars(call_sid=incoming.call_sid):  # for what runs in the call's tasks
                await bridge.run(StreamStarted(disclosure_said=incoming.disclosure_said))
        except Exception:  # the one boundary: our own bug ends this call and no other
            log.exception("call.failed", call_sid=incoming.call_sid)
            said_last(HangUp(wording_for(agent.file.language).model_lost))
        finally:
            self._roster.leave(incoming.call_sid)
            call_log.finish()
            call_metrics.finish()
            for _ in range(model.unknown_messages):
                self._metrics.message_passed_over("model", "unknown")
            for _ in range(model.broken_messages):
                self._metrics.message_passed_over("model", "broken")
            for _ in range(stream.unknown_messages):
                self._metrics.message_passed_over("carrier", "unknown")
            for _ in range(stream.broken_messages):
                self._metrics.message_passed_over("carrier", "broken")
            if stream.lost_messages:
                log.warning("stream.gaps", call_sid=incoming.call_sid, lost_messages=stream.lost_messages)
        try:
            await asyncio.to_thread(self._store.file, keeper.finish())
            log.info("record.filed", call_sid=incoming.call_sid)
        except (OSError, VoiceAgentError) as error:
            log.error("record.failed", call_sid=incoming.call_sid, reason=type(error).__name__, detail=str(error))
