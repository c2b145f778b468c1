"""What generated and hand-written code both stand on: requests, replies, models, scalars, errors.

Nothing in here knows an operation, a model or a transport by name.
"""
