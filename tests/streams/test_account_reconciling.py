"""Account state while REST is asked: what arrives meanwhile, what REST does not know yet, and where it all begins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import pytest

from backpack_sdk import Credentials, NotFound
from backpack_sdk._core.events import UnknownEvent
from backpack_sdk.paper import PaperExchange
from backpack_sdk.streams import (
    AccountChange,
    Filled,
    OrderClosed,
    OrderOpened,
    PositionChanged,
    Synchronised,
)
from backpack_sdk.streams import account as account_module
from backpack_sdk.streams.account_records import order_from_rest
from backpack_sdk.streams.status import ConnectionState

from .desk import client_of, options
from .stream_server import Reply, StreamServer, refusal
from .stream_server import until as wait_until
from .test_account import until

ORDERS, POSITIONS = "/api/v1/orders", "/api/v1/position"
ENDED, FILLS = "/wapi/v1/history/orders", "/wapi/v1/history/fills"
START_US = 1_700_000_000_000_000


class Desk(StreamServer):
    """A server with an account: lists of rows, and something to do when a list is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, list[dict[str, Any]]] = {ORDERS: [], POSITIONS: [], ENDED: [], FILLS: []}
        self.failing: dict[str, Reply] = {}
        self.then: dict[str, list[Callable[[], object]]] = {path: [] for path in self.rows}
        """What to do at the next requests for each list, before they are answered."""
        self.rest = self._account

    def _account(self, path: str, query: dict[str, str]) -> Reply | None:
        if path not in self.rows:
            return None
        if self.then[path]:
            self.then[path].pop(0)()
        if path in self.failing:
            return self.failing[path]
        since = int(query.get("from", 0)) * 1000
        return 200, [row for row in self.rows[path] if path != FILLS or row["us"] >= since]

    def asked(self, path: str) -> int:
        """How often a list was asked for."""
        return sum(request.partition("?")[0] == path for request in self.requests)

    def tell(self, stream: str, data: dict[str, Any]) -> None:
        """Let the last socket carry an event."""
        self.peers[-1].send(stream, data)

    def fill(self, number: int, seconds: float) -> None:
        """Let the history have one more fill, so many seconds after the start."""
        at = START_US + int(seconds * 1_000_000)
        self.rows[FILLS].append({
            "orderId": str(number), "symbol": "SOL_USDC", "side": "Bid", "price": "100", "quantity": "1", "fee": "0.1",
            "feeSymbol": "USDC", "isMaker": False, "tradeId": number, "us": at,
            "timestamp": f"2023-11-14T22:{13 + (20 + int(seconds)) // 60:02}:{(20 + int(seconds)) % 60:02}.000",
        })  # fmt: skip


def order_event(event: str, status: str, order_id: str = "1", **more: Any) -> dict[str, Any]:
    return {
        "e": event, "E": START_US + 60_000_500, "T": START_US + 60_000_000, "s": "SOL_USDC", "i": order_id, "S": "Bid",
        "o": "LIMIT", "f": "GTC", "q": "5", "p": "100", "X": status, "z": "0", "Z": "0", "V": "RejectTaker",
        "O": "USER", "t": None,
    } | more  # fmt: skip


def order_row(order_id: str = "1", status: str = "New", **more: Any) -> dict[str, Any]:
    return {
        "orderType": "Limit", "id": order_id, "symbol": "SOL_USDC", "side": "Bid", "price": "100", "quantity": "5",
        "executedQuantity": "0", "executedQuoteQuantity": "0", "status": status, "timeInForce": "GTC",
        "selfTradePrevention": "RejectTaker", "postOnly": False, "reduceOnly": None, "createdAt": 1_700_000_060_000,
    } | more  # fmt: skip


def position_event(net: str) -> dict[str, Any]:
    return {
        "e": "positionAdjusted", "E": START_US + 500, "T": START_US, "s": "SOL_USDC_PERP", "i": 7, "q": net, "Q": net,
        "n": "1", "B": "100", "b": "100", "M": "100", "f": "0.1", "m": "0.05", "p": "0", "P": "0",
    }  # fmt: skip


def position_row(net: str) -> dict[str, Any]:
    function = {"type": "sqrt", "base": "0.02", "factor": "0.0001"}
    return {
        "symbol": "SOL_USDC_PERP", "positionId": "7", "netQuantity": net, "netExposureQuantity": net,
        "netExposureNotional": "1", "entryPrice": "100", "breakEvenPrice": "100", "markPrice": "100", "netCost": "1",
        "estLiquidationPrice": "0", "cumulativeFundingPayment": "0", "imf": "0.1", "mmf": "0.05",
        "imfFunction": function, "mmfFunction": function, "pnlRealized": "0", "pnlUnrealized": "0",
    }  # fmt: skip


