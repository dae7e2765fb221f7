"""One simulated call, from the webhook to the last callback: carries the service's TwiML out as Twilio does."""

import asyncio
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit, urlunsplit

from app.audio.formats import MODEL_HZ, TELEPHONE_HZ
from app.audio.resample import resample
from app.carrier import twiml
from app.carrier.callbacks import Callbacks, StreamEvent
from app.carrier.caller import Caller
from app.carrier.hearing import Hearing
from app.carrier.line import Line
from app.carrier.media_socket import StreamRefusedError, open_media_socket
from app.carrier.messages import Writer
from app.carrier.report import CallReport, Said, StreamReport, TwimlAnswer
from app.carrier.steps import Step
from app.carrier.stream import EndedBy, MediaStream
from app.carrier.timeline import OnEvent, Timeline, Warnings
from app.carrier.voice import Speak, prepare, spoken_ms
from app.carrier.webhooks import WebhookError, Webhooks, call_form
from app.errors import VoiceAgentError

_TWIML_TYPES = {"text/xml", "application/xml", "text/html"}
_NORMAL_CLOSE = {None, 1000, 1001, 1005}
_LOST = 1006
ACCOUNT_SID = "AC" + "0" * 32
"""The account of a call when none is given."""
_MOST_DOCUMENTS = 20
"""Redirects and actions one after another; a service that goes round in circles is stopped here."""


@dataclass(frozen=True, slots=True)
class CallPlan:
    """A call to place.

    url: the service's base URL; steps: what the caller does; max_s: when it hangs up at the latest;
    level_dbfs: of the caller's speech, None for as loud as it comes; form: further
    parameters of the webhook, or other values for the usual ones; the token signs, without it nothing is signed;
    line: what is wrong with the media stream's line, whose webhooks are served by a perfect one.
    """

    url: str = "http://127.0.0.1:8080"
    to_number: str = "+15550100"
    from_number: str = "+15550199"
    steps: Sequence[Step] = ()
    language: str = "en-US"
    level_dbfs: float | None = -20.0
    max_s: float = 120.0
    auth_token: str | None = None
    account_sid: str = ACCOUNT_SID
    call_sid: str | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    line: Line = field(default_factory=Line)


class _CallOver(Exception):  # noqa: N818 - no error: the call has ended, wherever in its TwiML that was
    def __init__(self, ended_by: str) -> None:
        super().__init__(ended_by)
        self.ended_by = ended_by


async def place_call(plan: CallPlan, *, speak: Speak | None = None, on_event: OnEvent | None = None) -> CallReport:
    """Place one call and return its report when all is over, callbacks included; a call that fails is a report too.

    Many may run at once in one loop. speak: the voice for `Say` steps and <Say>; on_event: told of each event as it
    comes to be known. Raises VoiceAgentError only for a plan that cannot be carried out (no voice, a silent file).
    """
    steps = await prepare(plan.steps, speak=speak, language=plan.language, level_dbfs=plan.level_dbfs)
    # the group waits for the callbacks, and these need the webhooks' client
    async with Webhooks(plan.url, plan.auth_token) as webhooks, asyncio.TaskGroup() as tasks:
        call = _Call(plan, steps, speak, on_event, webhooks, tasks)
        await call.run()
    return call.filed()


