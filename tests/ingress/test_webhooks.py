"""The webhooks over real HTTP: who is let through, and what he is told."""

import asyncio
from xml.etree import ElementTree

import pytest
from structlog.testing import capture_logs

from app.agents.schema import AgentFile
from app.ingress.admission import Admission
from app.ingress.signature import PublicUrl, Signatures
from app.model.accounts import Account
from app.session.commands import HangUp, TransferCall
from app.session.policy import DisclosureBlock
from app.speech.wording import wording_for
from tests.support.door import ACCOUNT, AGENT, CALL, Twilio, parameters_of, run, served

FORM = "application/x-www-form-urlencoded"
PATHS = ("/twilio/voice", "/twilio/after", "/twilio/status", "/twilio/stream-status")


def verbs(document: str) -> list[str]:
    return [element.tag for element in ElementTree.fromstring(document)]  # noqa: S314 - our own document


def spoken(document: str) -> tuple[str | None, str | None]:
    """Return the first sentence's language and words."""
    say = next(ElementTree.fromstring(document).iter("Say"))  # noqa: S314 - our own document
    return say.get("language"), say.text


def test_a_call_gets_a_ticket_for_its_stream() -> None:
    async def scenario() -> None:
        async with served() as twilio:
            response = await twilio.post("/twilio/voice")
            assert response.status_code == 200
            assert response.headers["content-type"] == "text/xml; charset=utf-8"
            assert verbs(response.text) == ["Connect"]
            assert parameters_of(response.text) == {"ticket": "ticket-1", "agent": "acme-orders"}
            call = twilio.door.admission.redeem("ticket-1", CALL, twilio.door.clock())
            assert (call.caller_number, call.dialled_number) == ("+15550199", "+15550100")
            assert call.agent.agent == "acme-orders"
            assert not call.disclosure_said

    run(scenario())


def test_a_repeated_webhook_gets_a_ticket_of_its_own() -> None:
    async def scenario() -> None:
        async with served(admission=Admission(1, iter(["first", "second"]).__next__)) as twilio:
            assert await twilio.ticket() == "first"
            assert await twilio.ticket() == "second"

    run(scenario())


def test_a_disclosure_that_cannot_be_rendered_is_spoken_before_the_stream() -> None:
    async def scenario() -> None:
        async with served() as twilio:
            twilio.house.is_rendered = False
            response = await twilio.post("/twilio/voice", To="+15550101")
            assert verbs(response.text) == ["Say", "Connect"]
            assert spoken(response.text) == ("ko-KR", "지금 인공지능 상담원과 통화하고 계십니다.")
            ticket = parameters_of(response.text)["ticket"]
            assert twilio.door.admission.redeem(ticket, CALL, twilio.door.clock()).disclosure_said

    run(scenario())


def test_the_carrier_speaks_the_disclosure_of_the_agents_language_and_its_ticket_lasts_as_long() -> None:
    async def scenario() -> None:
        short, long = "AIです。", "こちらはAIの自動音声です。" * 20
        block = {"text": short, "texts": {"ja": long, "ko": "인공지능입니다."}}
        agent = AGENT.model_copy(update={"language": "ja-JP", "disclosure": DisclosureBlock.model_validate(block)})
        now = 0.0
        async with served(agent_for=lambda number: agent, clock=lambda: now) as twilio:
            twilio.house.is_rendered = False
            response = await twilio.post("/twilio/voice")
            assert spoken(response.text) == ("ja-JP", long)
            now = len(long) / 5  # it is still being spoken
            assert twilio.door.admission.redeem(parameters_of(response.text)["ticket"], CALL, now).disclosure_said

    run(scenario())


def test_a_number_that_nobody_answers_is_rejected() -> None:
    async def scenario() -> None:
        async with served() as twilio:
            response = await twilio.post("/twilio/voice", To="+15559999")
            assert verbs(response.text) == ["Reject"]
            assert twilio.house.refusals == ["no_agent"]

    run(scenario())


def test_an_agent_that_is_not_ready_yet_is_no_reason_to_refuse_its_callers_without_a_word() -> None:
    async def scenario() -> None:
        async with served(is_ready=lambda agent: False) as twilio:
            response = await twilio.post("/twilio/voice", To="+15550101")
            assert verbs(response.text) == ["Say", "Hangup"]
            assert spoken(response.text) == ("ko-KR", wording_for("ko").full)
            assert twilio.house.refusals == ["not_ready"]

    run(scenario())


def test_whose_stream_broke_off_is_not_told_that_it_never_came_about() -> None:
    async def scenario() -> None:
        async with served() as twilio:
            twilio.house.was_on.add(CALL)
            response = await twilio.post("/twilio/after")
            assert verbs(response.text) == ["Say", "Hangup"]
            assert spoken(response.text) == ("en-US", wording_for("en").model_lost)

    run(scenario())


