"""The one exception that a person is meant to read."""


class ChoreiaError(Exception):
    """Bad input or usage. Its message is one line: what, where, and what to do.

    The command line prints it on stderr and exits with code 2; library callers may catch it.
    """
