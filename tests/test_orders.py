"""Order builders: what they build is what goes on the wire, and what can't work can't be built."""

from __future__ import annotations

import json
import pickle
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backpack_sdk import orders
from backpack_sdk._core.errors import InvalidArgument
from backpack_sdk._generated.markets.models import OrderBookState
from backpack_sdk._generated.order import operations
from backpack_sdk._generated.order.models import OrderExecutePayload, TriggerBy
from backpack_sdk._generated.shared import Side, TimeInForce
from backpack_sdk.orders import Exit, Slippage
from backpack_sdk.pairs import Pair
from backpack_sdk.rules import MarketRules

D = Decimal
PERP = "SOL_USDC_PERP"
SPOT = "SOL_USDC"


def refused(argument: str, pattern: str, build: Any, /, *args: Any, **options: Any) -> InvalidArgument:
    with pytest.raises(InvalidArgument, match=pattern) as caught:
        build(*args, **options)
    assert caught.value.argument == argument
    return caught.value


# --- what is built ---------------------------------------------------------------------------------------------------


def test_a_limit_order_carries_only_what_was_given() -> None:
    order = orders.limit("SOL-USDC", "Bid", "141.20", 2)
    assert isinstance(order, OrderExecutePayload)
    assert order.to_wire() == {
        "symbol": "SOL_USDC",
        "side": "Bid",
        "orderType": "Limit",
        "price": "141.20",
        "quantity": "2",
    }


def test_a_limit_order_carries_everything_that_was_given() -> None:
    order = orders.limit(
        Pair.parse("SOL/USDC:USDC"),
        Side.ASK,
        D("141.20"),
        0.1,
        time_in_force=TimeInForce.GTC,
        post_only=False,
        reduce_only=False,
        client_id=0,
        self_trade_prevention="RejectMaker",
        auto_borrow=False,
        auto_borrow_repay=True,
        auto_lend=False,
        auto_lend_redeem=True,
        broker_id=0,
        stop_loss=Exit("150", limit_price="151", trigger_by="MarkPrice"),
        take_profit=Exit(130, trigger_by=TriggerBy.LAST_PRICE),
    )
    assert order.to_wire() == {
        "symbol": "SOL_USDC_PERP",
        "side": "Ask",
        "orderType": "Limit",
        "price": "141.20",
        "quantity": "0.1",
        "timeInForce": "GTC",
        "postOnly": False,
        "reduceOnly": False,
        "clientId": 0,
        "selfTradePrevention": "RejectMaker",
        "autoBorrow": False,
        "autoBorrowRepay": True,
        "autoLend": False,
        "autoLendRedeem": True,
        "brokerId": 0,
        "stopLossTriggerPrice": "150",
        "stopLossLimitPrice": "151",
        "stopLossTriggerBy": "MarkPrice",
        "takeProfitTriggerPrice": "130",
        "takeProfitTriggerBy": "LastPrice",
    }


@pytest.mark.parametrize("time_in_force", ["GTC", TimeInForce.GTC, None])
def test_post_only_is_never_lost(time_in_force: Any) -> None:
    wire = orders.limit(SPOT, "Bid", 1, 2, post_only=True, time_in_force=time_in_force).to_wire()
    assert wire["postOnly"] is True
    assert wire.get("timeInForce") == time_in_force
    assert orders.post_only(SPOT, "Bid", 1, 2, client_id=3).to_wire() == {
        "symbol": "SOL_USDC",
        "side": "Bid",
        "orderType": "Limit",
        "price": "1",
        "quantity": "2",
        "postOnly": True,
        "clientId": 3,
    }