@pytest.fixture
async def server() -> AsyncIterator[Desk]:
    async with Desk() as server:
        yield server


def fills_of(changes: list[AccountChange]) -> list[int | None]:
    return [change.fill.trade_id for change in changes if isinstance(change, Filled)]


ORDER_STREAM, POSITION_STREAM = "account.orderUpdate", "account.positionUpdate"


# Where it begins


@pytest.mark.parametrize("heard", [False, True])
async def test_fills_before_the_state_began_are_not_told_after_a_reconnection(heard: bool) -> None:
    credentials = Credentials.generate()
    async with PaperExchange() as exchange:
        exchange.add_account(credentials.api_key)
        async with client_of(  # the paper exchange serves both
            exchange,  # type: ignore[arg-type]
            credentials=credentials,
        ) as bp:
            for _ in range(3):
                await bp.order.execute_order("SOL_USDC", "Bid", "Market", quantity="1")
            async with bp.account_state(options()) as account:
                assert await until(account, Synchronised) == [Synchronised()]
                if heard:
                    await bp.order.execute_order("SOL_USDC", "Bid", "Limit", price="10", quantity="1")
                    await until(account, OrderOpened)
                exchange.socket_faults.abort()
                assert await until(account, Synchronised) == [Synchronised()]
                exchange.socket_faults.abort()
                assert await until(account, Synchronised) == [Synchronised()], "nor after a second one"


async def test_the_beginning_is_known_by_the_clock_of_the_exchange(server: Desk) -> None:
    """The server lives in 2023; a history that lags adds a fill from before the newest one, and one from long ago."""
    server.fill(1, 0)
    server.fill(2, 30)
    async with client_of(server) as bp, bp.account_state(options()) as account:
        assert await until(account, Synchronised) == [Synchronised()]
        server.fill(3, 1)
        server.fill(4, 29)
        server.fill(5, 31)
        (await server.peer()).abort()
        changes = await until(account, Synchronised)
        assert fills_of(changes) == [4, 5]


async def test_a_fill_between_entering_and_the_first_snapshot_is_told_though_the_socket_broke(server: Desk) -> None:
    server.fill(1, 0)
    server.failing[ORDERS] = 503, b"not now"
    async with client_of(server) as bp, bp.account_state(options()) as account:
        first = await server.peer()
        await first.subscribed(ORDER_STREAM)
        server.fill(2, 1)
        first.abort()
        await (await server.peer(2)).subscribed(ORDER_STREAM)
        del server.failing[ORDERS]
        assert fills_of(await until(account, Synchronised)) == [2]


async def test_a_beginning_that_rest_refused_is_looked_for_again(server: Desk) -> None:
    server.fill(1, 0)
    server.failing[FILLS] = 503, b"not now"
    server.then[FILLS] = [lambda: None, lambda: server.failing.clear()]
    async with client_of(server) as bp, bp.account_state(options()) as account:
        assert await until(account, Synchronised) == [Synchronised()]
        (await server.peer()).abort()
        assert await until(account, Synchronised) == [Synchronised()]


async def test_entering_does_not_wait_for_rest_for_ever(server: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_module, "_BEGIN_WITHIN", 0.05)
    server.silent_rest = True
    async with client_of(server) as bp, bp.account_state(options()) as account:
        server.silent_rest = False
        await account.wait_live(10)


async def test_both_sides_of_a_trade_with_oneself_are_told(server: Desk) -> None:
    """One trade, two orders: told once by the stream, once more each by the history."""
    async with client_of(server) as bp, bp.account_state(options()) as account:
        await until(account, Synchronised)
        filled: dict[str, Any] = {"t": 9, "l": "1", "L": "100", "m": True, "n": "0.1", "N": "USDC", "z": "5"}
        server.tell(ORDER_STREAM, order_event("orderFill", "Filled", "1", **filled))
        await until(account, OrderClosed)
        server.fill(1, 60)
        server.fill(2, 60)
        for row in server.rows[FILLS]:
            row["tradeId"] = 9
        server.peers[-1].abort()
        (told, _) = await until(account, Synchronised)
        assert isinstance(told, Filled)
        assert told.fill.order_id == "2"


# What arrives while REST is asked


async def test_a_position_does_not_go_back_when_rest_is_ahead(server: Desk) -> None:
    async with client_of(server) as bp:
        server.then[ORDERS] = [
            lambda: server.tell(POSITION_STREAM, position_event("5")),
            lambda: server.tell(POSITION_STREAM, position_event("0")),
        ]
        async with bp.account_state(options()) as account:
            assert await until(account, Synchronised) == [Synchronised()]
            assert account.positions == {}
            assert server.asked(POSITIONS) >= 2


async def test_a_position_that_rest_does_not_know_yet_is_waited_for(server: Desk) -> None:
    async with client_of(server) as bp:
        server.then[ORDERS] = [
            lambda: server.tell(POSITION_STREAM, position_event("5")),
            lambda: server.rows[POSITIONS].append(position_row("5")),
        ]
        async with bp.account_state(options()) as account:
            opened, _ = await until(account, Synchronised)
            assert isinstance(opened, PositionChanged)
            assert account.positions["SOL_USDC_PERP"].net_quantity == 5


async def test_an_update_stands_when_rest_never_agrees(server: Desk) -> None:
    """If REST was ahead, the next update corrects it; nothing would correct a reply that was behind."""
    async with client_of(server) as bp:
        server.then[ORDERS] = [lambda: server.tell(POSITION_STREAM, position_event("5"))]
        server.rows[POSITIONS] = [position_row("7")]
        async with bp.account_state(options()) as account:
            changed, _ = await until(account, Synchronised)
            assert isinstance(changed, PositionChanged)
            assert changed.position.net_quantity == 5
            server.tell(POSITION_STREAM, position_event("7"))
            changed, *_ = await until(account, PositionChanged)
            assert account.positions["SOL_USDC_PERP"].net_quantity == Decimal(7)


async def test_an_order_that_rest_does_not_list_yet_is_kept(server: Desk) -> None:
    async with client_of(server) as bp:
        server.then[ORDERS] = [
            lambda: server.tell(ORDER_STREAM, order_event("orderAccepted", "New")),
            lambda: server.rows[ORDERS].append(order_row()),
        ]
        async with bp.account_state(options()) as account:
            opened, _ = await until(account, Synchronised)
            assert isinstance(opened, OrderOpened)
            assert list(account.orders) == ["1"]