def test_who_comes_when_it_is_full_is_told_so_in_the_agents_language() -> None:
    async def scenario() -> None:
        async with served() as twilio:
            for number in (1, 2):
                await twilio.ticket(f"CA{number}")
            response = await twilio.post("/twilio/voice", CallSid="CA3", To="+15550101")
            assert verbs(response.text) == ["Say", "Hangup"]
            assert spoken(response.text) == ("ko-KR", wording_for("ko").full)
            # the caller of the first hangs up before its stream: there is room again
            await twilio.post("/twilio/status", CallSid="CA1", CallStatus="completed")
            assert verbs((await twilio.post("/twilio/voice", CallSid="CA3")).text) == ["Connect"]
            assert twilio.house.refusals == ["full"]

    run(scenario())


def test_who_finds_no_model_with_room_is_told_so() -> None:
    async def scenario() -> None:
        account = Account("openai", 1)
        async with served(accounts_of=lambda agent: (account,)) as twilio:
            assert verbs((await twilio.post("/twilio/voice", CallSid="CA1")).text) == ["Connect"]
            response = await twilio.post("/twilio/voice", CallSid="CA2")
            assert verbs(response.text) == ["Say", "Hangup"]
            assert spoken(response.text) == ("en-US", wording_for("en").full)
            assert twilio.house.refusals == ["models_full"]
            await twilio.post("/twilio/status", CallSid="CA1", CallStatus="completed")
            assert verbs((await twilio.post("/twilio/voice", CallSid="CA2")).text) == ["Connect"]

    run(scenario())


@pytest.mark.parametrize(
    ("blocks", "said", "expected"),
    [
        ({"on_full": {"say": "No line is free."}}, "No line is free.", ["Say", "Hangup"]),
        ({"phrases": {"full": "We are busy."}}, "We are busy.", ["Say", "Hangup"]),
        ({"on_full": {"say": "No line."}, "phrases": {"full": "We are busy."}}, "No line.", ["Say", "Hangup"]),
        ({"on_full": {"then": {"transfer": "+15550111"}}}, wording_for("en").cover, ["Say", "Dial"]),
        (
            {"on_full": {"say": "A colleague takes over.", "then": {"transfer": "+15550111"}}},
            "A colleague takes over.",
            ["Say", "Dial"],
        ),
    ],
)
@pytest.mark.parametrize("why", ["full", "models_full", "draining"])
def test_the_agent_file_says_what_becomes_of_a_call_without_room(
    why: str, blocks: dict[str, object], said: str, expected: list[str]
) -> None:
    async def scenario() -> None:
        agent = AgentFile.model_validate(AGENT.model_dump(exclude_unset=True) | blocks)
        account = Account("openai", 2)
        async with served(agent_for=lambda number: agent, accounts_of=lambda agent: (account,)) as twilio:
            if why == "draining":
                twilio.door.admission.drain()
            elif why == "full":
                for number in (1, 2):
                    await twilio.ticket(f"CA{number}")
            else:
                assert account.enter()
                assert account.enter()
            response = await twilio.post("/twilio/voice")
            assert verbs(response.text) == expected
            assert spoken(response.text) == ("en-US", said)
            if "Dial" in expected:
                assert ElementTree.fromstring(response.text).findtext("Dial") == "+15550111"  # noqa: S314 - our own
            assert twilio.house.refusals == [why]

    run(scenario())


def test_who_comes_while_it_drains_is_told_so() -> None:
    async def scenario() -> None:
        async with served() as twilio:
            twilio.door.admission.drain()
            response = await twilio.post("/twilio/voice")
            assert verbs(response.text) == ["Say", "Hangup"]
            assert spoken(response.text) == ("en-US", wording_for("en").full)
            assert twilio.house.refusals == ["draining"]

    run(scenario())


@pytest.mark.parametrize(
    ("last_word", "expected"),
    [
        (HangUp(), ["Hangup"]),
        (HangUp("Goodbye."), ["Say", "Hangup"]),
        (TransferCall("+15550111"), ["Dial"]),
        (TransferCall("+15550111", "One moment."), ["Say", "Dial"]),
        (None, ["Say", "Hangup"]),
    ],
)
def test_the_sessions_last_word_decides_how_the_call_goes_on(
    last_word: HangUp | TransferCall | None, expected: list[str]
) -> None:
    async def scenario() -> None:
        async with served() as twilio:
            if last_word is not None:
                twilio.house.last_words[CALL] = last_word
            response = await twilio.post("/twilio/after", To="+15550101")
            assert verbs(response.text) == expected
            if last_word is None:
                assert spoken(response.text) == ("ko-KR", wording_for("ko").no_stream)

    run(scenario())


