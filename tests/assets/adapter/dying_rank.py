"""A rank that is killed in the midst of its work, as an out-of-memory killer or a lost node would; with ``--never`` one that only waits."""

import os
import signal
import sys
import time

if os.environ["RANK"] == "1" and "--never" not in sys.argv:
    os.kill(os.getpid(), signal.SIGKILL)
time.sleep(60)