class _Call:
    def __init__(
        self,
        plan: CallPlan,
        steps: Sequence[Step],
        speak: Speak | None,
        on_event: OnEvent | None,
        webhooks: Webhooks,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._plan, self._speak, self._webhooks = plan, speak, webhooks
        self._url = plan.url.rstrip("/")
        self._caller, self._agent, self._warnings = Caller(steps), Hearing(), Warnings()
        self._timeline = Timeline(on_event)
        self._callbacks = Callbacks(webhooks, tasks, self._timeline, self._warnings)
        self._hang_up_at = self._timeline.placed_at + plan.max_s
        self._answered_at: float | None = None
        self._said: list[tuple[float, float, str, bytes]] = []
        self.report = CallReport(
            call_sid=plan.call_sid or "CA" + secrets.token_hex(16),
            to_number=plan.to_number,
            from_number=plan.from_number,
            url=self._url,
            placed_at=datetime.now(UTC).isoformat(timespec="milliseconds"),
            warnings=self._warnings,
        )

    async def run(self) -> None:
        """Hold the call to its end; the last callbacks are still on their way then."""
        report = self.report
        note = {"call_sid": report.call_sid, "from": report.from_number, "to": report.to_number, "url": self._url}
        self._timeline.note("call_placed", note)
        try:
            report.ended_by = await self._hold()
        except _CallOver as over:
            report.ended_by = over.ended_by
        except (WebhookError, twiml.TwimlError) as error:
            report.ended_by = "error"
            self._fail(error.code, str(error))
        self._timeline.note("call_ended", {"by": report.ended_by})
        ended_at = time.monotonic()
        report.duration_s = ended_at - self._timeline.placed_at
        answered_s = 0 if self._answered_at is None else round(ended_at - self._answered_at)
        form = self._form("busy" if report.rejected else "completed")
        self._callbacks.completed(f"{self._url}/twilio/status", form, duration_s=answered_s)

    async def _hold(self) -> str:
        """Carry out document after document; returns who ended the call."""
        asked, url, method = "voice", f"{self._url}/twilio/voice", "POST"
        for _ in range(_MOST_DOCUMENTS):
            status = "ringing" if self._answered_at is None else "in-progress"
            answer = await self._webhooks.ask(method, url, self._form(status))
            self.report.answers.append(
                TwimlAnswer(asked, answer.url, answer.status, answer.body.decode(errors="replace"))
            )
            self._timeline.note("twiml", {"asked": asked, "status": answer.status})
            if answer.content_type not in _TWIML_TYPES:
                raise WebhookError(12300, f"{url} answered {answer.content_type or 'no type'}; text/xml is needed")
            following = await self._carry_out(twiml.parse(answer.body), answer.url)
            if following is None:
                return EndedBy.SERVICE.value
            asked, url, method = following
        raise WebhookError(11215, f"more than {_MOST_DOCUMENTS} TwiML documents in one call: it goes round in circles")

    async def _carry_out(self, verbs: Sequence[twiml.Verb], base: str) -> tuple[str, str, str] | None:
        """Carry out one document; returns the next one to ask for (why, URL, method), or None if there is none."""
        for verb in verbs:
            if not isinstance(verb, twiml.Reject) and self._answered_at is None:
                self._answered_at = time.monotonic()
            match verb:
                case twiml.Say():
                    await self._say(verb)
                case twiml.Pause(length_s):
                    self._timeline.note("pause", {"ms": round(length_s * 1000)})
                    await self._pass(length_s)
                case twiml.Reject(reason):
                    if self._answered_at is not None:
                        raise twiml.TwimlError(
                            12200, "<Reject> must be the first verb of a call that is not answered yet"
                        )
                    self.report.rejected = reason
                    self.report.failures.append(f"the call was rejected ({reason})")
                    self._timeline.note("rejected", {"reason": reason})
                    raise _CallOver("refused")
                case twiml.Hangup():
                    return None
                case twiml.Redirect(url, method):
                    return "redirect", urljoin(base, url), method
                case twiml.Dial(number):
                    self.report.transferred_to = number
                    self._timeline.note("transferred", {"to": number})
                    raise _CallOver(EndedBy.SERVICE.value)
                case twiml.ConnectStream():
                    await self._connect(verb, base)
                    if verb.action:
                        return "after", urljoin(base, verb.action), verb.method
                case twiml.NotCarriedOut(name):
                    self._timeline.note("passed_over", {"verb": name})
        return None

    async def _say(self, verb: twiml.Say) -> None:
        pcm = await self._sound_of(verb)
        length_s = len(pcm) / 2 / TELEPHONE_HZ if pcm else spoken_ms(verb.text) / 1000
        for _ in range(verb.times):
            began = time.monotonic()
            self._timeline.note("say", {"text": verb.text, "ms": round(length_s * 1000)}, moment=began)
            try:
                await self._pass(length_s)
            finally:
                heard_s = min(length_s, time.monotonic() - began)
                self._said.append((began, began + heard_s, verb.text, pcm[: round(heard_s * TELEPHONE_HZ) * 2]))

    async def _sound_of(self, verb: twiml.Say) -> bytes:
        """PCM16 at 8 kHz, or nothing when there is no voice for it: the time it takes is then estimated."""
        if self._speak is None or not verb.text:
            return b""
        try:
            pcm = await self._speak(verb.text, verb.language or "en-US")
        except VoiceAgentError as error:
            self._timeline.note("say_without_voice", {"reason": str(error)})
            return b""
        return resample(pcm, MODEL_HZ, TELEPHONE_HZ)

    async def _pass(self, length_s: float) -> None:
        """Let time pass on the line; the caller hangs up if it becomes too long."""
        left = self._hang_up_at - time.monotonic()
        await asyncio.sleep(max(0.0, min(length_s, left)))  # the line is in real time: a pause is to be waited for
        if length_s >= left:
            self._hang_up_late()

    def _hang_up_late(self) -> None:
        self.report.failures.append(f"the call was not over after {self._plan.max_s:g} s; the caller hung up")
        raise _CallOver(EndedBy.CALLER.value)

    async def _connect(self, verb: twiml.ConnectStream, base: str) -> None:
        stream_sid = "MZ" + secrets.token_hex(16)
        writer = Writer(stream_sid=stream_sid, call_sid=self.report.call_sid, account_sid=self._plan.account_sid)
        try:
            socket = await open_media_socket(self._stream_url(verb.url, base), self._plan.auth_token)
        except StreamRefusedError as error:
            self._fail(error.code, str(error))
            self._tell_stream(verb, base, stream_sid, "stream-error", str(error))
            return
        stream = MediaStream(
            socket,
            stream_sid=stream_sid,
            writer=writer,
            caller=self._caller,
            agent=self._agent,
            timeline=self._timeline,
            warnings=self._warnings,
            hang_up_at=self._hang_up_at,
            line=self._plan.line,
        )
        self._tell_stream(verb, base, stream_sid, "stream-started")
        ended_by = await stream.run(verb.parameters)
        self._file(stream, socket.close_code, socket.close_reason or "", ended_by)
        code = socket.close_code
        details = {"by": ended_by.value, "close_code": code}
        self._timeline.note("stream_stopped", details, moment=self._timeline.moment(stream.playout.now))
        if ended_by is EndedBy.SERVICE and code not in _NORMAL_CLOSE:
            why = f"the service's stream ended with {code} {socket.close_reason or ''}".strip()
            self._fail(31903 if code == _LOST else 31921, why)
        if code == _LOST and ended_by is not EndedBy.CALLER:
            self._tell_stream(verb, base, stream_sid, "stream-error", "the connection was lost")
        else:
            self._tell_stream(verb, base, stream_sid, "stream-stopped")
        if stream.timed_out:
            self._hang_up_late()
        if ended_by is EndedBy.CALLER:
            raise _CallOver(EndedBy.CALLER.value)

    def _tell_stream(
        self, verb: twiml.ConnectStream, base: str, stream_sid: str, event: StreamEvent, error: str = ""
    ) -> None:
        if verb.status_callback:
            url, method = urljoin(base, verb.status_callback), verb.status_callback_method
            ids = {"AccountSid": self._plan.account_sid, "CallSid": self.report.call_sid, "StreamSid": stream_sid}
            self._callbacks.stream(method, url, event, ids, name=verb.name, error=error)

    def _stream_url(self, url: str, base: str) -> str:
        """The absolute URL of the stream; a query string is dropped, as Twilio drops it."""
        if not url:
            raise twiml.TwimlError(31923, '<Stream> lacks url="wss://…"')
        base_parts = urlsplit(base)
        scheme = "wss" if base_parts.scheme == "https" else "ws"
        parts = urlsplit(urljoin(base, url))
        if not urlsplit(url).scheme:
            parts = parts._replace(scheme=scheme)
        if parts.scheme != "wss" and (parts.scheme, scheme) != ("ws", "ws"):
            raise twiml.TwimlError(
                31922, f"<Stream url={url!r}>: the scheme must be wss (ws only when the webhook is plain http)"
            )
        if parts.query:
            reason = f"<Stream url={url!r}>: Twilio drops the query string; use <Parameter>"
            self._timeline.warn(self._warnings, 31920, reason)
        return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))

    def _file(self, stream: MediaStream, code: int | None, reason: str, ended_by: EndedBy) -> None:
        begin, end = stream.begin, stream.playout.now
        self.report.streams.append(
            StreamReport(
                stream.stream_sid, begin, end, ended_by.value, code, reason, tuple(stream.marks), stream.playout, stream
            )
        )

    def _form(self, status: str) -> list[tuple[str, str]]:
        plan = self._plan
        form = call_form(
            call_sid=self.report.call_sid,
            account_sid=plan.account_sid,
            to_number=plan.to_number,
            from_number=plan.from_number,
            status=status,
        )
        return [pair for pair in form if pair[0] not in plan.form] + list(plan.form.items())

    def _fail(self, code: int, message: str) -> None:
        self.report.failures.append(f"{code}: {message}")
        self._timeline.note("error", {"code": code, "reason": message})

    def filed(self) -> CallReport:
        """Return the report, with what the caller, its ear and the callbacks have written down."""
        report, caller, timeline = self.report, self._caller, self._timeline
        report.callbacks = self._callbacks.sent
        report.said = [
            Said(timeline.sample(begin), timeline.sample(end), text, pcm) for begin, end, text, pcm in self._said
        ]
        report.events = timeline.events()
        report.spoken, report.caller_sound = caller.spoken, caller.sound
        report.agent_heard = self._agent.stretches
        report.expectations = caller.expectations
        report.failures += caller.failures
        if not report.streams and not report.failures:
            report.failures.append("the service opened no media stream")
        elif not self._plan.steps and not report.agent_heard and not report.failures:
            report.failures.append("the agent was never heard")  # and listening was all the caller wanted
        undone = caller.undone()
        if undone and report.streams and not caller.failures:
            report.failures.append(
                f"the call was over before {undone[0]}" + (" and what follows" if undone[1:] else "")
            )
        return report
