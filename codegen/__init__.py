"""Turns the exchange's OpenAPI document into the typed half of the SDK. Run it as `python -m codegen`."""
