"""Trading-pair notations: every kind survives every notation, and what is not a pair is refused by name."""

from __future__ import annotations

import copy
import pickle
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backpack_sdk.pairs import Pair, PairError, PairKind, to_backpack

NOTATIONS = ("backpack", "hummingbot", "ccxt", "cryptofeed")
LETTERS_AND_DIGITS = "abkzABCKUXZ0189é币"
MONTH_CODES = "FGHJKMNQUVXZ"  # January to December

pieces = st.text(LETTERS_AND_DIGITS, min_size=1, max_size=8)
bases = st.one_of(
    st.sampled_from(["SOL", "AAPL.US", "BRK.B.US", "kPEPE", "0G", "PERP", "RFQ", "260327"]),
    st.lists(pieces, min_size=1, max_size=3).map(".".join),
)
outcomes = st.tuples(pieces, st.lists(st.tuples(st.sampled_from("._"), pieces).map("".join), max_size=20)).map(
    lambda parts: parts[0] + "".join(parts[1])
)
quotes = st.one_of(
    st.sampled_from(["USDC", "USDT", "SOL", "USD.x"]),
    # A leading letter Q keeps a generated quote from being an expiry or the name of a kind.
    st.lists(pieces, min_size=1, max_size=2).map(lambda parts: "Q" + ".".join(parts)),
)
expiries = st.dates(date(2000, 1, 1), date(2099, 12, 31)).map(lambda day: f"{day:%y%m%d}")
pairs = st.one_of(
    st.builds(Pair, bases, quotes, st.sampled_from([PairKind.SPOT, PairKind.PERP, PairKind.IPERP, PairKind.RFQ])),
    st.builds(Pair, outcomes, quotes, st.just(PairKind.PREDICTION)),
    st.builds(Pair, bases, quotes, st.just(PairKind.DATED), expiry=expiries),
)
# Texts that look like pairs, and mostly are not.
FRAGMENTS = (
    *("_", "-", "/", ":", ".", " ", "SOL", "BRK.B", "USDC", "USDC_", "_USDC", "-USDC", "/USDC:USDC"),
    *("PERP", "perp", "SPOT", "RFQ", "PREDICTION", "IPERP", "DATED", "260327", "260230", "26H27", "26H5"),
)
near_misses = st.lists(st.sampled_from(FRAGMENTS), max_size=9).map("".join)


def spelled(pair: Pair) -> tuple[str, str, str, str]:
    return pair.backpack, pair.hummingbot, pair.ccxt, pair.cryptofeed


def attempt(text: str) -> Pair | PairError:
    try:
        return Pair.parse(text)
    except PairError as error:
        return error


def parts(pair: Pair) -> tuple[str, str, PairKind, str | None]:
    return pair.base, pair.quote, pair.kind, pair.expiry


SPELLINGS = [
    (Pair("SOL", "USDC"), ("SOL_USDC", "SOL-USDC", "SOL/USDC", "SOL-USDC")),
    (Pair("BRK.B.US", "USDC"), ("BRK.B.US_USDC", "BRK.B.US-USDC", "BRK.B.US/USDC", "BRK.B.US-USDC")),
    (Pair("0G", "USDC"), ("0G_USDC", "0G-USDC", "0G/USDC", "0G-USDC")),
    (
        Pair("kPEPE", "USDC", PairKind.PERP),
        ("kPEPE_USDC_PERP", "kPEPE-USDC-PERP", "kPEPE/USDC:USDC", "kPEPE-USDC-PERP"),
    ),
    (
        Pair("AAPL.US", "USDC", PairKind.PERP),
        ("AAPL.US_USDC_PERP", "AAPL.US-USDC-PERP", "AAPL.US/USDC:USDC", "AAPL.US-USDC-PERP"),
    ),
    (
        Pair("BTC", "USDC", PairKind.DATED, expiry="260327"),
        ("BTC_USDC_260327", "BTC-USDC-260327", "BTC/USDC:USDC-260327", "BTC-USDC-26H27"),
    ),
    (
        Pair("BTC", "USDC", PairKind.DATED, expiry="281205"),
        ("BTC_USDC_281205", "BTC-USDC-281205", "BTC/USDC:USDC-281205", "BTC-USDC-28Z05"),
    ),
    (
        Pair("BTC", "USDC", PairKind.IPERP),
        ("BTC_USDC_IPERP", "BTC-USDC-IPERP", "BTC/USDC-IPERP", "BTC-USDC-IPERP"),
    ),
    (Pair("SOL", "USDC", PairKind.RFQ), ("SOL_USDC_RFQ", "SOL-USDC-RFQ", "SOL/USDC-RFQ", "SOL-USDC-RFQ")),
    (
        Pair("FDVPARA1N5B", "USDC", PairKind.PREDICTION),
        (
            "FDVPARA1N5B_USDC_PREDICTION",
            "FDVPARA1N5B-USDC-PREDICTION",
            "FDVPARA1N5B/USDC-PREDICTION",
            "FDVPARA1N5B-USDC-PREDICTION",
        ),
    ),
    (
        Pair("CUP_2026.Winner", "USDC", PairKind.PREDICTION),
        (
            "CUP_2026.Winner_USDC_PREDICTION",
            "CUP_2026.Winner-USDC-PREDICTION",
            "CUP_2026.Winner/USDC-PREDICTION",
            "CUP_2026.Winner-USDC-PREDICTION",
        ),
    ),
]


