"""Errors for the user: one line that names the cause and the fix."""


class UserError(Exception):
    """An error that the user can fix: a bad flag, file or setting.

    The message is one line that names the cause and the fix. The command line prints it to stderr
    and leaves with status 2; any other exception is an internal error.
    """


class PartlyDone(UserError):
    """Some of many things could not be done; each was reported on its own line, and the others are done.

    The command line leaves with status 1.
    """
