"""The price file: what it says, the names it is asked for, and what is told of its mistakes."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from app.errors import SettingsError
from app.model.prices import NO_PRICES, read_prices
from app.session.cost import FREE, Price, TokenPrice, TokenPrices
from tests.support.captured_logs import captured_logs

pytestmark = pytest.mark.core

DEPLOYED = Path("deploy/prices.yaml")
ROW = """\
prices:
  - provider: openai
    models: [gpt-realtime]
    as_of: 2026-11-20
    source: somewhere
    text: {input: 4, cached: 0.40, output: 16}
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "prices.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(tmp_path: Path, text: str) -> str:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        read_prices(path)
    return str(caught.value).replace(f"{path}:", "")


def token_price(price: str, cached: str | None, output: str | None) -> TokenPrice:
    known = [None if one is None else Decimal(one) for one in (price, cached, output)]
    return TokenPrice(*known)


@pytest.mark.parametrize(
    ("models", "text", "audio", "image"),
    [
        ("gpt-realtime-2.1 gpt-realtime-2", ("4", "0.40", "24"), ("32", "0.40", "64"), ("5", "0.50", None)),
        ("gpt-realtime-2.1-mini", ("0.60", "0.06", "2.40"), ("10", "0.30", "20"), ("0.80", "0.08", None)),
        (
            "gpt-realtime-1.5 gpt-realtime gpt-realtime-2025-08-28",
            ("4", "0.40", "16"), ("32", "0.40", "64"), ("5", "0.50", None),
        ),
        ("gpt-4o-mini-realtime-preview-2024-12-17", ("0.60", "0.30", "2.40"), ("10", "0.30", "20"), None),
        ("gpt-4o-realtime-preview-2024-10-01", ("5", None, "20"), ("100", "20", "200"), None),
        ("gpt-4o-realtime-preview gpt-4o-realtime-preview-2024-12-17", ("5", "2.50", "20"), ("40", "2.50", "80"), None),
    ],
)  # fmt: skip
def test_the_deployed_file_has_the_published_prices(
    models: str, text: tuple[str, str, str], audio: tuple[str, str, str], image: tuple[str, str, str] | None
) -> None:
    expected = TokenPrices(token_price(*text), token_price(*audio), token_price(*image) if image else TokenPrice())
    for model in models.split():
        price = read_prices(DEPLOYED).price_of("openai", model, None)
        assert price is not None, model
        assert price.tokens == expected, model


def test_every_deployed_row_is_dated_and_has_a_source() -> None:
    for row in YAML(typ="safe", pure=True).load(DEPLOYED.read_bytes())["prices"]:
        assert isinstance(row["as_of"], date)
        assert row["source"]


def test_what_nobody_has_told_the_price_of_has_none() -> None:
    prices = read_prices(DEPLOYED)
    assert prices.price_of("openai", "gpt-realtime-mini", None) is None
    assert prices.price_of("openai", "gpt-realtime-2.1-mega", None) is None
    assert prices.price_of("azure", "gpt-realtime", None) is None
    assert prices.price_of("tokenlab", "gpt-realtime", None) is None
    assert prices.price_of("compatible", "gpt-realtime", None) is None


def test_the_embedded_model_is_free_whatever_the_file_says() -> None:
    assert NO_PRICES.price_of("local", "any", "any") == FREE


def test_writing_down_has_a_price_of_its_own(tmp_path: Path) -> None:
    deployed = read_prices(DEPLOYED).price_of("openai", "gpt-realtime-2.1", "gpt-realtime-whisper")
    assert deployed is not None
    assert deployed.transcription_per_minute == Decimal("0.017")
    more = "  - {provider: openai, transcription_models: [scribe], as_of: 2026-11-20, source: s, audio: {input: 3}}\n"
    prices = read_prices(written(tmp_path, ROW + more))
    tokens = TokenPrices(token_price("4", "0.4", "16"))
    by_token = TokenPrices(audio=token_price("3", None, None))
    assert prices.price_of("openai", "gpt-realtime", "scribe-2026-01-01") == Price(tokens, by_token)
    assert prices.price_of("openai", "gpt-realtime", "other") == Price(tokens)
    assert prices.price_of("openai", "gpt-realtime", None) == Price(tokens)
    assert prices.price_of("openai", "scribe", None) is None


