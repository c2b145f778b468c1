"""The streams: from their AsyncAPI document to Python."""
