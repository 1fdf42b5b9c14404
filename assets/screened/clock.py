"""What is being done, and how long it took."""

import time
from collections.abc import Callable


class Clock:
    """Times the steps and tells someone of each."""

    def __init__(self, on_step: Callable[[str], None] | None) -> None:
        self.tell, self.current, self.began = on_step, "", time.monotonic()
        self.seconds: dict[str, float] = {}

    def step(self, name: str) -> None:
        now = time.monotonic()
        if self.current:
            self.seconds[self.current] = now - self.began
        self.current, self.began = name, now
        if name and self.tell:
            self.tell(name)