@pytest.mark.parametrize(("pair", "texts"), SPELLINGS, ids=lambda value: str(value) if isinstance(value, Pair) else "")
def test_spelling_of_every_kind(pair: Pair, texts: tuple[str, str, str, str]) -> None:
    assert spelled(pair) == texts
    for text in texts:
        assert parts(Pair.parse(text)) == parts(pair)
        assert to_backpack(text) == texts[0]


def test_every_kind_has_a_spelling_test() -> None:
    assert {pair.kind for pair, _ in SPELLINGS} == set(PairKind)


@given(pairs)
def test_every_notation_round_trips(pair: Pair) -> None:
    for notation in NOTATIONS:
        text: str = getattr(pair, notation)
        again = Pair.parse(text)
        assert again == pair
        assert parts(again) == parts(pair)
        assert spelled(again) == spelled(pair)
        assert Pair.parse(text, kind=pair.kind) == pair
        assert to_backpack(text) == pair.backpack


@given(pairs)
def test_to_backpack_returns_exchange_symbols_themselves(pair: Pair) -> None:
    symbol = pair.backpack
    assert to_backpack(symbol) is symbol


@given(st.text(max_size=40).filter(lambda text: not set("-/:") & set(text)), st.text("aZ0.", max_size=9))
@example("WILL_IT_RAIN", "")
@example("MON_USDC_MONAD", "")
def test_to_backpack_trusts_whatever_looks_like_an_exchange_symbol(head: str, tail: str) -> None:
    symbol = f"{head}_{tail}"
    assert to_backpack(symbol) is symbol


@given(st.one_of(st.text(), near_misses, st.text("aU0._-/: ", max_size=12)))
@example("BTC-USDC-26H5")
@example("BTC-USDC-00G29")
@example("BTC-USDC-26H")
@example("A_B-USDC")
@example("A_B/USDC")
@example("A_B:USDC")
@example("\ud800_USDC")
def test_any_text_is_a_pair_or_a_pair_error(text: str) -> None:
    pair = attempt(text)
    if isinstance(pair, PairError):
        assert pair.text == text
        assert pair.reason in str(pair)
        if "_" not in text or set("-/:") & set(text):
            with pytest.raises(PairError):
                to_backpack(text)
        return
    assert to_backpack(text) == pair.backpack
    for notation in NOTATIONS:
        assert Pair.parse(getattr(pair, notation)) == pair
    if not set("-/:") & set(text):
        assert pair.backpack == text


@given(expiries)
def test_cryptofeed_expiry_follows_the_futures_month_codes(expiry: str) -> None:
    year, month, day = expiry[:2], int(expiry[2:4]), int(expiry[4:])
    pair = Pair("BTC", "USDC", PairKind.DATED, expiry=expiry)
    code = MONTH_CODES[month - 1]
    assert pair.cryptofeed == f"BTC-USDC-{year}{code}{day:02}"
    assert Pair.parse(f"BTC-USDC-{year}{code}{day}") == pair