def test_a_market_order_is_sized_in_either_asset() -> None:
    assert orders.market(PERP, "Ask", quantity="0.5", reduce_only=True, time_in_force="FOK").to_wire() == {
        "symbol": PERP,
        "side": "Ask",
        "orderType": "Market",
        "quantity": "0.5",
        "reduceOnly": True,
        "timeInForce": "FOK",
    }
    assert orders.market(SPOT, "Bid", quote_quantity=1e-7, slippage=Slippage(3, "TickSize")).to_wire() == {
        "symbol": SPOT,
        "side": "Bid",
        "orderType": "Market",
        "quoteQuantity": "0.0000001",
        "slippageTolerance": "3",
        "slippageToleranceType": "TickSize",
    }


def test_a_conditional_order_has_its_size_in_the_trigger_quantity() -> None:
    assert orders.trigger(
        PERP, "Bid", 150, "2.50", trigger_by="IndexPrice", slippage=Slippage("0.5", "Percent")
    ).to_wire() == {
        "symbol": PERP,
        "side": "Bid",
        "orderType": "Market",
        "triggerPrice": "150",
        "triggerQuantity": "2.50",
        "triggerBy": "IndexPrice",
        "slippageTolerance": "0.5",
        "slippageToleranceType": "Percent",
    }
    assert orders.trigger(
        SPOT, "Ask", 4300, D("1E-3"), limit_price=4500, post_only=True, time_in_force="GTC"
    ).to_wire() == {
        "symbol": SPOT,
        "side": "Ask",
        "orderType": "Limit",
        "price": "4500",
        "triggerPrice": "4300",
        "triggerQuantity": "0.001",
        "postOnly": True,
        "timeInForce": "GTC",
    }


@pytest.mark.parametrize("build", [orders.stop_loss, orders.take_profit])
def test_an_exit_closes_the_whole_position_and_never_more(build: Any) -> None:
    assert build(PERP, "Ask", "120").to_wire() == {
        "symbol": PERP,
        "side": "Ask",
        "orderType": "Market",
        "triggerPrice": "120",
        "triggerQuantity": "100%",
        "reduceOnly": True,
    }
    assert build(
        "SOL-USDC-PERP", "Bid", 120, quantity="80.5%", limit_price=121, trigger_by="MarkPrice", client_id=1
    ).to_wire() == {
        "symbol": PERP,
        "side": "Bid",
        "orderType": "Limit",
        "price": "121",
        "triggerPrice": "120",
        "triggerQuantity": "80.5%",
        "triggerBy": "MarkPrice",
        "reduceOnly": True,
        "clientId": 1,
    }
    assert build(PERP, "Ask", 120, quantity=2, reduce_only=False).to_wire()["reduceOnly"] is False
    assert build(PERP, "Ask", 120, quantity=2, reduce_only=None).to_wire()["reduceOnly"] is True


def test_an_exit_in_a_spot_market_sells_an_amount() -> None:
    assert orders.stop_loss("SOL/USDC", "Ask", 120, quantity=2, time_in_force="IOC").to_wire() == {
        "symbol": SPOT,
        "side": "Ask",
        "orderType": "Market",
        "triggerPrice": "120",
        "triggerQuantity": "2",
        "timeInForce": "IOC",
    }
    refused("quantity", "say how much", orders.stop_loss, SPOT, "Ask", 120)
    refused("trigger_quantity", "spot market", orders.take_profit, SPOT, "Ask", 120, quantity="50%")
    refused("reduce_only", "for futures", orders.stop_loss, SPOT, "Ask", 120, quantity=1, reduce_only=True)


def test_a_plain_price_is_an_exit() -> None:
    plain = orders.limit(PERP, "Bid", 100, 1, stop_loss=95, take_profit=110.5)
    assert plain == orders.limit(PERP, "Bid", 100, 1, stop_loss=Exit("95"), take_profit=Exit(D("110.5")))


def test_the_symbol_of_an_unknown_kind_of_market_is_taken_as_it_is() -> None:
    order = orders.limit("SOL_USDC_MONAD", "Bid", 1, 1, reduce_only=True)
    assert order.symbol == "SOL_USDC_MONAD"


