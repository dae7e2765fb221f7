"""The composition root: the only place where things are put together, by plain constructor calls.

`create_app` is what any ASGI server is given; `dialtone serve` (app/serve.py) adds the signals and the draining.
"""

import asyncio
import gc
import os
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypedDict

import structlog
from starlette.applications import Starlette

from app.agents.registry import Registry
from app.agents.schema import AgentFile
from app.audio.voice_model import MODELS as VOICE_MODELS
from app.bridge.call import Exchange, PreparedAgent, phrases_of, prepare
from app.bridge.roster import Roster
from app.choices import Choices
from app.errors import ModelError, SettingsError
from app.garbage import collect_garbage
from app.ingress.admission import Admission
from app.ingress.door import Door, Readiness
from app.ingress.routes import routes
from app.ingress.seat import Accounts
from app.ingress.signature import PublicUrl, Signatures
from app.model.accounts import open_sessions
from app.model.embedded import EmbeddedModel
from app.model.prices import read_prices
from app.records.store import RecordStore
from app.settings import Settings, load_settings
from app.speech.local import LocalSynthesizer
from app.speech.phrases import PhraseBook
from app.telemetry.logs import configure
from app.telemetry.loop_lag import watch_loop
from app.telemetry.metrics import Metrics
from app.tools.catalogue import Catalogue
from app.tools.database import Databases

log = structlog.get_logger(__name__)

LAST_WORD_S = 1.5
"""After the last call, how long the callbacks that follow it are still served."""


EMBEDDED_ATTEMPTS = 3


class _State(TypedDict):
    service: "Service"


