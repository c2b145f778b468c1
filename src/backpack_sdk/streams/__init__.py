"""Live data over the WebSocket, and the order books that are kept from it."""