def test_arguments_are_those_of_the_single_order_call() -> None:
    order = orders.limit(
        PERP, "Bid", "100.0", 1, post_only=True, client_id=0, stop_loss=Exit(90, trigger_by="MarkPrice")
    )
    assert operations.execute_order(**orders.arguments(order)).body == order.to_wire()
    assert operations.execute_order_batch([order]).body == [order.to_wire()]
    stop = orders.stop_loss(PERP, "Ask", 90)
    assert operations.execute_order(**orders.arguments(stop)).body == stop.to_wire()


def test_arguments_hold_nothing_that_was_not_given() -> None:
    assert orders.arguments(orders.market(SPOT, "Bid", quantity="0.50")) == {
        "symbol": SPOT,
        "side": "Bid",
        "order_type": "Market",
        "quantity": D("0.50"),
    }


def test_orders_are_values() -> None:
    order = orders.limit(SPOT, "Bid", 1, 2)
    assert order == orders.limit(SPOT, "Bid", "1", "2")
    assert hash(order) == hash(orders.limit(SPOT, "Bid", 1, 2))
    assert pickle.loads(pickle.dumps(order)) == order
    with pytest.raises(AttributeError):
        Exit(1).trigger_price = 2  # type: ignore[misc]
    assert len({Exit(1), Exit(1), Slippage(1, "Percent"), Slippage(1, "Percent")}) == 2


# --- what can't be built ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("time_in_force", ["IOC", "FOK", TimeInForce.IOC])
def test_post_only_can_not_be_immediate(time_in_force: Any) -> None:
    build = orders.limit
    refused("time_in_force", "post-only", build, SPOT, "Bid", 1, 2, post_only=True, time_in_force=time_in_force)
    refused("time_in_force", "post-only", orders.post_only, SPOT, "Bid", 1, 2, time_in_force=time_in_force)
    assert build(SPOT, "Bid", 1, 2, post_only=False, time_in_force=time_in_force).post_only is False


