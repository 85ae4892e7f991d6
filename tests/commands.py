"""What is asked of MongoDB, counted by the driver's own events."""

from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

# Which only go on with a read, or end a transaction.
NOT_ASKED = {"getMore", "killCursors", "commitTransaction", "abortTransaction", "endSessions", "hello"}


class Commands(CommandListener):
    """The commands that a client has sent since `names` was last cleared."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name not in NOT_ASKED:
            self.names.append(event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass
