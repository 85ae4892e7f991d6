"""`python -m demo`: the story; `python -m demo run`: the processes in the foreground; `python -m demo stop`."""

import asyncio
import sys

from demo import processes, story


def main(arguments: list[str]) -> int:
    """Do what the arguments name; the exit status."""
    match arguments:
        case ["run"]:
            return asyncio.run(processes.supervise())
        case ["stop"]:
            return processes.stop_background()
        case []:
            return asyncio.run(story.tell())
        case _:
            raise processes.Unusable("usage: python -m demo [run | stop]")


try:
    sys.exit(main(sys.argv[1:]))
except processes.Unusable as reason:
    sys.exit(str(reason))
except KeyboardInterrupt:
    sys.exit("Left off. If the server is up, it stays so: `make stop` ends it.")