def test_type_checkers_refuse_what_can_be_seen_in_the_types() -> None:
    # These comments are needed, or mypy would complain that they are not: the tests are checked with --strict.
    with pytest.raises(InvalidArgument):
        orders.limit(SPOT, "Bid", 1, 2, post_only=True, time_in_force="IOC")  # type: ignore[call-overload]
    with pytest.raises(InvalidArgument):
        orders.market(SPOT, "Bid", quantity=1, quote_quantity=2)  # type: ignore[call-overload]
    with pytest.raises(InvalidArgument):
        orders.market(SPOT, "Bid")  # type: ignore[call-overload]
    with pytest.raises(InvalidArgument):
        orders.market(SPOT, "Bid", quantity=1, price=2)  # type: ignore[call-overload]
    with pytest.raises(InvalidArgument):
        orders.limit(SPOT, "Bid", 1, 2, slippage=Slippage(1, "TickSize"))  # type: ignore[call-overload]
    with pytest.raises(InvalidArgument):
        orders.stop_loss(PERP, "Ask", 1, stop_loss=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Slippage(1)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        orders.limit(SPOT, "Bid", quantity=1)  # type: ignore[call-overload]


def test_a_limit_order_needs_price_and_quantity() -> None:
    refused("price", "needs a price", orders.limit, SPOT, "Bid", None, 2)
    refused("quantity", "needs a quantity", orders.limit, SPOT, "Bid", 1, None)


def test_a_market_order_has_one_size_and_no_price() -> None:
    refused("quantity", "neither", orders.market, SPOT, "Bid")
    refused("quantity", "both", orders.market, SPOT, "Bid", quantity=1, quote_quantity=1)
    refused("price", "no price", orders.market, SPOT, "Bid", quantity=1, price=1)
    refused("post_only", "post-only", orders.market, SPOT, "Bid", quantity=1, post_only=True)
    refused("trigger_price", "trigger", orders.market, SPOT, "Bid", quantity=1, trigger_price=1)


@pytest.mark.parametrize("number", [0, -1, "-0.5", 0.0])
def test_numbers_are_above_zero(number: Any) -> None:
    refused("price", "above zero", orders.limit, SPOT, "Bid", number, 2)
    refused("quantity", "above zero", orders.limit, SPOT, "Bid", 1, number)
    refused("quantity", "above zero", orders.market, SPOT, "Bid", quantity=number)
    refused("quote_quantity", "above zero", orders.market, SPOT, "Bid", quote_quantity=number)
    refused("trigger_price", "above zero", orders.trigger, SPOT, "Bid", number, 1)
    refused("trigger_quantity", "above zero", orders.trigger, SPOT, "Bid", 1, number)
    refused("price", "above zero", orders.trigger, SPOT, "Bid", 1, 1, limit_price=number)
    refused("stop_loss_trigger_price", "above zero", orders.market, PERP, "Bid", quantity=1, stop_loss=number)
    refused(
        "take_profit_limit_price", "above zero", orders.market, PERP, "Bid", quantity=1, take_profit=Exit(1, number)
    )
    refused("reference_price", "above zero", orders.market, PERP, "Bid", quantity=1, reference_price=number)
    refused("reference_price", "above zero", orders.stop_loss, PERP, "Ask", 1, reference_price=number)


@pytest.mark.parametrize("value", ["abc", float("nan"), D("Infinity"), True, [], "1E+999999"])
def test_what_is_no_number_is_refused_by_name(value: Any) -> None:
    refused("price", ".", orders.limit, SPOT, "Bid", value, 2)
    refused("quote_quantity", ".", orders.market, SPOT, "Bid", quote_quantity=value)
    refused("trigger_quantity", ".", orders.trigger, SPOT, "Bid", 1, value)
    refused("stop_loss_trigger_price", ".", orders.limit, SPOT, "Bid", 3, 2, stop_loss=value)
    refused("slippage_tolerance", ".", orders.market, SPOT, "Bid", quantity=1, slippage=Slippage(value, "Percent"))


@pytest.mark.parametrize(
    ("argument", "options"),
    [
        ("side", {"side": "Buy"}),
        ("symbol", {"symbol": "what"}),
        ("symbol", {"symbol": 7}),
        ("client_id", {"client_id": -1}),
        ("client_id", {"client_id": 2**32}),
        ("client_id", {"client_id": "7"}),
        ("broker_id", {"broker_id": 65536}),
        ("reduce_only", {"reduce_only": "yes"}),
        ("auto_lend", {"auto_lend": 1}),
        ("self_trade_prevention", {"self_trade_prevention": "Never"}),
        ("time_in_force", {"time_in_force": "GTD"}),
        ("stop_loss_trigger_by", {"stop_loss": Exit(1, trigger_by="Mood")}),  # type: ignore[arg-type]
        ("stop_loss_trigger_price", {"stop_loss": Exit(None)}),  # type: ignore[arg-type]
        ("slippage", {"slippage": "1%"}),
    ],
)
def test_what_does_not_fit_an_argument_is_refused_by_name(argument: str, options: dict[str, Any]) -> None:
    refused(argument, ".", orders.market, **{"symbol": PERP, "side": "Bid", "quantity": 1, **options})


def test_a_misspelt_argument_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="postonly"):
        orders.limit(SPOT, "Bid", 1, 2, postonly=True)  # type: ignore[call-overload]


@pytest.mark.parametrize("size", ["0%", "-5%", "100.01%", "1000%", "%", "half", "5%%"])
def test_a_percentage_is_above_0_and_up_to_100(size: str) -> None:
    refused("trigger_quantity", ".", orders.stop_loss, PERP, "Ask", 1, quantity=size)
    refused("trigger_quantity", ".", orders.trigger, PERP, "Ask", 1, size)


