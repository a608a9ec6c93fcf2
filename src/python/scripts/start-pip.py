"""Starts the pip that lies beside it. Arguments are pip's; D2N_KEEP names a folder in which what it downloads stays."""

import os
import sys


def keep_downloads(folder, temporary):
    """Every archive that pip has fetched passes through `File`: a second link to it outlives pip's temporary folders."""
    from pip._internal.operations.prepare import File

    original = File.__init__

    def initialise(self, *arguments, **named):
        original(self, *arguments, **named)
        try:
            if self.path.startswith(temporary + os.sep):
                os.link(self.path, os.path.join(folder, os.path.basename(self.path)))
        except (AttributeError, OSError):
            pass

    File.__init__ = initialise


def build_with_wheels():
    """
    To tell a source distribution's metadata, pip installs its build system, with the user's --no-binary. What a package is
    built with does not change its metadata, so wheels do there: faster, and without a compiler.
    """
    from pip._internal import build_env

    original = build_env.call_subprocess

    def call(command, *arguments, **named):
        command = list(command)
        for place, word in enumerate(command[:-1]):
            if word == "--no-binary":
                command[place + 1] = ":none:"
        return original(command, *arguments, **named)

    build_env.call_subprocess = call


# Versions of pip differ inside: without these, locking is slower, not wrong.
for wanted, change in (
    (os.environ.get("D2N_KEEP"), lambda folder: keep_downloads(folder, os.environ["TMPDIR"])),
    (os.environ.get("D2N_BUILD_WHEELS"), lambda _: build_with_wheels()),
):
    if wanted:
        try:
            change(wanted)
        except (ImportError, AttributeError, KeyError):
            pass

from pip._internal.cli.main import main  # noqa: E402

sys.exit(main())