@pytest.mark.parametrize(
    ("text", "kind", "symbol"),
    [
        ("SOL-USDC", None, "SOL_USDC"),
        ("SOL-USDC", PairKind.SPOT, "SOL_USDC"),
        ("SOL-USDC", PairKind.PERP, "SOL_USDC_PERP"),
        ("SOL-USDC", "PERP", "SOL_USDC_PERP"),
        ("SOL-USDC", PairKind.RFQ, "SOL_USDC_RFQ"),
        ("A_B-USDC", PairKind.PREDICTION, "A_B_USDC_PREDICTION"),
        ("SOL-USDC-PERP", PairKind.PERP, "SOL_USDC_PERP"),
        ("SOL/USDC:USDC", PairKind.PERP, "SOL_USDC_PERP"),
    ],
)
def test_kind_settles_the_ambiguous_form(text: str, kind: PairKind | str | None, symbol: str) -> None:
    assert Pair.parse(text, kind=kind).backpack == symbol


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("SOL_USDC", PairKind.PERP, "names a SPOT market, and PERP was asked for"),
        ("SOL/USDC", PairKind.PERP, "names a SPOT market, and PERP was asked for"),
        ("SOL-USDC-PERP", PairKind.SPOT, "names a PERP market, and SPOT was asked for"),
        ("BTC-USDC", PairKind.DATED, "needs an expiry"),
        ("SOL-USDC", "MONAD", "the market type 'MONAD' is none of SPOT, PERP, IPERP, DATED, PREDICTION, RFQ"),
    ],
)
def test_kind_is_checked(text: str, kind: PairKind | str, reason: str) -> None:
    with pytest.raises(PairError) as caught:
        Pair.parse(text, kind=kind)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        (" \n", "is empty"),
        ("SOL USDC", "white space"),
        ("SOL_USDC\n", "white space"),
        ("SOLUSDC", "no '_', '-' or '/' separates"),
        ("SOL:USDC", "no '_', '-' or '/' separates"),
        ("_USDC", "before or after a '_' is empty"),
        ("SOL__USDC", "before or after a '_' is empty"),
        ("SOL-", "before or after a '-' is empty"),
        ("/USDC", "the base is empty"),
        ("SOL/", "the quote is empty"),
        ("SOL/USDC-", "its suffix is empty"),
        ("SOL/USDC:", "without a settlement asset"),
        ("SOL_USDC_perp", "has to be in upper case, 'PERP'"),
        ("SOL-USDC-Rfq", "has to be in upper case, 'RFQ'"),
        ("SOL_USDC_FOO", "'FOO', is not a known suffix"),
        ("BTC_USDC_26H27", "'26H27', is not a known suffix"),
        ("BTC_USDC_261301", "'261301', is not a known suffix"),
        ("BTC-USDC-27G29", "'27G29', is not a known suffix"),
        ("SOL_USDC_SPOT", "a spot pair has no suffix"),
        ("BTC_USDC_DATED", "ends in its expiry"),
        ("SOL-PERP", "'PERP' stands where the quote"),
        ("SOL_perp", "'perp' stands where the quote"),
        ("BTC-260327", "'260327' stands where the quote"),
        ("BTC-26H27", "'26H27' stands where the quote"),
        ("SOL_USDC-PERP", "the base 'SOL_USDC' holds the separator '_'"),
        ("SOL-USDC_PERP", "the quote 'USDC_PERP' holds the separator '_'"),
        ("SOL-USDC:USDC", "the quote 'USDC:USDC' holds the separator ':'"),
        ("SOL-X/USDC", "the base 'SOL-X' holds the separator '-'"),
        ("SOL/USDC/PERP", "the quote 'USDC/PERP' holds the separator '/'"),
        ("A_B_USDC_PERP", "the base 'A_B' holds the separator '_'"),
        ("SOL-USDC-PERP-X", "more than base, quote and suffix"),
        ("SOL/USDC:SOL", "an inverse contract settled in 'SOL'"),
        ("SOL/USDC:USDT", "a contract settled in 'USDT'"),
        ("SOL/USDC-PERP", "as SOL/USDC:USDC"),
        ("BTC/USDC-260327", "as BTC/USDC:USDC-260327"),
        ("BTC/USDC:USDC-PERP", "followed by nothing or by an expiry"),
        ("BTC/USDC:USDC-260327-100000-C", "followed by nothing or by an expiry"),
        ("SOL_USDC&side", "holds '&'; only letters, digits and dots"),
        (".SOL_USDC", "starts or ends with a dot"),
        ("SOL..US_USDC", "has two in a row"),
    ],
)
def test_refusals_say_why(text: str, reason: str) -> None:
    with pytest.raises(PairError) as caught:
        Pair.parse(text)
    error = caught.value
    assert reason in error.reason
    message = str(error)
    assert repr(text) in message
    assert error.reason in message
    for accepted in ("SOL_USDC_PERP", "SOL-USDC", "SOL/USDC:USDC", "YYMMDD"):
        assert accepted in message


def test_refusals_of_long_texts_stay_short() -> None:
    for text in ("x" * 10_000, "x!" * 10_000 + "_USDC", "SOL_USDC_" + "x" * 10_000, "SOL/USDC:" + "x" * 10_000):
        with pytest.raises(PairError) as caught:
            Pair.parse(text)
        assert caught.value.text == text
        assert len(str(caught.value)) < 1_000


def test_pair_error_is_a_value_error_and_survives_pickling() -> None:
    with pytest.raises(ValueError, match="cannot read 'SOLUSDC' as a trading pair") as caught:
        Pair.parse("SOLUSDC")
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is PairError
    assert str(again) == str(caught.value)