def test_a_deployment_can_be_given_a_price(tmp_path: Path) -> None:
    price = read_prices(written(tmp_path, ROW.replace("openai", "azure").replace("gpt-realtime", "front-desk")))
    assert price.price_of("azure", "front-desk", None) is not None
    assert price.price_of("openai", "front-desk", None) is None


def test_without_the_file_no_price_is_known_and_that_is_logged_once(tmp_path: Path) -> None:
    with captured_logs() as logs:
        prices = read_prices(tmp_path / "prices.yaml")
    assert prices == NO_PRICES
    assert [line["event"] for line in logs.lines] == ["prices.none"]


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("cached: 0.40", "cashed: 0.40", "6:22: prices[0].text.cashed: unknown key; did you mean cached?"),
        ("source: somewhere", "sauce: somewhere", "5:5: prices[0].sauce: unknown key; did you mean source?"),
        ("    source: somewhere\n", "", "2:5: prices[0].source: is missing; write it"),
        ("provider: openai", "provider: opnai", "2:5: prices[0].provider: is 'opnai'; did you mean openai?"),
        ("input: 4", "input: four", "prices[0].text.input: is 'four'; write US dollars as a number, such as 0.40"),
        ("input: 4", "input: -4", "6:12: prices[0].text.input: is negative; write 0 or more"),
        ("input: 4", "input: .nan", "prices[0].text.input:"),
        ("input: 4", "input: yes", "prices[0].text.input: is 'yes'; write US dollars"),
        ("2026-11-20", "lately", "4:5: prices[0].as_of: is no day; write the day"),
        ("[gpt-realtime]", "gpt-realtime", "3:5: prices[0].models: is no list of names"),
        ("[gpt-realtime]", "[]", "3:5: prices[0].models: is no list of names"),
        ("models:", "transcription_models:", None),
        ("    models: [gpt-realtime]\n", "", "2:5: prices[0]: names no models or both kinds"),
        ("    text: {input: 4, cached: 0.40, output: 16}\n", "", "2:5: prices[0]: has no price or two"),
        ("text: {input: 4, cached: 0.40, output: 16}", "per_minute: 0.1", "6:5: prices[0].per_minute: is for"),
        ("prices:\n", "prices: [\n", "is not YAML here"),
        ("    source: somewhere\n", "    source: a\n    source: b\n", "is not YAML here: found duplicate key"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place(tmp_path: Path, was: str, becomes: str, message: str | None) -> None:
    text = ROW.replace(was, becomes)
    assert text != ROW
    if message is None:
        read_prices(written(tmp_path, text))
    else:
        assert message in refused(tmp_path, text)


def test_a_model_with_two_prices_is_a_mistake(tmp_path: Path) -> None:
    assert "8:14: prices[1].models[0]: gpt-realtime has a price in prices[0] already; leave one out" in refused(
        tmp_path, ROW + ROW.removeprefix("prices:\n")
    )


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    told = refused(tmp_path, ROW.replace("cached", "cashed").replace("somewhere", "''"))
    assert "cashed" in told
    assert "prices[0].source" in told


@pytest.mark.parametrize("text", ["", "- a", "prices", "prices: \x00"])
def test_what_is_no_price_file_is_refused(tmp_path: Path, text: str) -> None:
    assert "; " in refused(tmp_path, text)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "prices.yaml"
    path.write_bytes(b"prices: \xff\xfe\xff")
    with pytest.raises(SettingsError):
        read_prices(path)
    with pytest.raises(SettingsError):
        read_prices(tmp_path)
