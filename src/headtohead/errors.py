"""The one exception a user is meant to read."""


class UserError(Exception):
    """Something the user can mend: a bad flag, file or setting.

    The message is one line that names the cause and the mend. The command line prints it to stderr
    and leaves with status 2; any other exception is a fault of ours.
    """