@pytest.mark.parametrize(
    ("base", "quote", "kind", "expiry", "reason"),
    [
        ("", "USDC", PairKind.SPOT, None, "the base is empty"),
        ("SOL", "", PairKind.SPOT, None, "the quote is empty"),
        ("SO L", "USDC", PairKind.SPOT, None, "the base 'SO L' holds ' '"),
        ("SOL", "PERP", PairKind.SPOT, None, "'PERP' stands where the quote"),
        ("A_B", "USDC", PairKind.SPOT, None, "the base 'A_B' holds the separator '_'"),
        ("A__B", "USDC", PairKind.PREDICTION, None, "starts or ends with a dot"),
        ("BTC", "USDC", PairKind.DATED, None, "a dated future needs an expiry"),
        ("BTC", "USDC", PairKind.PERP, "260327", "a PERP market has no expiry"),
        ("BTC", "USDC", PairKind.DATED, "", "the expiry '' is not a date"),
        ("BTC", "USDC", PairKind.DATED, "260230", "the expiry '260230' is not a date"),
        ("BTC", "USDC", PairKind.DATED, "270229", "the expiry '270229' is not a date"),
        ("BTC", "USDC", PairKind.DATED, "260400", "the expiry '260400' is not a date"),
        ("BTC", "USDC", PairKind.DATED, "٢٦٠٣٢٧", "is not a date"),
        ("BTC", "USDC", "FUTURE", None, "the market type 'FUTURE' is none of SPOT"),
    ],
)
def test_parts_are_checked(base: str, quote: str, kind: PairKind | str, expiry: str | None, reason: str) -> None:
    with pytest.raises(PairError) as caught:
        Pair(base, quote, kind, expiry=expiry)
    assert reason in caught.value.reason


def test_leap_days_are_dates() -> None:
    assert Pair("BTC", "USDC", PairKind.DATED, expiry="280229").cryptofeed == "BTC-USDC-28G29"


@given(pairs)
def test_market_rows_map_exactly(pair: Pair) -> None:
    assert Pair.from_market(pair.base, pair.quote, pair.kind.value, pair.backpack) == pair


@pytest.mark.parametrize(
    ("base", "quote", "market_type", "symbol", "reason"),
    [
        ("SOL", "USDC", "PERP", "SOL_USDC", "reads as base 'SOL', quote 'USDC', type SPOT"),
        ("PEPE", "USDC", "PERP", "kPEPE_USDC_PERP", "its market row says base 'PEPE'"),
        ("SOL", "USDT", "SPOT", "SOL_USDC", "its market row says base 'SOL', quote 'USDT'"),
        ("MON", "USDC", "MONAD", "MON_USDC", "the market type 'MONAD' is none of"),
        ("SOL", "USDC", "SPOT", "SOL-USDC", "the exchange's own symbol, which would be 'SOL_USDC'"),
        ("SOL", "USDC", "PERP", "SOL/USDC:USDC", "the exchange's own symbol, which would be 'SOL_USDC_PERP'"),
        ("RAIN", "USDC", "PREDICTION", "WILL_IT_RAIN", "'RAIN', is not a known suffix"),
    ],
)
def test_contradictory_market_rows_are_refused(
    base: str, quote: str, market_type: str, symbol: str, reason: str
) -> None:
    with pytest.raises(PairError) as caught:
        Pair.from_market(base, quote, market_type, symbol)
    assert caught.value.text == symbol
    assert reason in caught.value.reason


@given(st.lists(pairs, max_size=8))
def test_pairs_hash_and_sort_by_symbol(many: list[Pair]) -> None:
    assert [pair.backpack for pair in sorted(many)] == sorted(pair.backpack for pair in many)
    assert {pair.backpack for pair in set(many)} == {pair.backpack for pair in many}
    assert len(set(many)) == len({parts(pair) for pair in many})
    for pair in many:
        twin = Pair.parse(pair.backpack)
        assert pair == twin
        assert pair <= twin
        assert pair >= twin
        assert not pair < twin


def test_a_pair_is_not_its_text() -> None:
    pair = Pair("SOL", "USDC")
    assert pair.__eq__("SOL_USDC") is NotImplemented
    assert pair.__lt__("SOL_USDC") is NotImplemented
    assert len({pair, "SOL_USDC"}) == 2


@pytest.mark.parametrize("name", ["base", "kind", "_symbol", "novelty"])
def test_pairs_cannot_be_changed(name: str) -> None:
    pair = Pair("SOL", "USDC")
    with pytest.raises(AttributeError, match="cannot be changed"):
        setattr(pair, name, "X")
    with pytest.raises(AttributeError, match="cannot be changed"):
        delattr(pair, name)
    assert not hasattr(pair, "__dict__")
    assert parts(pair) == ("SOL", "USDC", PairKind.SPOT, None)


@given(pairs)
def test_pairs_copy_pickle_and_print(pair: Pair) -> None:
    for twin in (copy.copy(pair), copy.deepcopy(pair), pickle.loads(pickle.dumps(pair))):
        assert twin == pair
        assert parts(twin) == parts(pair)
    assert str(pair) == pair.backpack
    assert repr(pair) == f"Pair.parse({pair.backpack!r})"