@pytest.mark.parametrize("stream", [ORDER_STREAM, POSITION_STREAM])
async def test_what_can_not_be_read_while_rest_is_asked_makes_it_ask_again(
    server: Desk, stream: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_of(server) as bp:
        server.then[ORDERS] = [
            lambda: server.tell(stream, {"e": "orderAccepted", "i": "1"}),
            lambda: server.rows[ORDERS].append(order_row()),
        ]
        async with bp.account_state(options()) as account:
            opened, _ = await until(account, Synchronised)
            assert isinstance(opened, OrderOpened)
            assert account.is_live
            assert "can't be read" in caplog.text


async def test_what_is_read_before_something_unreadable_does_not_outlive_it(server: Desk) -> None:
    """An order was opened and cancelled, and the cancel can't be read."""
    async with client_of(server) as bp, bp.account_state(options()) as account:
        await until(account, Synchronised)

        def open_and_garble() -> None:
            server.tell(ORDER_STREAM, order_event("orderAccepted", "New"))
            server.tell(ORDER_STREAM, {"e": "orderCancelled", "i": "1"})

        server.rows[ENDED].append(order_row(status="Cancelled", createdAt="2023-11-14T22:14:20"))
        server.then[ORDERS] = [open_and_garble]
        server.peers[-1].abort()
        changes = await until(account, Synchronised)
        assert [type(change) for change in changes] in (
            [OrderOpened, OrderClosed, Synchronised],
            [Synchronised],
        )
        assert account.orders == {}


async def test_unreadable_events_one_after_another_end_in_step(server: Desk) -> None:
    async with client_of(server) as bp, bp.account_state(options()) as account:
        await until(account, Synchronised)
        for _ in range(5):
            server.tell(ORDER_STREAM, {"e": "orderAccepted"})
        server.rows[ORDERS].append(order_row())
        await until(account, Synchronised)
        await account.wait_live(10)
        assert list(account.orders) == ["1"]


async def test_what_can_not_be_read_just_when_all_is_right_makes_it_ask_again(server: Desk) -> None:
    async with client_of(server) as bp, bp.account_state(options()) as account:
        async with asyncio.timeout(10):
            assert await anext(account) == Synchronised()  # and the task that asked has not been cleared away yet
            account._push(UnknownEvent(frame=b"{}", problem="not an event"))
            assert not account.is_live
            assert await anext(account) == Synchronised()


async def test_a_fault_while_rest_is_asked_does_not_leave_it_out_of_step_for_ever(
    server: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    faults = iter((True, False))

    def faulty(row: Any) -> Any:
        if next(faults):
            raise ArithmeticError("a fault")
        return order_from_rest(row)

    monkeypatch.setattr(account_module, "order_from_rest", faulty)
    server.rows[ORDERS].append(order_row())
    async with client_of(server) as bp, bp.account_state(options()) as account:
        await account.wait_live(10)
        assert list(account.orders) == ["1"]
    assert "a fault of the SDK" in caplog.text


async def test_fills_that_the_history_does_not_have_yet_are_waited_for(server: Desk) -> None:
    """An order that was filled in part ends while the socket is down."""
    async with client_of(server) as bp, bp.account_state(options()) as account:
        await until(account, Synchronised)
        filled: dict[str, Any] = {"t": 9, "l": "1", "L": "100", "m": True, "n": "0.1", "N": "USDC", "z": "1"}
        server.tell(ORDER_STREAM, order_event("orderFill", "PartiallyFilled", **filled))
        await until(account, OrderOpened)
        executed = {"status": "Cancelled", "executedQuantity": "2", "createdAt": "2023-11-14T22:14:20"}
        server.rows[ENDED].append(order_row(**executed))
        server.then[FILLS] = [lambda: None, lambda: server.fill(1, 61)]
        server.peers[-1].abort()
        told, closed, _ = await until(account, Synchronised)
        assert fills_of([told]) == [1]
        assert isinstance(closed, OrderClosed)
        assert closed.order.executed_quantity == 2
        assert closed.certain


# What nobody knows


async def test_an_order_whose_end_is_not_known_comes_back_when_it_lives(server: Desk) -> None:
    async with client_of(server) as bp, bp.account_state(options()) as account:
        await until(account, Synchronised)
        server.tell(ORDER_STREAM, order_event("orderAccepted", "New"))
        await until(account, OrderOpened)
        server.failing[ENDED] = 404, {"code": "RESOURCE_NOT_FOUND", "message": "no such order"}
        server.peers[-1].abort()
        closed, _ = await until(account, Synchronised)
        assert isinstance(closed, OrderClosed)
        assert not closed.certain
        assert server.asked(ENDED) > 1, "it may only be late"
        filled: dict[str, Any] = {"t": 9, "l": "1", "L": "100", "m": True, "n": "0.1", "N": "USDC", "z": "1"}
        server.tell(ORDER_STREAM, order_event("orderFill", "PartiallyFilled", **filled))
        filled_, opened = await until(account, OrderOpened)
        assert isinstance(filled_, Filled)
        assert isinstance(opened, OrderOpened)
        assert list(account.orders) == ["1"]


async def test_an_end_that_becomes_certain_is_not_told_twice(server: Desk) -> None:
    async with client_of(server) as bp, bp.account_state(options()) as account:
        await until(account, Synchronised)
        server.tell(ORDER_STREAM, order_event("orderAccepted", "New"))
        await until(account, OrderOpened)
        server.peers[-1].abort()
        await until(account, OrderClosed)
        await until(account, Synchronised)
        server.tell(ORDER_STREAM, order_event("orderCancelled", "Cancelled"))
        server.tell(ORDER_STREAM, order_event("orderAccepted", "New", "2"))
        (opened,) = await until(account, OrderOpened)
        assert isinstance(opened, OrderOpened)
        assert opened.order.order_id == "2"


async def test_a_refusal_is_told_to_whoever_waits_after_the_connection_was_lost(server: Desk) -> None:
    server.failing[POSITIONS] = 404, {"code": "RESOURCE_NOT_FOUND", "message": "no futures here"}
    async with client_of(server) as bp, bp.account_state(options()) as account:
        with pytest.raises(NotFound):
            await account.wait_live(10)
        server.refuse_always = refusal(503)
        server.peers[-1].abort()
        await wait_until(lambda: account.session.state is not ConnectionState.LIVE)
        with pytest.raises(NotFound):
            await account.wait_live(10)


async def test_a_reconnection_while_rest_is_asked_starts_it_anew(server: Desk) -> None:
    async with client_of(server) as bp:
        server.then[POSITIONS] = [lambda: server.peers[-1].abort(), lambda: server.peers[-1].abort()]
        async with bp.account_state(options()) as account:
            server.rows[ORDERS].append(order_row())
            changes: list[AccountChange] = []
            while len(server.peers) < 3 or not account.is_live:
                changes += await until(account, Synchronised)
            assert [type(change) for change in changes if not isinstance(change, Synchronised)] == [OrderOpened]
