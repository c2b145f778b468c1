"""The embedded paper exchange: an order book engine and the servers in front of it."""
