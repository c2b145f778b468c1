"""Synthetic order flow: seeded market makers and takers that keep the books of the embedded exchange moving.

`model` decides what happens next and is pure; `runner` carries it out on an engine, by hand or by the clock.
"""