class Service:
    """One process of the service, with all its parts."""

    def __init__(self, settings: Settings, *, address: str) -> None:
        """address: where the carrier reaches us (PUBLIC_URL). Raises SettingsError."""
        _make_folder(settings.data_dir)
        _look_into(settings.agents_dir)
        self.settings = settings
        self.address = address
        self.registry = Registry.load(settings.agents_dir)
        self.metrics = Metrics()
        self.roster = Roster()
        self.admission = Admission(settings.max_calls, lambda: secrets.token_urlsafe(32))
        self._voice = LocalSynthesizer()
        self._book = PhraseBook(settings.data_dir / "phrases", self._voice)
        self._databases = Databases(default_url=settings.database, data_dir=settings.data_dir, environ=os.environ)
        self._embedded = EmbeddedModel()
        self._choices = Choices(settings, os.environ, self._embedded_url)
        self._prices = read_prices()
        self._prepared: dict[str, PreparedAgent] = {}
        self._not_prepared: dict[str, str] = {}
        self._refused: dict[str, list[str]] = {}
        self._silent: dict[str, dict[str, str]] = {}
        self._databases_silent: dict[str, list[str]] = {}
        self._unpriced: dict[str, list[str]] = {}
        self._is_started = False
        self.failed = asyncio.Event()
        """The start has failed: this will never take a call."""
        self._tasks: list[asyncio.Task[None]] = []
        self.exchange = Exchange(
            prepared=lambda agent: self._prepared[agent.agent],
            book=self._book,
            voice=self._voice,
            roster=self.roster,
            store=RecordStore(settings.data_dir / "records"),
            metrics=self.metrics,
        )

    def door(self) -> Door:
        token = self.settings.twilio_auth_token
        return Door(
            public_url=PublicUrl.parse(self.address),
            signatures=Signatures(token.get_secret_value() if token is not None else None),
            account_sid=self.settings.twilio_account_sid,
            agent_for=self.registry.for_number,
            is_ready=lambda agent: agent.agent in self._prepared,
            disclosure_is_rendered=self.disclosure_is_rendered,
            accounts_of=self.accounts_of,
            admission=self.admission,
            run_call=self.exchange.run_call,
            has_stream=self.roster.has,
            last_word=self.roster.last_word,
            was_on=self.roster.was_on,
            call_completed=self.roster.completed,
            readiness=self.readiness,
            metrics=lambda: self.metrics.render(
                open_sessions(account for one in self._prepared.values() for account in self.accounts_of(one.file))
            ),
            refused=self.metrics.call_refused,
        )

    def disclosure_is_rendered(self, agent: AgentFile) -> bool:
        return self._book.sound_of(agent.disclosure.text_for(agent.language), agent.language) is not None

    def accounts_of(self, agent: AgentFile) -> Accounts:
        """Return the accounts of a prepared agent's models, in their order."""
        return tuple(choice.account for choice in self._prepared[agent.agent].choices)

    def readiness(self) -> Readiness:
        """May this process take a call?"""
        details: dict[str, object] = {"calls": len(self.roster), "max_calls": self.settings.max_calls}
        if self.registry.mistakes:
            details["mistakes"] = [str(mistake) for mistake in self.registry.mistakes]
        if self._not_prepared:
            details["agents_not_ready"] = self._not_prepared
        if self._refused:
            details["models_refused"] = self._refused
        if self._databases_silent:
            details["databases_silent"] = self._databases_silent
        if self._silent:
            details["phrases_not_rendered"] = self._silent
        if self._unpriced:
            details["costs_unknown"] = self._unpriced
        reason = ""
        if self.admission.is_draining:
            reason = "draining"
        elif self.failed.is_set():
            reason = "not_started"
        elif not self._is_started:
            reason = "starting"
        elif not self._prepared:
            reason = "no_agent"
        elif self._is_without_model():
            reason = "embedded_model_down"
        elif self.admission.is_full(time.monotonic(), [self.accounts_of(one.file) for one in self._prepared.values()]):
            reason = "full"
        return Readiness(not reason, reason, details)

    def _is_without_model(self) -> bool:
        """Is the embedded model, and no agent here has another, being started again?"""
        prepared = self._prepared.values()
        return not self._embedded.is_running and all(_is_local_only(agent.file) for agent in prepared)

    async def start(self) -> None:
        """Prepare agents, model and phrases; `readiness` says when it is done. Calls are taken from then on."""
        settings = self.settings
        if settings.twilio_auth_token is None:
            log.warning(
                "signatures.off", detail="TWILIO_AUTH_TOKEN is not set: only requests to a loopback address are served"
            )
        if not await asyncio.to_thread(VOICE_MODELS.prepare):
            log.warning(
                "ear.plain",
                detail="no voice detector is installed, so loud noises may interrupt the agent: "
                "pip install 'dialtone[local]'",
            )
        for mistake in self.registry.mistakes:
            log.error("agent.mistaken", detail=str(mistake))
        if not self.registry.agents:
            log.error("agents.none", detail=f"no good agent file in {settings.agents_dir}: set AGENTS_DIR")
        if any(block.provider == "local" for agent in self.registry.agents for block in agent.model.models):
            await self._start_embedded()
        for agent in self.registry.agents:
            await self._prepare(agent)
        self._tasks.append(asyncio.create_task(watch_loop(self.metrics.loop_lagged)))
        self._is_started = True
        gc.collect()
        gc.freeze()  # what is there now stays: collections have only the calls to look at
        self._tasks.append(asyncio.create_task(collect_garbage(lambda: not len(self.roster))))
        log.info("service.ready", address=self.address, agents=sorted(self._prepared))

    def started(self, starting: "asyncio.Task[None]") -> None:
        """The start is over; one that failed leaves a service that is never ready, and says why once."""
        if not starting.cancelled() and (error := starting.exception()) is not None:
            log.critical("service.not_started", exc_info=error)
            self.failed.set()

    async def _start_embedded(self) -> None:
        for attempt in range(1, EMBEDDED_ATTEMPTS + 1):
            try:
                await self._embedded.start()
            except ModelError as error:
                log.error("embedded_model.not_started", attempt=attempt, detail=str(error))
            else:
                return

    async def _prepare(self, agent: AgentFile) -> None:
        try:
            if agent.voice is not None and not self._voice.speaks(agent.language):
                raise SettingsError(
                    f"voice.provider: no embedded voice for {agent.language} is installed: "
                    "pip install 'dialtone[local,local-espeak]', or leave voice out"
                )
            catalogue = Catalogue.of(agent.tools, self._databases)
            prepared = prepare(agent, self._choices.of(agent), catalogue, self._prices)
            await self._ask_models(agent, prepared)
        except (SettingsError, ModelError) as error:
            self._not_prepared[agent.agent] = str(error)
            log.error("agent.not_ready", agent=agent.agent, detail=str(error))
            return
        asked = [await self._databases.silent(variable) for variable in {tool.sql.url_env for tool in agent.tools}]
        if silent := sorted(filter(None, asked)):
            self._databases_silent[agent.agent] = silent
            log.error("database.silent", agent=agent.agent, detail="; ".join(silent))
        for block, choice in zip(agent.model.models, prepared.choices, strict=True):
            if choice.setup.transcription_model is None and block.transcription != "off":
                log.warning(
                    "transcription.none",
                    agent=agent.agent,
                    provider=block.provider,
                    detail="what callers say to this model is not written down: name a deployment that transcribes as "
                    "transcription.model, or write transcription: off",
                )
        if agent.limits.max_cost_usd is not None and (unpriced := _unpriced(prepared)):
            self._unpriced[agent.agent] = unpriced
            log.warning(
                "cost.unknown",
                agent=agent.agent,
                models=unpriced,
                detail=f"limits.max_cost_usd cannot end calls that have used {' or '.join(unpriced)}, until "
                "deploy/prices.yaml has a row for each",
            )
        sentences = {phrase.value: text for phrase, text in phrases_of(agent).items()}
        failed = await self._book.render(sentences, agent.language)
        if failed:
            self._silent[agent.agent] = failed
            log.warning("phrases.not_rendered", agent=agent.agent, phrases=failed)
        self._prepared[agent.agent] = prepared

    async def _ask_models(self, agent: AgentFile, prepared: PreparedAgent) -> None:
        """Note which of an agent's models no call can use. Raises ModelError when that is all of them, to stay."""
        refusals = await self._choices.refusals(prepared.choices)
        details = [refusal.message for refusal in refusals.values()]
        if refusals and len(refusals) == len(prepared.choices) and all(one.lasts for one in refusals.values()):
            raise ModelError("; ".join(details))
        if refusals:
            self._refused[agent.agent] = details
            log.error("agent.model_refused", agent=agent.agent, detail="; ".join(details))

    def _embedded_url(self) -> str:
        if not self._embedded.url:
            raise ModelError("the embedded model is not running; `dialtone model` tells why")
        return self._embedded.url

    def drain(self) -> None:
        """Take no new call; those that are on go on."""
        if not self.admission.is_draining:
            self.admission.drain()
            log.info("service.draining", calls=len(self.roster))

    async def drained(self) -> None:
        """Return when no call is on or about to come in, and the carrier has had the time to ask for the last word."""
        while True:
            await self.roster.wait_until_empty()
            taken = self.admission.taken(time.monotonic())
            await asyncio.sleep(LAST_WORD_S)  # the carrier tells nobody that it has asked for the last time
            if not taken and not self.admission.taken(time.monotonic()):
                return

    async def stop(self) -> None:
        """End what is left, and then everything."""
        self.drain()
        self.roster.end_all()
        try:
            async with asyncio.timeout(5):
                await self.roster.wait_until_empty()
        except TimeoutError:
            log.error("service.calls_left", calls=len(self.roster))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._choices.close()
        await self._embedded.close()
        await self._voice.close()
        await self._databases.close()
        log.info("service.stopped")


