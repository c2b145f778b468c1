"""Every event of the streams: `events.Trade`, `events.OrderUpdate` and so on.

A frame that fits no class is an `UnknownEvent`; nothing that comes in is lost.
"""

from __future__ import annotations

from .._core.events import ErrorFrame as ErrorFrame
from .._core.events import StreamEvent as StreamEvent
from .._core.events import UnknownEvent as UnknownEvent
from .._core.level import Level as Level
from .._generated.streams.models import BalanceUpdate as BalanceUpdate
from .._generated.streams.models import BookTicker as BookTicker
from .._generated.streams.models import DepthUpdate as DepthUpdate
from .._generated.streams.models import ExternalTicker as ExternalTicker
from .._generated.streams.models import Kline as Kline
from .._generated.streams.models import Liquidation as Liquidation
from .._generated.streams.models import MarkPrice as MarkPrice
from .._generated.streams.models import OpenInterest as OpenInterest
from .._generated.streams.models import OrderEvent as OrderEvent
from .._generated.streams.models import OrderUpdate as OrderUpdate
from .._generated.streams.models import PositionEvent as PositionEvent
from .._generated.streams.models import PositionUpdate as PositionUpdate
from .._generated.streams.models import RfqEvent as RfqEvent
from .._generated.streams.models import RfqUpdate as RfqUpdate
from .._generated.streams.models import StockPrice as StockPrice
from .._generated.streams.models import Ticker as Ticker
from .._generated.streams.models import Trade as Trade
from .._generated.streams.models import UpdateOrigin as UpdateOrigin
