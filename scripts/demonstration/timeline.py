"""A call as a picture: both voices over time, what was said, and what happened (SVG, no library needed)."""

from dataclasses import dataclass, field
from html import escape

import numpy as np

from app.audio.wav import Recording

PX_PER_S = 36
LEFT, TOP = 70, 70
LANE = 120
COLOURS = {"caller": "#1f6f8b", "agent": "#99582a", "barge_in": "#c1121f", "tool": "#386641", "proof": "#5a189a"}


@dataclass(frozen=True, slots=True)
class Span:
    """Somebody spoke, or something lasted; lane: caller or agent."""

    start_ms: int
    end_ms: int
    text: str
    lane: str


@dataclass(slots=True)
class Timeline:
    recording: Recording
    title: str
    spans: list[Span] = field(default_factory=list)
    marks: list[tuple[int, str, str]] = field(default_factory=list)


def draw(timeline: Timeline) -> str:
    """Return the picture as the text of an SVG file."""
    recording = timeline.recording
    seconds = recording.duration_ms / 1000
    width = round(LEFT + seconds * PX_PER_S + 40)
    marks_top = TOP + 2 * LANE + 70
    height = marks_top + 22 * len(timeline.marks) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fffdf8"/>',
        f'<text x="{LEFT}" y="26" font-size="16" font-weight="bold">{escape(timeline.title)}</text>',
    ]
    axis = TOP + 2 * LANE + 20
    for second in range(int(seconds) + 1):
        x = LEFT + second * PX_PER_S
        tall = second % 5 == 0
        shade = "#ccc" if tall else "#eee"
        parts.append(f'<line x1="{x}" y1="{TOP - 10}" x2="{x}" y2="{axis}" stroke="{shade}"/>')
        if tall:
            parts.append(f'<text x="{x}" y="{axis + 16}" text-anchor="middle" fill="#555">{second} s</text>')
    for number, (lane, channel) in enumerate((("caller", 0), ("agent", 1))):
        parts += _voice(timeline, lane, channel, TOP + number * LANE)
    for row, (at_ms, text, kind) in enumerate(sorted(timeline.marks)):
        here = LEFT + at_ms / 1000 * PX_PER_S
        y = marks_top + 22 * row
        colour = COLOURS[kind]
        parts.append(
            f'<line x1="{here:.1f}" y1="{TOP - 10}" x2="{here:.1f}" y2="{y}" stroke="{colour}" stroke-dasharray="4 3"/>'
        )
        right = here > width * 0.75
        parts.append(
            f'<text x="{here + (-6 if right else 6):.1f}" y="{y}" fill="{colour}" '
            f'text-anchor="{"end" if right else "start"}">{at_ms / 1000:.2f} s  {escape(text)}</text>'
        )
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def _voice(timeline: Timeline, lane: str, channel: int, top: int) -> list[str]:
    recording = timeline.recording
    colour = COLOURS[lane]
    middle = top + 70
    samples = np.frombuffer(recording.pcm, dtype="<i2").reshape(-1, recording.channels)[:, channel]
    step = recording.rate_hz // PX_PER_S
    peaks = np.abs(samples[: len(samples) // step * step].reshape(-1, step).astype(np.int32)).max(axis=1)
    loudest = max(int(peaks.max(initial=0)), 2000)
    parts = [
        f'<text x="{LEFT - 10}" y="{middle + 4}" text-anchor="end" fill="{colour}" font-weight="bold">{lane}</text>',
        f'<line x1="{LEFT}" y1="{middle}" x2="{LEFT + len(peaks)}" y2="{middle}" stroke="#bbb"/>',
    ]
    bars = "".join(
        f"M{LEFT + x} {middle - 38 * peak / loudest:.1f}V{middle + 38 * peak / loudest:.1f}"
        for x, peak in enumerate(peaks)
        if peak > loudest * 0.01
    )
    parts.append(f'<path d="{bars}" stroke="{colour}" stroke-width="1"/>')
    for span in timeline.spans:
        if span.lane != lane:
            continue
        x, end = LEFT + span.start_ms / 1000 * PX_PER_S, LEFT + span.end_ms / 1000 * PX_PER_S
        room = max(3, int((end - x) / 6.2))
        text = span.text if len(span.text) <= room else span.text[: room - 1] + "…"
        parts.append(
            f'<rect x="{x:.1f}" y="{top + 4}" width="{max(end - x, 2):.1f}" height="18" rx="3" '
            f'fill="{colour}" opacity="0.15">'
            f"<title>{escape(span.text)}</title></rect>"
        )
        parts.append(f'<text x="{x + 4:.1f}" y="{top + 17}" fill="{colour}" font-size="11">{escape(text)}</text>')
    return parts
