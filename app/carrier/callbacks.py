"""Status callbacks: told beside the call, whose course they do not touch."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Literal

from app.carrier.timeline import Timeline, Warnings
from app.carrier.webhooks import Form, WebhookError, Webhooks

StreamEvent = Literal["stream-started", "stream-stopped", "stream-error"]


@dataclass(frozen=True, slots=True)
class Callback:
    """A status callback and how it was answered; status 0: not at all."""

    url: str
    event: str
    status: int


class Callbacks:
    """Sends the callbacks of one call in the tasks of its group; `sent` lists those that are through."""

    def __init__(self, webhooks: Webhooks, tasks: asyncio.TaskGroup, timeline: Timeline, warnings: Warnings) -> None:
        self.sent: list[Callback] = []
        self._webhooks, self._tasks = webhooks, tasks
        self._timeline, self._warnings = timeline, warnings

    def stream(
        self, method: str, url: str, event: StreamEvent, ids: Mapping[str, str], *, name: str, error: str = ""
    ) -> None:
        """Tell a stream's callback what became of it. ids: AccountSid, CallSid, StreamSid; name: blank for the SID."""
        form = [
            *ids.items(),
            ("StreamName", name or ids["StreamSid"]),
            ("StreamEvent", event),
            ("Timestamp", datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")),
        ]
        if error:
            form.append(("StreamError", error))
        self._tasks.create_task(self._send(method, url, form, event))

    def completed(self, url: str, form: Form, *, duration_s: int) -> None:
        """Tell the number's callback that the call is over. form: the call's parameters."""
        event = [
            ("CallDuration", str(duration_s)),
            ("Duration", str(-(-duration_s // 60))),
            ("Timestamp", format_datetime(datetime.now(UTC))),
            ("CallbackSource", "call-progress-events"),
            ("SequenceNumber", "0"),
        ]
        self._tasks.create_task(self._send("POST", url, [*form, *event], "completed"))

    async def _send(self, method: str, url: str, form: Form, event: str) -> None:
        try:
            status = (await self._webhooks.ask(method, url, form)).status
        except WebhookError as error:
            status = 0
            self._timeline.warn(self._warnings, error.code, f"callback {event}: {error}")
        self.sent.append(Callback(url, event, status))
