"""The webhooks: what Twilio asks and tells by signed form posts."""

import asyncio
import re
from collections.abc import Awaitable, Callable

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message

from app.agents.schema import AgentFile
from app.bridge.incoming import IncomingCall
from app.errors import CallRefused
from app.ingress import twiml
from app.ingress.door import Door, log
from app.session.commands import HangUp, TransferCall
from app.speech.wording import wording_for

VOICE = "/twilio/voice"
AFTER = "/twilio/after"
STATUS = "/twilio/status"
STREAM_STATUS = "/twilio/stream-status"
MEDIA = "/twilio/media"

MAX_FORM_BYTES = 64 * 1024
_MAX_FIELDS = 500
"""Twilio sends about forty. Checking a signature costs the square of their number."""
_CALL_SID = re.compile(r"[A-Za-z0-9]{1,64}", re.ASCII)
"""Twilio's are CA and 32 hexadecimal digits. They name files, so nothing else may stand in one."""
_SLOWEST_CHARACTERS_A_SECOND = 4
"""Of speech, in any language: Korean and Japanese write a syllable as one."""
_STATUS_CODES = {
    "too_large": 413,
    "not_a_form": 415,
    "too_many_fields": 400,
    "no_call_sid": 400,
    "too_slow": 408,
    "left_early": 400,
}
_FINAL_STATUSES = frozenset(("completed", "busy", "no-answer", "failed", "canceled"))


def webhook(
    door: Door, path: str, answer: Callable[[Door, FormData], Response]
) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint that lets signed posts through to `answer` and turns away all else. path: the route's."""

    async def endpoint(request: Request) -> Response:
        try:
            form = await _checked_form(door, path, request)
        except CallRefused as refusal:
            door.note_refusal(refusal, path)
            return PlainTextResponse(f"{refusal}\n", _STATUS_CODES.get(refusal.reason, 403))
        return answer(door, form)

    return endpoint


def answer_call(door: Door, form: FormData) -> Response:
    """A call comes in: open its stream, or say why not."""
    call_sid, dialled_number = _text(form, "CallSid"), _text(form, "To")
    agent = door.agent_for(dialled_number)
    if agent is None:
        door.note_refusal(CallRefused("no_agent", "no agent answers the dialled number"), VOICE, call_sid=call_sid)
        return _xml(twiml.reject())
    if not door.is_ready(agent):
        refusal = CallRefused("not_ready", "the agent cannot take calls yet; /readyz says why")
        door.note_refusal(refusal, VOICE, call_sid=call_sid, agent=agent.agent)
        return _xml(_turned_away(agent))
    disclosure_said = not door.disclosure_is_rendered(agent)
    call = IncomingCall(
        call_sid=call_sid,
        agent=agent,
        caller_number=_text(form, "From"),
        dialled_number=dialled_number,
        disclosure_said=disclosure_said,
    )
    disclosure = agent.disclosure.text_for(agent.language)
    spoken_s = len(disclosure) / _SLOWEST_CHARACTERS_A_SECOND if disclosure_said else 0.0
    try:
        ticket = door.admission.admit(call, door.clock(), spoken_s, door.accounts_of(agent))
    except CallRefused as refusal:
        door.note_refusal(refusal, VOICE, call_sid=call_sid, agent=agent.agent)
        return _xml(_turned_away(agent))
    return _xml(
        twiml.connect(
            stream_url=door.public_url.socket(MEDIA),
            parameters={"ticket": ticket, "agent": agent.agent},
            status_url=door.public_url.page(STREAM_STATUS),
            after_url=door.public_url.page(AFTER),
            before=twiml.Sentence(disclosure, agent.language) if disclosure_said else None,
        )
    )


def answer_after(door: Door, form: FormData) -> Response:
    """The stream has ended and the caller is still there: the session's last word decides."""
    call_sid = _text(form, "CallSid")
    door.admission.withdraw(call_sid)  # a stream that never came about
    agent = door.agent_for(_text(form, "To"))
    language = agent.language if agent else "en-US"

    def sentence(text: str | None) -> twiml.Sentence | None:
        return twiml.Sentence(text, language) if text else None

    match door.last_word(call_sid):
        case HangUp(say):
            return _xml(twiml.hang_up(sentence(say)))
        case TransferCall(number, say):
            return _xml(twiml.dial(number, sentence(say)))
        case None:
            log.warning("door.no_last_word", call_sid=call_sid)
            wording = wording_for(language)
            broke_off = (agent.on_model_loss.say if agent else None) or wording.model_lost
            return _xml(twiml.hang_up(sentence(broke_off if door.was_on(call_sid) else wording.no_stream)))