def test_slippage_is_for_market_orders_and_has_a_sane_size() -> None:
    refused("slippage", "limit order", orders.limit, SPOT, "Bid", 1, 2, slippage=Slippage(1, "TickSize"))
    tolerance = "slippage_tolerance"
    refused(
        tolerance, "limit order", orders.trigger, SPOT, "Bid", 1, 2, limit_price=1, slippage=Slippage(1, "TickSize")
    )
    refused(tolerance, "whole", orders.market, SPOT, "Bid", quantity=1, slippage=Slippage("1.5", "TickSize"))
    refused(tolerance, "than 100", orders.market, SPOT, "Bid", quantity=1, slippage=Slippage("100.1", "Percent"))
    refused(tolerance, "above zero", orders.market, SPOT, "Bid", quantity=1, slippage=Slippage(-1, "Percent"))
    refused("slippage_tolerance_type", "Percent", orders.market, SPOT, "Bid", quantity=1, slippage=Slippage(1, "Ticks"))  # type: ignore[arg-type]
    assert orders.market(SPOT, "Bid", quantity=1, slippage=Slippage(0, "TickSize")).slippage_tolerance == 0
    assert orders.market(SPOT, "Bid", quantity=1, slippage=Slippage(100, "Percent")).slippage_tolerance == 100
    assert orders.market(SPOT, "Bid", quantity=1, slippage=Slippage(101, "TickSize")).slippage_tolerance == 101
    assert (
        orders.market(SPOT, "Bid", quantity=1, slippage=Slippage(D("1E+1"), "TickSize")).to_wire()["slippageTolerance"]
        == "10"
    )


def test_reduce_only_is_for_futures() -> None:
    refused("reduce_only", "SOL_USDC is a spot market", orders.limit, "SOL-USDC", "Ask", 1, 2, reduce_only=True)
    refused("reduce_only", "spot", orders.market, SPOT, "Ask", quantity=1, reduce_only=True)
    assert orders.market(SPOT, "Ask", quantity=1, reduce_only=False).reduce_only is False


def test_a_reduce_only_order_has_nothing_to_protect() -> None:
    refused("stop_loss_trigger_price", "reduce-only", orders.limit, PERP, "Ask", 9, 1, reduce_only=True, stop_loss=10)
    refused(
        "take_profit_trigger_price",
        "reduce-only",
        orders.market,
        PERP,
        "Ask",
        quantity=1,
        reduce_only=True,
        take_profit=1,
    )


@pytest.mark.parametrize(
    ("side", "stop", "take"),
    [("Bid", "95", "105"), ("Ask", "105", "95")],
)
def test_exits_lie_on_their_side_of_the_entry(side: Any, stop: str, take: str) -> None:
    orders.limit(PERP, side, 100, 1, stop_loss=stop, take_profit=take)
    orders.market(PERP, side, quantity=1, stop_loss=stop, take_profit=take, reference_price=100)
    for wrong in (take, "100"):
        refused("stop_loss_trigger_price", "stop loss", orders.limit, PERP, side, 100, 1, stop_loss=wrong)
        refused("stop_loss_trigger_price", ".", orders.limit, PERP, side, 100, 1, stop_loss=wrong, time_in_force="IOC")
        refused("stop_loss_trigger_price", ".", orders.trigger, PERP, side, 100, 1, limit_price=100, stop_loss=wrong)
        market = {"quantity": 1, "reference_price": 100}
        refused("stop_loss_trigger_price", "reference", orders.market, PERP, side, stop_loss=wrong, **market)
    for wrong in (stop, "100"):
        refused("take_profit_trigger_price", "take profit", orders.limit, PERP, side, 100, 1, take_profit=wrong)
        market = {"quantity": 1, "reference_price": 100}
        refused("take_profit_trigger_price", "reference", orders.market, PERP, side, take_profit=wrong, **market)
        # The price of these is a limit far from what they trade at, so a nearer profit makes sense.
        orders.limit(PERP, side, 100, 1, take_profit=wrong, time_in_force="IOC")
        orders.trigger(PERP, side, 100, 1, limit_price=100, take_profit=wrong)
    refused(
        "stop_loss_trigger_price",
        "the take profit",
        orders.market,
        PERP,
        side,
        quantity=1,
        stop_loss=take,
        take_profit=stop,
    )
    refused(
        "stop_loss_trigger_price", "the take profit", orders.market, PERP, side, quantity=1, stop_loss=7, take_profit=7
    )
    orders.market(PERP, side, quantity=1, stop_loss=take)


