"""One of two processes: the first works alone for a while, and comes to its end in a way that is asked for."""

import os
import signal
import sys
import time
from pathlib import Path

import torch

from praxino import ranks
from praxino.errors import UserError

if __name__ == "__main__":
    how, reached = sys.argv[1], Path(sys.argv[2])
    ranks.start(torch.device("cpu"))
    try:
        with ranks.first_alone():
            if ranks.rank() == 0:
                time.sleep(0.5)
                if how == "killed":
                    os.kill(os.getpid(), signal.SIGKILL)
                if how == "refused":
                    raise UserError("there is nothing to do")
                reached.touch()
        assert reached.exists()
    except UserError as error:
        print(error, file=sys.stderr)
        ranks.leave(2)
    ranks.leave()
