"""The shell's deploy command, killed beside the moment when the champion's pointer moves.

python -m tests.cluster.cut_off before|after deploy ...
"""

import os
import signal
import sys
from typing import Any

from components.deploy import __main__, run

_crown = run.crown


def _crown_and_die(*arguments: Any) -> None:
    if moment == "after":
        _crown(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)


moment = sys.argv.pop(1)
run.crown = _crown_and_die
__main__.main()