@pytest.mark.parametrize(
    ("build", "side", "good", "bad"),
    [
        (orders.stop_loss, "Ask", 99, 101),
        (orders.stop_loss, "Bid", 101, 99),
        (orders.take_profit, "Ask", 101, 99),
        (orders.take_profit, "Bid", 99, 101),
    ],
)
def test_an_exit_triggers_on_its_side_of_the_present_price(build: Any, side: str, good: int, bad: int) -> None:
    assert "reference" not in str(build(PERP, side, good, reference_price=100).to_wire())
    refused("trigger_price", "present price 100", build, PERP, side, bad, reference_price=100)
    refused("trigger_price", "present price 100", build, PERP, side, 100, reference_price=100)
    build(PERP, side, bad)


@pytest.mark.parametrize("argument", ["stop_loss", "take_profit"])
def test_an_exit_has_no_exits(argument: str) -> None:
    refused(argument, "entry order", orders.stop_loss, PERP, "Ask", 100, **{argument: 90})


# --- orders made by hand ---------------------------------------------------------------------------------------------

GOOD: dict[str, Any] = {"symbol": PERP, "side": "Bid", "orderType": "Limit", "price": "100", "quantity": "1"}


def test_validate_returns_the_model() -> None:
    order = orders.validate(GOOD)
    assert isinstance(order, OrderExecutePayload)
    assert order.to_wire() == GOOD
    assert orders.validate(order) is order
    assert orders.validate({"symbol": SPOT, "side": "Ask", "order_type": "Market", "quantity": 1}).quantity == 1


@pytest.mark.parametrize(
    ("argument", "change"),
    [
        ("price", {"price": None}),
        ("quantity", {"quantity": None}),
        ("quote_quantity", {"quoteQuantity": "1"}),
        ("price", {"orderType": "Market"}),
        ("post_only", {"orderType": "Market", "price": None, "postOnly": True}),
        ("quantity", {"orderType": "Market", "price": None, "quoteQuantity": "1"}),
        ("quantity", {"orderType": "Market", "price": None, "quantity": None}),
        ("time_in_force", {"postOnly": True, "timeInForce": "IOC"}),
        ("slippage_tolerance_type", {"slippageTolerance": "1"}),
        ("slippage_tolerance", {"slippageToleranceType": "Percent"}),
        ("slippage_tolerance", {"slippageTolerance": "1", "slippageToleranceType": "Percent"}),
        ("trigger_quantity", {"triggerPrice": "1"}),
        ("trigger_price", {"triggerQuantity": "1"}),
        ("trigger_price", {"triggerBy": "MarkPrice"}),
        ("quantity", {"triggerPrice": "1", "triggerQuantity": "1"}),
        ("quote_quantity", {"orderType": "Market", "price": None, "quantity": None, "quoteQuantity": "1",
                            "triggerPrice": "1", "triggerQuantity": "1"}),
        ("stop_loss_trigger_price", {"stopLossLimitPrice": "90"}),
        ("take_profit_trigger_price", {"takeProfitTriggerBy": "MarkPrice"}),
        ("stop_loss_trigger_price", {"reduceOnly": True, "stopLossTriggerPrice": "90"}),
        ("reduce_only", {"symbol": "SOL-USDC", "reduceOnly": True}),
        ("quantity", {"quantity": "-1"}),
        ("price", {"price": "1E+999999"}),
        ("order", {"side": 7}),
    ],
)  # fmt: skip
def test_validate_finds_what_builders_would_not_make(argument: str, change: dict[str, Any]) -> None:
    refused(argument, ".", orders.validate, {**GOOD, **change})