def take_status(door: Door, form: FormData) -> Response:
    """The call's progress, unordered and repeated; only its end means something here."""
    if _text(form, "CallStatus") in _FINAL_STATUSES:
        call_sid = _text(form, "CallSid")
        door.admission.withdraw(call_sid)
        door.call_completed(call_sid)
    return Response(status_code=204)


def take_stream_status(door: Door, form: FormData) -> Response:
    """The only place where Twilio says why a stream failed."""
    event, error = _text(form, "StreamEvent"), _text(form, "StreamError")
    call_sid = _text(form, "CallSid")
    if event == "stream-error" or error:
        log.warning("stream.failed", call_sid=call_sid, stream_error=error[:200])
    elif event in ("stream-started", "stream-stopped"):
        log.debug("stream.status", call_sid=call_sid, stream_event=event)
    return Response(status_code=204)


def routes(door: Door, prefix: str = "") -> list[Route]:
    """Return the webhooks' routes. prefix: a path before theirs."""
    answers = {
        VOICE: answer_call,
        AFTER: answer_after,
        STATUS: take_status,
        STREAM_STATUS: take_stream_status,
    }
    return [Route(prefix + path, webhook(door, path, answer), methods=["POST"]) for path, answer in answers.items()]


def _turned_away(agent: AgentFile) -> str:
    """What becomes of a caller for whom there is no room: never silence."""
    wording, transfer = wording_for(agent.language), agent.on_full.transfer
    own = agent.on_full.say or agent.phrases.full
    if transfer is None:
        return twiml.hang_up(twiml.Sentence(own or wording.full, agent.language))
    return twiml.dial(transfer, twiml.Sentence(own or wording.cover, agent.language))


async def _checked_form(door: Door, path: str, request: Request) -> FormData:
    """Return the form of a post that Twilio has signed for our account. Raises CallRefused."""
    signature, server = request.headers.get("x-twilio-signature"), request.scope.get("server")
    door.signatures.precheck(signature, server)
    form = await _form(request, door.form_within_s)
    url = door.public_url.as_requested(path, request.scope["raw_path"], request.scope["query_string"])
    door.signatures.check_form(url, form, signature, server)
    if door.account_sid is not None and _text(form, "AccountSid") != door.account_sid:
        raise CallRefused("other_account", "AccountSid is not the configured TWILIO_ACCOUNT_SID")
    if not _CALL_SID.fullmatch(_text(form, "CallSid")):
        raise CallRefused("no_call_sid", "CallSid is missing or is none: letters and digits are expected")
    return form


async def _form(request: Request, within_s: float) -> FormData:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/x-www-form-urlencoded":
        raise CallRefused("not_a_form", "expected Content-Type application/x-www-form-urlencoded, as Twilio posts")
    too_large = CallRefused("too_large", f"the form has more than {MAX_FORM_BYTES} bytes")
    try:
        if int(request.headers.get("content-length", "0")) > MAX_FORM_BYTES:
            raise too_large
    except ValueError:
        pass  # the bytes are counted as they come
    read_bytes = 0

    async def receive() -> Message:
        nonlocal read_bytes
        message = await request.receive()
        read_bytes += len(message.get("body", b""))
        if read_bytes > MAX_FORM_BYTES:
            raise too_large
        return message

    try:
        async with asyncio.timeout(within_s):
            return await Request(request.scope, receive).form(max_fields=_MAX_FIELDS, max_part_size=MAX_FORM_BYTES)
    except HTTPException as error:
        raise CallRefused("too_many_fields", f"the form cannot be read: {error.detail}") from error
    except TimeoutError as error:
        raise CallRefused("too_slow", f"the form has not come within {within_s:g} s") from error
    except ClientDisconnect as error:
        raise CallRefused("left_early", "the connection ended within the form") from error


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _xml(document: str) -> Response:
    return Response(document, media_type="text/xml")