def create_app(settings: Settings | None = None, *, address: str | None = None) -> Starlette:
    """Return the ASGI application; without settings, by the environment: `uvicorn app.server:create_app --factory`.

    address: where the carrier reaches us, when it is not what the settings say (a port that was taken free). Raises
    SettingsError.
    """
    if settings is None:
        settings = load_settings()
    configure(settings.log_level, settings.log_format)
    service = Service(settings, address=address or settings.address())

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[_State]:
        starting = asyncio.create_task(service.start())
        starting.add_done_callback(service.started)
        try:
            yield {"service": service}
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            await service.stop()

    app = Starlette(routes=routes(service.door()), lifespan=lifespan)
    app.router.redirect_slashes = False  # to the Host header's address, whoever has written that
    app.state.service = service
    return app


def _make_folder(data_dir: Path) -> None:
    """Raises SettingsError when there is no folder to write in: better at the start than at the end of a call."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"DATA_DIR: {data_dir}: {error.strerror}; name a folder that can be written") from error
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise SettingsError(f"DATA_DIR: {data_dir} cannot be written; name a folder that can be")


def _look_into(agents_dir: Path) -> None:
    """Raises SettingsError when there is no folder to read agent files from; an empty one may be meant to be filled."""
    if not agents_dir.is_dir():
        raise SettingsError(f"AGENTS_DIR: {agents_dir} is no folder; name the one that holds the agent files")
    if not os.access(agents_dir, os.R_OK | os.X_OK):
        raise SettingsError(f"AGENTS_DIR: {agents_dir} cannot be read; name a folder that can be")


def _unpriced(agent: PreparedAgent) -> list[str]:
    """Return which of an agent's models have no price, and which of those that write the caller's words down."""
    found = []
    for block, choice, terms in zip(agent.file.model.models, agent.choices, agent.terms, strict=True):
        writer, price = choice.setup.transcription_model, terms.price
        if price is None:
            found.append(f"{block.provider} {block.name or choice.target.name}")
        elif writer is not None and price.transcription is None and price.transcription_per_minute is None:
            found.append(f"{block.provider} {writer}")
    return list(dict.fromkeys(found))


def _is_local_only(agent: AgentFile) -> bool:
    return all(block.provider == "local" for block in agent.model.models)