def test_validate_lets_kinds_of_orders_pass_that_are_new() -> None:
    orders.validate({"symbol": PERP, "side": "Bid", "orderType": "Iceberg"})


# --- properties ------------------------------------------------------------------------------------------------------

EXPONENT = re.compile(r"[0-9][eE][-+]?[0-9]")
PLAIN = re.compile(r"[0-9]+(\.[0-9]+)?%?")
AMOUNTS: st.SearchStrategy[Any] = st.one_of(
    st.decimals(min_value="1E-18", max_value="1E+20", places=18),
    st.floats(min_value=1e-15, max_value=1e22, allow_nan=False),
    st.integers(1, 10**25),
    st.sampled_from(["1e-8", "2E+5", "0.10", "7", D("1E+6")]),
)
SIDES: st.SearchStrategy[Any] = st.sampled_from(["Bid", "Ask"])
SYMBOLS = st.sampled_from(["SOL_USDC", "SOL-USDC", "SOL/USDC:USDC", "kPEPE_USDC_PERP", "AAPL.US_USDC_PERP"])
OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "client_id": st.integers(0, 2**32 - 1),
    "self_trade_prevention": st.sampled_from(["RejectTaker", "RejectMaker", "RejectBoth"]),
    "auto_borrow": st.booleans(),
    "auto_lend_redeem": st.booleans(),
    "broker_id": st.integers(0, 65535),
}
SLIPPAGES: st.SearchStrategy[Any] = st.none() | st.builds(
    Slippage, st.integers(0, 100), st.sampled_from(["TickSize", "Percent"])
)
TRIGGERS: st.SearchStrategy[Any] = st.sampled_from([None, "MarkPrice", "LastPrice", "IndexPrice"])


def exact(number: Any) -> Decimal:
    return D(str(number))


@st.composite
def built(draw: st.DrawFn) -> tuple[str, OrderExecutePayload]:
    kind = draw(st.sampled_from(["limit", "post_only", "market", "trigger", "stop_loss", "take_profit"]))
    symbol, side, size = draw(SYMBOLS), draw(SIDES), draw(AMOUNTS)
    prices = draw(st.lists(AMOUNTS, min_size=3, max_size=3, unique_by=exact))
    low, price, high = sorted(prices, key=exact)
    options: dict[str, Any] = draw(st.fixed_dictionaries({}, optional=OPTIONS))
    if kind in ("stop_loss", "take_profit"):
        options |= {"limit_price": draw(st.none() | AMOUNTS), "trigger_by": draw(TRIGGERS), "quantity": size}
        if symbol not in ("SOL_USDC", "SOL-USDC"):
            options["quantity"] = draw(st.sampled_from([None, "33.3%", size]))
        build: Any = orders.stop_loss if kind == "stop_loss" else orders.take_profit
        return kind, build(symbol, side, price, **options)
    exits = {"stop_loss": low, "take_profit": high} if side == "Bid" else {"stop_loss": high, "take_profit": low}
    for name, trigger_price in exits.items():
        if draw(st.booleans()):
            options[name] = Exit(trigger_price, draw(st.none() | AMOUNTS), draw(TRIGGERS))
    if kind == "market":
        options |= {draw(st.sampled_from(["quantity", "quote_quantity"])): size, "slippage": draw(SLIPPAGES)}
        return kind, orders.market(symbol, side, reference_price=price, **options)
    if kind == "trigger":
        return kind, orders.trigger(
            symbol, side, price, size, limit_price=draw(st.sampled_from([None, price])), **options
        )
    if kind == "post_only":
        return kind, orders.post_only(symbol, side, price, size, **options)
    options["time_in_force"] = draw(st.sampled_from([None, "GTC", "IOC", "FOK"]))
    return kind, orders.limit(symbol, side, price, size, **options)


