"""The shell's deploy command, killed just before or after the champion changes.

python -m tests.cluster.cut_off before|after deploy ...
"""

import os
import signal
import sys

from components.deploy import __main__
from components.deploy.release import Release

crown = Release.crown


def crown_and_die(release: Release) -> None:
    if moment == "after":
        crown(release)
    os.kill(os.getpid(), signal.SIGKILL)


moment = sys.argv.pop(1)
Release.crown = crown_and_die
__main__.main()
