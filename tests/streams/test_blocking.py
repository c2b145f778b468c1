"""Streams and books for scripts that block: the same as the async ones, over a real socket, from plain loops."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from decimal import Decimal

import pytest

from backpack_sdk import (
    AsyncBackpack,
    Backpack,
    BackpackError,
    Credentials,
    InvalidArgument,
    StreamError,
    StreamOptions,
)
from backpack_sdk.paper import PaperExchange
from backpack_sdk.streams import (
    AccountState,
    BlockingAccountState,
    BlockingOrderBooks,
    BlockingStreams,
    BlockingSubscription,
    ConnectionState,
    OrderBooks,
    Streams,
    Subscription,
    SyncState,
)
from tests.streams.blocking_desk import threads, until

CREDENTIALS = Credentials.generate()
QUICK = StreamOptions(first_delay=0.01, longest_delay=0.02)


@pytest.fixture
def exchange() -> Iterator[PaperExchange]:
    with PaperExchange() as exchange:
        exchange.add_account(CREDENTIALS.api_key)
        yield exchange


@pytest.fixture
def bp(exchange: PaperExchange) -> Iterator[Backpack]:
    with Backpack(CREDENTIALS, base_url=exchange.base_url, ws_url=exchange.ws_url) as client:
        yield client


def buy(bp: Backpack, quantity: str = "1") -> None:
    bp.order.execute_order("SOL_USDC", "Bid", "Market", quantity=quantity)


def test_a_loop_over_trades(bp: Backpack) -> None:
    with bp.streams() as ws:
        trades = ws.trades("SOL-USDC").ready(5)
        for quantity in ("1", "2", "3"):
            buy(bp, quantity)
        seen: list[Decimal] = []
        for trade in trades:
            seen.append(trade.quantity)
            if sum(seen) == 6:
                break
        assert [trade for trade in seen if trade > 0] == seen
        assert trades.names == ("trade.SOL_USDC",)
        assert trades.dropped == 0


def test_an_event_can_be_waited_for_with_a_limit(bp: Backpack) -> None:
    with bp.streams() as ws:
        updates = ws.order_updates().ready(5)
        with pytest.raises(TimeoutError):
            updates.get(0.01)
        buy(bp)
        assert updates.get(5).event == "orderAccepted"
        assert updates.get(5).event == "orderFill"


def test_closing_ends_a_loop_in_another_thread(bp: Backpack) -> None:
    ended = threading.Event()
    with bp.streams() as ws:
        trades = ws.trades("SOL_USDC").ready(5)

        def read() -> None:
            for _ in trades:
                pass
            ended.set()

        reader = threading.Thread(target=read)
        reader.start()
    reader.join(5)
    assert ended.is_set()
    with pytest.raises(BackpackError, match="not open"):
        ws.trades("SOL_USDC")


@pytest.mark.parametrize("books", [False, True])
def test_it_is_used_once_and_may_be_closed_early(bp: Backpack, books: bool) -> None:
    live: BlockingStreams | BlockingOrderBooks = bp.order_books("SOL_USDC") if books else bp.streams()
    live.close()
    with live:
        live.close()
        live.close()
    assert live._thread._thread is not None
    assert not live._thread._thread.is_alive()
    until(lambda: threads() == [])  # a request may have been under way, which is not waited for
    with pytest.raises(BackpackError, match="used already"), live:
        pass


def test_a_subscription_ends_when_it_is_closed(bp: Backpack) -> None:
    with bp.streams() as ws:
        with ws.trades("SOL_USDC") as trades:
            buy(bp)
            assert trades.get(5).symbol == "SOL_USDC"
        assert list(trades) == []
        with pytest.raises(BackpackError, match="has ended"):
            trades.get(1)


def test_a_callback_gets_every_event_and_its_error_ends_waiting(bp: Backpack) -> None:
    seen: list[str] = []

    def note(trade: object) -> None:
        seen.append(repr(trade))
        raise RuntimeError("the strategy is broken")

    with bp.streams() as ws:
        ws.trades("SOL_USDC").ready(5)
        trades = ws.trades("SOL_USDC").ready(5)
        trades.listen(note)
        buy(bp)
        with pytest.raises(RuntimeError, match="the strategy is broken"):
            ws.wait_closed(5)
    assert len(seen) == 1


def test_a_callback_that_waits_for_its_own_connection_is_told_so(bp: Backpack) -> None:
    with bp.streams() as ws:
        trades = ws.trades("SOL_USDC").ready(5)
        trades.listen(lambda _trade: ws.trades("BTC_USDC"))
        buy(bp)
        with pytest.raises(BackpackError, match="must not wait for its own connection"):
            ws.wait_closed(5)


def test_an_unknown_market_is_refused(bp: Backpack) -> None:
    with bp.streams() as ws:
        with pytest.raises(StreamError, match=r"no market SOL_USDT.*did you mean SOL_USDC"):
            ws.trades("SOL_USDT").ready(5)
        with pytest.raises(StreamError, match="no market"):
            next(ws.trades("SOL_USDT"))


def test_states_are_told_and_counted(bp: Backpack) -> None:
    states: list[ConnectionState] = []
    with bp.streams(QUICK) as ws:
        ws.on_state_change(lambda change: states.append(change.new))
        ws.trades("SOL_USDC").ready(5)
        assert ws.state is ConnectionState.LIVE
        assert ws.counters.connections == 1
        assert ws.url == bp.ws_url
    assert states[-1] is ConnectionState.CLOSED


def test_books_are_handed_over_as_snapshots(bp: Backpack) -> None:
    with bp.order_books("SOL-USDC", levels=5) as books:
        books.wait_live(timeout=5)
        first = next(books)
        assert first.symbol == "SOL_USDC"
        assert len(first.bid_levels) == 5
        ask = first.best_ask
        assert ask is not None
        buy(bp, "1")
        second = next(books)
        assert second.last_update_id is not None
        assert first.last_update_id is not None
        assert second.last_update_id > first.last_update_id
        assert second.best_ask is not None
        assert second.best_ask.quantity == ask.quantity - 1
        assert first.best_ask == ask, "what was handed over does not change"
        assert books["SOL_USDC"] == second
        assert books.get("SOL-USDC") == second
        assert books.state("SOL_USDC") is SyncState.LIVE
        assert books.counters("SOL_USDC").applied == 1
        books.add("BTC_USDC")
        books.wait_live("BTC_USDC", timeout=5)
        assert books.symbols == ("SOL_USDC", "BTC_USDC")
        books.remove("SOL_USDC")
        with pytest.raises(InvalidArgument, match="not kept"):
            books.get("SOL_USDC")


def test_books_of_unknown_markets_leave_nothing_behind(bp: Backpack) -> None:
    before = threading.active_count()
    with pytest.raises(StreamError, match="no market"), bp.order_books("NO_SUCH"):
        pass
    until(lambda: threading.active_count() <= before)


@pytest.mark.parametrize(
    ("blocking", "waiting"),
    [
        (BlockingStreams, Streams),
        (BlockingSubscription, Subscription),
        (BlockingOrderBooks, OrderBooks),
        (BlockingAccountState, AccountState),
        (Backpack, AsyncBackpack),
    ],
)
def test_both_kinds_have_the_same_methods_with_the_same_arguments(blocking: type, waiting: type) -> None:
    def public(cls: type) -> dict[str, list[inspect.Parameter] | None]:
        """Methods with their arguments, and properties."""
        return {
            name: list(inspect.signature(member).parameters.values()) if inspect.isfunction(member) else None
            for name, member in inspect.getmembers(cls)
            if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property))
        }

    async_only = {
        "aclose", "open", "spawn_listener", "subscribe", "follow", "unfollow", "release", "resubscribe", "source_of",
        "wanted", "session", "updates", "on_update",
        *(name for name in dir(waiting) if name.startswith("on_") and name not in ("on_state_change", "on_unknown")),
    }  # fmt: skip
    theirs, ours = public(waiting), public(blocking)
    assert set(theirs) - async_only <= set(ours)
    for name in set(theirs) & set(ours) - {"wait_closed", "close", "paginate"}:
        assert _without_levels(ours[name]) == theirs[name], name


def _without_levels(parameters: list[inspect.Parameter] | None) -> list[inspect.Parameter] | None:
    """Blocking books are copies, so that how deep they are is a choice."""
    return None if parameters is None else [one for one in parameters if one.name != "levels"]