@given(case=built())
def test_whatever_is_built_is_fit_for_the_wire(case: tuple[str, OrderExecutePayload]) -> None:
    kind, order = case
    wire = order.to_wire()
    text = json.dumps(wire, allow_nan=False)
    assert "null" not in text
    known = {field.alias for field in OrderExecutePayload.model_fields.values()}
    assert wire.keys() <= known
    for name, value in wire.items():
        assert not isinstance(value, float), "numbers go as text"
        if name.endswith(("rice", "uantity", "olerance")):
            assert PLAIN.fullmatch(value), value
            assert not EXPONENT.search(value), value
    assert orders.validate(order) is order
    assert orders.validate(wire) == order
    assert operations.execute_order(**orders.arguments(order)).body == wire
    assert operations.execute_order_batch([order, order]).body == [wire, wire]
    assert wire.get("postOnly") is (True if kind == "post_only" else None)
    assert ("triggerPrice" in wire) is ("triggerQuantity" in wire) is (kind in ("trigger", "stop_loss", "take_profit"))


@given(
    price=st.integers(90, 110),
    side=SIDES,
    symbol=st.sampled_from([SPOT, PERP]),
    post_only=st.sampled_from([None, True, False]),
    time_in_force=st.sampled_from([None, "GTC", "IOC", "FOK"]),
    reduce_only=st.sampled_from([None, True, False]),
    stop=st.none() | st.integers(85, 115),
    take=st.none() | st.integers(85, 115),
)
def test_a_limit_order_is_refused_exactly_when_a_rule_says_so(
    price: int,
    side: Any,
    symbol: str,
    post_only: Any,
    time_in_force: Any,
    reduce_only: Any,
    stop: int | None,
    take: int | None,
) -> None:
    up = 1 if side == "Bid" else -1
    immediate = time_in_force in ("IOC", "FOK")
    wrong = (
        (post_only is True and immediate)
        or (reduce_only is True and (symbol == SPOT or stop is not None or take is not None))
        or (stop is not None and stop * up >= price * up)
        or (take is not None and not immediate and take * up <= price * up)
        or (stop is not None and take is not None and stop * up >= take * up)
    )
    options: dict[str, Any] = {
        "post_only": post_only,
        "time_in_force": time_in_force,
        "reduce_only": reduce_only,
        "stop_loss": stop,
        "take_profit": take,
    }
    if wrong:
        with pytest.raises(InvalidArgument):
            orders.limit(symbol, side, price, 1, **options)
        return
    wire = orders.limit(symbol, side, price, 1, **options).to_wire()
    assert wire.get("postOnly") is post_only
    assert wire.get("timeInForce") == time_in_force
    assert wire.get("reduceOnly") is reduce_only
    assert wire.get("stopLossTriggerPrice") == (None if stop is None else str(stop))


@given(
    price=st.decimals(min_value=1, max_value=10**6, places=8),
    quantity=st.decimals(min_value=1, max_value=10**6, places=8),
    side=SIDES,
)
def test_an_order_of_rounded_numbers_keeps_the_rules_of_its_market(
    price: Decimal, quantity: Decimal, side: Any
) -> None:
    rules = MarketRules(
        symbol=PERP,
        tick_size=D("0.05"),
        step_size=D("0.001"),
        min_price=D("0.05"),
        min_quantity=D("0.001"),
        min_multiplier=D("0.75"),
        max_multiplier=D("1.25"),
        order_book_state=OrderBookState.POST_ONLY,
    )
    order = orders.post_only("SOL-USDC-PERP", side, rules.round_price(price, side), rules.round_quantity(quantity))
    assert rules.check(order, reference_price=price) == ()
    assert [str(violation.code) for violation in rules.check(order, reference_price=price * 2)] == ["price_band"]
