"""What a call has cost, by its usage: each formula with its figures written out, in millionths of a dollar."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.session.cost import FREE, CostMeter, Price, TokenPrice, TokenPrices, UsageSum

pytestmark = pytest.mark.core


def dollars(*prices: str | None) -> TokenPrice:
    return TokenPrice(*(None if price is None else Decimal(price) for price in prices))


REALTIME = TokenPrices(dollars("4", "0.40", "24"), dollars("32", "0.40", "64"), dollars("5", "0.50"))
TRANSCRIBING = TokenPrices(dollars("1.25", None, "5"), dollars("1.25"))
PRICE = Price(REALTIME, TRANSCRIBING)


def response_cost(usage: dict[str, int], price: Price | None = PRICE) -> float | None:
    meter = CostMeter([price])
    meter.charge(0, usage)
    return meter.usd


def transcription_cost(usage: dict[str, int], price: Price | None = PRICE) -> float | None:
    meter = CostMeter([price])
    meter.charge_transcription(0, usage)
    return meter.usd


def flat(**counts: int) -> dict[str, int]:
    """A usage by short names: in_text, cached_audio, out_text, …; the totals as they are told."""
    long = {"in": "input_token_details", "out": "output_token_details"}
    usage = {}
    for name, count in counts.items():
        side, _, kind = name.partition("_")
        if side == "cached":
            usage[f"input_token_details.cached_tokens_details.{kind}_tokens"] = count
        elif side in long:
            usage[f"{long[side]}.{kind}_tokens"] = count
        else:
            usage[name] = count
    return usage


def test_every_kind_at_its_price_and_cached_ones_at_theirs() -> None:
    usage = flat(
        in_text=1000, in_audio=500, in_image=200, in_cached=700,
        cached_text=400, cached_audio=200, cached_image=100,
        out_text=60, out_audio=300,
        input_tokens=1700, output_tokens=360, total_tokens=2060,
    )  # fmt: skip
    # text 600·4 + 400·0.40 = 2560; audio 300·32 + 200·0.40 = 9680; image 100·5 + 100·0.50 = 550
    # out: 60·24 + 300·64 = 20640; all in all 33430 millionths
    assert response_cost(usage) == 0.03343


def test_charges_add_up_over_responses_and_choices() -> None:
    meter = CostMeter([PRICE, Price(TokenPrices(dollars("0.60", "0.06", "2.40"), dollars("10", "0.30", "20")))])
    meter.charge(0, flat(in_text=1000, out_audio=100))  # 4000 + 6400
    meter.charge(1, flat(in_text=1000, out_audio=100))  # 600 + 2000
    assert meter.usd == 0.013


def test_nothing_used_costs_nothing_whatever_the_price() -> None:
    zeros = flat(in_text=0, in_audio=0, out_text=0, out_audio=0, input_tokens=0, output_tokens=0, total_tokens=0)
    assert response_cost({}, None) == 0.0
    assert response_cost(zeros, None) == 0.0
    assert transcription_cost({}, None) == 0.0


def test_a_price_that_is_not_known_makes_the_sum_unknown_for_good() -> None:
    meter = CostMeter([PRICE, None])
    meter.charge(0, flat(in_text=1000))
    assert meter.usd == 0.004
    meter.charge(1, flat(in_text=1))
    assert meter.usd is None
    meter.charge(0, flat(in_text=1000))
    assert meter.usd is None


def test_a_kind_without_a_price_matters_once_it_is_used() -> None:
    price = Price(TokenPrices(dollars("5", None, "20"), dollars("100", "20", "200")))
    assert response_cost(flat(in_text=1000, in_audio=100, cached_audio=50), price) == 0.011  # 5000 + 50·100 + 50·20
    assert response_cost(flat(in_text=1000, cached_text=1), price) is None
    assert response_cost(flat(in_image=1), price) is None


def test_the_model_of_our_own_machine_is_free() -> None:
    meter = CostMeter([FREE])
    meter.charge(0, flat(in_text=1000, in_cached=10, out_audio=500, input_tokens=2000, output_tokens=900))
    meter.charge_transcription(0, flat(in_audio=100, input_tokens=100, output_tokens=20))
    meter.charge_transcription(0, {"duration_ms": 4200})
    assert meter.usd == 0.0


# --- what providers leave out -----------------------------------------------------------------------------------------


def test_without_kinds_input_and_output_count_as_the_dearest() -> None:
    assert response_cost(flat(input_tokens=1000, output_tokens=100, total_tokens=1100)) == 0.0384  # 32000 + 6400
    assert response_cost(flat(total_tokens=1000)) == 0.064  # it could all be speech


def test_what_the_kinds_leave_of_the_total_counts_as_the_dearest() -> None:
    usage = flat(in_text=900, input_tokens=1000, out_text=10, output_tokens=20)
    assert response_cost(usage) == pytest.approx(0.0036 + 0.0032 + 0.00024 + 0.00064)


def test_cached_tokens_of_the_only_kind_there_is_need_no_details() -> None:
    assert response_cost(flat(in_text=1000, in_cached=400)) == 0.00256  # 600·4 + 400·0.40


def test_cached_tokens_without_kinds_count_where_they_save_the_least() -> None:
    # an image token saves 4.50, one of text 3.60, one of audio 31.60: first the text
    usage = flat(in_text=300, in_audio=500, in_cached=400)
    # text: 300·0.40 = 120; audio: 400·32 + 100·0.40 = 12840
    assert response_cost(usage) == 0.01296


def test_cached_tokens_of_input_without_kinds() -> None:
    assert response_cost(flat(input_tokens=1000, in_cached=1000)) == 0.0005  # the dearest cached one is an image's


def test_more_cached_than_there_is_never_makes_a_cost_negative() -> None:
    assert response_cost(flat(in_text=100, cached_text=5000, in_cached=5000, input_tokens=100)) == 0.00004


def test_reasoning_is_text_wherever_it_is_counted() -> None:
    within = flat(out_text=150, out_audio=100, out_reasoning=50, output_tokens=250)
    beside = flat(out_text=100, out_audio=100, out_reasoning=50, output_tokens=250)
    assert response_cost(within) == response_cost(beside) == 0.01  # 150·24 + 100·64


# --- the caller's words -----------------------------------------------------------------------------------------------


def test_writing_down_costs_by_tokens() -> None:
    usage = flat(in_text=4, in_audio=96, input_tokens=100, output_tokens=20, total_tokens=120)
    assert transcription_cost(usage) == 0.000225  # 100·1.25 + 20·5: what is written is text, though nobody says so


def test_writing_down_costs_by_time() -> None:
    price = Price(REALTIME, transcription_per_minute=Decimal("0.017"))
    assert transcription_cost({"duration_ms": 90_000}, price) == 0.0255


def test_writing_down_at_a_price_of_another_sort_is_not_known() -> None:
    by_time = Price(REALTIME, transcription_per_minute=Decimal("0.017"))
    assert transcription_cost({"duration_ms": 1000}) is None
    assert transcription_cost({"input_tokens": 10}, by_time) is None
    assert transcription_cost({"input_tokens": 10}, Price(REALTIME)) is None
    assert transcription_cost({"duration_ms": 1000}, None) is None


counts = st.integers(0, 100_000)


@given(text=counts, audio=counts, image=counts, cached=st.tuples(counts, counts, counts), out=st.tuples(counts, counts))
def test_leaving_out_details_never_makes_it_cheaper(
    text: int, audio: int, image: int, cached: tuple[int, int, int], out: tuple[int, int]
) -> None:
    c_text, c_audio, c_image = min(cached[0], text), min(cached[1], audio), min(cached[2], image)
    kinds = flat(in_text=text, in_audio=audio, in_image=image, out_text=out[0], out_audio=out[1])
    cached_kinds = flat(cached_text=c_text, cached_audio=c_audio, cached_image=c_image)
    totals = flat(input_tokens=text + audio + image, output_tokens=sum(out), in_cached=c_text + c_audio + c_image)
    told = response_cost({**kinds, **cached_kinds, **totals})
    without_cached_kinds = response_cost({**kinds, **totals})
    only_totals = response_cost(totals)
    assert told is not None
    assert without_cached_kinds is not None
    assert only_totals is not None
    assert told <= without_cached_kinds <= only_totals


def test_usage_is_summed_by_name_and_writing_down_apart() -> None:
    used = UsageSum()
    used.add({"output_tokens": 5, "input_tokens": 20})
    used.add_transcription({"input_tokens": 7})
    used.add_transcription({"duration_ms": 1500})
    used.add({"input_tokens": 30})
    assert used.counts == {
        "input_tokens": 50,
        "output_tokens": 5,
        "transcription.duration_ms": 1500,
        "transcription.input_tokens": 7,
    }
    assert list(used.counts) == sorted(used.counts)
