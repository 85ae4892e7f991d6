"""`python -m demo`: the story; `python -m demo run`: the processes in the foreground; `python -m demo stop`."""

import asyncio
import sys

from demo import processes, story

match sys.argv[1:]:
    case ["run"]:
        sys.exit(asyncio.run(processes.supervise()))
    case ["stop"]:
        sys.exit(processes.stop_background())
    case []:
        sys.exit(asyncio.run(story.tell()))
    case _:
        sys.exit("usage: python -m demo [run | stop]")
