"""The entry point, also of `python -m prodlint`."""

import contextlib
import os
import signal
import sys


def main() -> None:
    """Runs the command line, and ends with its exit code. Until its modules are there, Ctrl-C just ends the process."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        _open_what_is_closed()
        from prodlint.cli import main as run

        run()
    except (MemoryError, ImportError, OSError, SystemError) as error:
        # Python's own exit code, 1, would mean findings. There may be no memory left to say much, or to clean up with.
        os.write(2, b"Error: prodlint cannot go on (%s)\n" % type(error).__name__.encode())
        os._exit(2)


def _open_what_is_closed() -> None:
    """A standard stream that is closed (`>&-`) is nowhere, or the next file to be opened, a cache, would be in its
    place."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            with contextlib.suppress(OSError):
                os.close(number)
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - for good


if __name__ == "__main__":
    # Python puts the working directory first, where what is linted would stand in for modules of the same name.
    if sys.path[:1] == [os.getcwd()]:  # noqa: PTH109 - pathlib costs start-up time
        del sys.path[0]
    main()