def test_a_stream_that_never_came_about_gives_its_place_back() -> None:
    async def scenario() -> None:
        async with served() as twilio:
            await twilio.ticket()
            assert twilio.door.admission.taken(twilio.door.clock()) == 1
            await twilio.post("/twilio/after")
            assert twilio.door.admission.taken(twilio.door.clock()) == 0

    run(scenario())


def test_the_end_of_a_call_is_told_as_often_as_twilio_tells_it() -> None:
    async def scenario() -> None:
        async with served() as twilio:
            for status in (
                "completed",
                "ringing",
                "in-progress",
                "completed",
                "busy",
                "failed",
                "no-answer",
                "canceled",
            ):
                response = await twilio.post("/twilio/status", CallStatus=status)
                assert (response.status_code, response.content) == (204, b"")
            assert twilio.house.completed == [CALL] * 6

    run(scenario())


def test_why_a_stream_failed_is_logged() -> None:
    async def scenario() -> None:
        async with served() as twilio:
            with capture_logs() as logs:
                for event in ("stream-started", "stream-error", "stream-stopped"):
                    response = await twilio.post(
                        "/twilio/stream-status", StreamEvent=event, StreamError="31921" if "error" in event else ""
                    )
                    assert response.status_code == 204
            (warning,) = [line for line in logs if line["log_level"] == "warning"]
            assert (warning["event"], warning["stream_error"], warning["call_sid"]) == ("stream.failed", "31921", CALL)

    run(scenario())


@pytest.mark.parametrize("path", PATHS)
def test_who_does_not_sign_or_signs_wrongly_gets_403_and_nothing_happens(path: str) -> None:
    async def scenario() -> None:
        async with served() as twilio:
            form = {"CallSid": CALL, "AccountSid": ACCOUNT, "To": "+15550100", "CallStatus": "completed"}
            unsigned = await twilio.client.post(path, data=form)
            assert unsigned.status_code == 403
            assert "X-Twilio-Signature" in unsigned.text
            assert unsigned.headers["content-type"].startswith("text/plain")
            empty = await twilio.client.post(path)
            assert empty.status_code == 403
            wrong = await twilio.client.post(path, data=form, headers={"X-Twilio-Signature": "x" * 28})
            assert wrong.status_code == 403
            for_another = twilio.sign(twilio.door.public_url.page("/twilio/other"), form.items())
            assert (await twilio.client.post(path, data=form, headers=for_another)).status_code == 403
            changed = twilio.sign(twilio.door.public_url.page(path), form.items())
            assert (await twilio.client.post(path, data=form | {"To": "+1"}, headers=changed)).status_code == 403
            assert twilio.house.refusals == ["unsigned", "unsigned"] + ["wrong_signature"] * 3
            assert twilio.house.completed == []
            assert twilio.door.admission.taken(twilio.door.clock()) == 0

    run(scenario())


@pytest.mark.parametrize("path", PATHS)
def test_a_webhook_is_asked_by_post(path: str) -> None:
    async def scenario() -> None:
        async with served() as twilio:
            assert (await twilio.client.get(path)).status_code == 405

    run(scenario())


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"AccountSid": "AC" + "9" * 32}, 403, "other_account"),
        ({"AccountSid": ""}, 403, "other_account"),
        ({"CallSid": ""}, 400, "no_call_sid"),
        ({"CallSid": "../etc/passwd"}, 400, "no_call_sid"),
        ({"CallSid": "CA" * 40}, 400, "no_call_sid"),
    ],
)
def test_a_signed_form_that_makes_no_sense_is_refused(changes: dict[str, str], status: int, reason: str) -> None:
    async def scenario() -> None:
        async with served() as twilio:
            assert (await twilio.post("/twilio/voice", **changes)).status_code == status
            assert twilio.house.refusals == [reason]

    run(scenario())


def test_any_account_may_call_where_none_is_configured() -> None:
    async def scenario() -> None:
        async with served(account_sid=None) as twilio:
            assert (await twilio.post("/twilio/voice", AccountSid="AC1")).status_code == 200

    run(scenario())


def test_blank_and_repeated_fields_and_a_query_come_through() -> None:
    async def scenario() -> None:
        async with served() as twilio:
            pairs = [
                ("To", "+15550100"),
                ("CallSid", CALL),
                ("AccountSid", ACCOUNT),
                ("CallerName", ""),
                ("X", "2"),
                ("X", "1"),
            ]
            url = twilio.door.public_url.page("/twilio/voice") + "?a=%2F&b"
            response = await twilio.client.post(
                "/twilio/voice?a=%2F&b",
                content="To=%2B15550100&CallSid=" + CALL + "&AccountSid=" + ACCOUNT + "&CallerName=&X=2&X=1",
                headers={"Content-Type": FORM, **twilio.sign(url, pairs)},
            )
            assert response.status_code == 200

    run(scenario())


