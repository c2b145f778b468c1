"""The WebSocket side of the embedded exchange: subscriptions, streams, and what goes wrong with them on purpose.

`names` and `requests` read what clients send, `translation` turns events of the engine into the data of streams, `hub`
knows who wants what, `connection` is one client, and `shell` is the only module that knows aiohttp's server.
"""
