"""Reads what is wrong with a line from names and values, which options and scripts share; says what to write."""

from collections.abc import Mapping
from dataclasses import replace

from app.carrier.line import Line
from app.errors import SettingsError

NAMES = (
    "delay_ms",
    "jitter_ms",
    "mark_delay_ms",
    "bunch_marks_ms",
    "loss_percent",
    "stall_at_ms",
    "stall_ms",
    "drop_at_ms",
    "seed",
)
_MOST_MS = 60_000
_LATEST_MS = 3_600_000


class FaultError(SettingsError):
    """A value that no line can have. `name`: whose it is; the message begins with the value."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def line(values: Mapping[str, str | int | float], on_top_of: Line) -> Line:
    """Return a line with these faults; what they do not name is taken from `on_top_of`. Raises FaultError.

    values: by the names in NAMES. delay_ms is a number, or "service to carrier:carrier to service".
    """
    made = on_top_of
    for name, value in values.items():
        if name == "delay_ms":
            made = _delayed(made, value)
        elif name == "loss_percent":
            made = replace(made, loss_percent=_percent(value))
        elif name == "seed":
            made = replace(made, seed=_whole(name, value, 2**31))
        elif name in ("stall_at_ms", "drop_at_ms"):
            moment_ms = _whole(name, value, _LATEST_MS)
            made = replace(made, stall_at_ms=moment_ms) if name[0] == "s" else replace(made, drop_at_ms=moment_ms)
        else:
            made = _ms(made, name, _whole(name, value, _MOST_MS))
    if made.stall_ms and made.stall_at_ms is None:
        raise FaultError("stall_ms", f"{made.stall_ms}: says how long; stall_at_ms must say when")
    if made.stall_at_ms is not None and not made.stall_ms:
        if "stall_ms" in values:
            raise FaultError("stall_ms", f"{made.stall_ms}: stall_at_ms says when, so more than 0 ms are needed")
        raise FaultError("stall_at_ms", f"{made.stall_at_ms}: says when; stall_ms must say for how long")
    return made


def _ms(made: Line, name: str, value_ms: int) -> Line:
    match name:
        case "jitter_ms":
            return replace(made, jitter_ms=value_ms)
        case "mark_delay_ms":
            return replace(made, mark_delay_ms=value_ms)
        case "bunch_marks_ms":
            return replace(made, bunch_marks_ms=value_ms)
        case _:
            return replace(made, stall_ms=value_ms)


def _delayed(made: Line, value: str | int | float) -> Line:
    written = str(value).split(":")
    if not 1 <= len(written) <= 2 or not all(part.isascii() and part.isdecimal() for part in written):
        raise FaultError(
            "delay_ms", f"{value}: whole milliseconds are needed, or two of them as in 150:40 (to the carrier:back)"
        )
    to_carrier_ms, to_service_ms = int(written[0]), int(written[-1])
    for part_ms in (to_carrier_ms, to_service_ms):
        _whole("delay_ms", part_ms, _MOST_MS)
    return replace(made, to_carrier_ms=to_carrier_ms, to_service_ms=to_service_ms)


def _whole(name: str, value: str | int | float, most: int) -> int:
    if isinstance(value, int) and 0 <= value <= most:
        return value
    unit = " of milliseconds" if name.endswith("_ms") else ""
    raise FaultError(name, f"{value}: a whole number{unit} from 0 to {most} is needed")


def _percent(value: str | int | float) -> float:
    if isinstance(value, int | float) and 0 <= value <= 100:
        return float(value)
    raise FaultError("loss_percent", f"{value}: a number from 0 to 100 is needed")
