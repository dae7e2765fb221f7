"""The embedded voice, for real: its worker processes speak, and are gone afterwards."""

import asyncio

import numpy as np
import pytest

from app.speech.local import LocalSynthesizer


@pytest.mark.parametrize(("text", "language"), [("Order 1042.", "en-US"), ("안녕하세요.", "ko-KR")])
def test_it_speaks(text: str, language: str) -> None:
    async def scenario() -> bytes:
        voice = LocalSynthesizer()
        try:
            return await voice.speak(text, language)
        finally:
            await voice.close()

    sound = np.frombuffer(asyncio.run(scenario()), dtype="<i2").astype(np.float64)
    assert 0.3 < len(sound) / 24_000 < 5
    assert np.sqrt((sound**2).mean()) > 500
