"""A harness to be killed: starts programs of the zoo and tells their process ids as one JSON line.

With `churn` as first word it starts and stops them forever. It survives Ctrl-C, and tells how a
child of its own process group fared meanwhile.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from harness.programs.processes import OwnedProcess, Processes

ZOO = Path(__file__).with_name("zoo.py")


def main() -> None:
    folder, *verbs = sys.argv[1:]
    witness = subprocess.Popen(["sleep", "600"], env={"PATH": os.environ["PATH"]})

    def at_ctrl_c(*_: object) -> None:
        print(json.dumps({"witness": witness.wait()}), flush=True)

    signal.signal(signal.SIGINT, at_ctrl_c)
    with Processes() as processes:
        churn = verbs[0] == "churn"
        while True:
            started = [start(processes, Path(folder), verb) for verb in verbs[churn:]]
            print(json.dumps([[each.pid, each.keeper_pid] for each in started]), flush=True)
            time.sleep(0.02 if churn else 600)
            for each in started:
                each.stop(grace_s=0.01)


def start(processes: Processes, folder: Path, verb: str) -> OwnedProcess:
    argv = [sys.executable, "-I", "-S", str(ZOO), verb]
    return processes.start(argv, cwd=folder, env=os.environ, output=folder / f"{verb}.txt")


if __name__ == "__main__":
    main()