async def post_raw(twilio: Twilio, content: bytes, content_type: str = FORM, *, chunked: bool = False) -> int:
    async def pieces() -> object:
        yield content

    response = await twilio.client.post(
        "/twilio/voice",
        content=pieces() if chunked else content,  # type: ignore[arg-type]  # an async generator of bytes
        headers={"Content-Type": content_type, "X-Twilio-Signature": "x"},
    )
    return response.status_code


def test_bodies_that_are_no_form_of_twilios_are_not_read_through() -> None:
    async def scenario() -> None:
        async with served() as twilio:
            assert await post_raw(twilio, b"a=" + b"x" * 65_536) == 413
            assert await post_raw(twilio, b"a=" + b"x" * 65_536, chunked=True) == 413
            assert await post_raw(twilio, b"a=" + b"x" * 65_534) == 403
            assert await post_raw(twilio, b"&".join([b"a=b"] * 501)) == 400
            assert await post_raw(twilio, b"&".join([b"a=b"] * 500)) == 403
            assert await post_raw(twilio, b"{}", "application/json") == 415
            assert await post_raw(twilio, b"--x", "multipart/form-data; boundary=x") == 415
            assert await post_raw(twilio, b"%%%&&&===;;;\xff\x00") == 403
            assert twilio.house.refusals == [
                "too_large",
                "too_large",
                "wrong_signature",
                "too_many_fields",
                "wrong_signature",
                "not_a_form",
                "not_a_form",
                "wrong_signature",
            ]

    run(scenario())


HALF_A_FORM = (
    b"POST /twilio/voice HTTP/1.1\r\nHost: x\r\nX-Twilio-Signature: x\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nCallSid=CA1"
)


def test_a_form_that_does_not_come_is_not_waited_for() -> None:
    async def scenario() -> None:
        async with served(form_within_s=0.1) as twilio:
            reader, writer = await asyncio.open_connection("127.0.0.1", twilio.port)
            writer.write(HALF_A_FORM)
            assert await reader.readline() == b"HTTP/1.1 408 Request Timeout\r\n"
            writer.close()
            await writer.wait_closed()
            assert twilio.house.refusals == ["too_slow"]

    run(scenario())


def test_who_leaves_within_the_form_is_noted() -> None:
    async def scenario() -> None:
        async with served() as twilio:
            _, writer = await asyncio.open_connection("127.0.0.1", twilio.port)
            writer.write(HALF_A_FORM)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            await twilio.house.until(lambda: twilio.house.refusals == ["left_early"])

    run(scenario())


def test_without_a_token_loopback_is_served_unsigned() -> None:
    async def scenario() -> None:
        url = PublicUrl.parse("http://127.0.0.1:8080")
        async with served(signatures=Signatures(None), public_url=url) as twilio:
            twilio.token = None
            response = await twilio.post("/twilio/voice")
            assert response.status_code == 200
            assert 'url="ws://127.0.0.1:8080/twilio/media"' in response.text

    run(scenario())


@pytest.mark.parametrize("prefix", ["", "/phones"])
def test_a_public_url_with_a_path_is_served_and_signed_with_it(prefix: str) -> None:
    """prefix: what the proxy leaves of it."""

    async def scenario() -> None:
        async with served(public_url=PublicUrl.parse("https://example.com/phones")) as twilio:
            form = {"CallSid": CALL, "AccountSid": ACCOUNT, "To": "+15550100"}
            headers = twilio.sign("https://example.com/phones/twilio/voice", form.items())
            response = await twilio.client.post(prefix + "/twilio/voice", data=form, headers=headers)
            assert response.status_code == 200
            assert 'url="wss://example.com/phones/twilio/media"' in response.text
            assert 'action="https://example.com/phones/twilio/after"' in response.text
            assert 'statusCallback="https://example.com/phones/twilio/stream-status"' in response.text

    run(scenario())


def test_nothing_personal_is_logged() -> None:
    async def scenario() -> None:
        async with served() as twilio:
            with capture_logs() as logs:
                await twilio.post("/twilio/voice")
                await twilio.post("/twilio/voice", To="+15559999")
                await twilio.post("/twilio/after")
                await twilio.client.post("/twilio/voice", data={"From": "+15550199"})
            assert [line["event"] for line in logs] == ["door.refused", "door.no_last_word", "door.refused"]
            assert "+1555" not in str(logs)

    run(scenario())
