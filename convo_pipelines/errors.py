"""The base class of all errors that explain themselves; each is defined beside the code that raises it."""


class ConvoPipelinesError(Exception):
    """An expected failure: its message says what happened, to what, and what to do about it.

    The command line prints the message and exits with status 1. Errors that PostgreSQL reports stay `psycopg.Error`s.
    """
