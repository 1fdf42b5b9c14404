"""Which release may speak: the plugged-in one, looked at every second, and nothing else.

``Plugged`` asks ``assets.release.loader`` twice a second what is plugged in. When that changes, whatever the old
release still says is cut off first (``check`` raises), then the engine gets the new one's proven private copy.
What cannot be proven is not served: a release that does not verify, a store that cannot be read, an engine that cannot
load it. The policy says whether the base model alone answers in its place.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from assets.release.loader import plugged_in, verified_adapter
from assets.served.chat import Engine
from resources.errors import HallmarkError, IntegrityError

LOOK = 0.5  # seconds between looks
PATIENCE = 1.2  # seconds after which a look that has not ended has failed
OVERDUE = 1.0  # seconds since the last look after which nothing goes out before the next has ended
RETRY = 5.0  # seconds after which an engine that could not load is asked again
BASE = "base"


class Unplugged(Exception):
    """The release that was speaking is not plugged in any more."""


@dataclass(frozen=True, slots=True)
class State:
    """What is served since ``turn``: ``release`` (``base``: the base alone; empty: nothing, and ``why``)."""

    turn: int
    release: str
    why: str = ""


class Plugged:
    """Watches the plug and keeps ``engine`` on it. ``on_change`` hears of every new state."""

    def __init__(
        self,
        releases: Path,
        keys: Path,
        engine: Engine,
        *,
        fall_back: bool,
        on_change: Callable[[State], None] = lambda state: None,
    ) -> None:
        self._releases, self._keys, self._engine = releases, keys, engine
        self._fall_back, self._tell = fall_back, on_change
        self.state = State(0, "", "starting")
        self._wanted: tuple[str, str] | None = None
        self._copy = contextlib.ExitStack()
        self._looked = 0.0
        self._seen = False
        self._retry_at = float("inf")
        self._looking = asyncio.Lock()
        self._thread = ThreadPoolExecutor(2, thread_name_prefix="plug")  # two: one look may hang
        self._task: asyncio.Task[None] | None = None
        self._moved = asyncio.Event()

    async def start(self) -> None:
        """Look once, bring the engine to it, and go on looking."""
        await self.look()
        self._task = asyncio.create_task(self._watch())

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._copy.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def check(self, turn: int) -> None:
        """Raise ``Unplugged`` unless the state of ``turn`` counts still, by a look that is not overdue."""
        if time.monotonic() - self._looked > OVERDUE:
            await self.look()
        if self.state.turn != turn:
            raise Unplugged(self.state.why or f"{self.state.release} is plugged in now")

    async def changed(self, turn: int) -> None:
        """Return when the state of ``turn`` is over."""
        while self.state.turn == turn:
            await self._moved.wait()

    async def look(self) -> None:
        """Ask what is plugged in, and follow."""
        asked = time.monotonic()
        async with self._looking:
            if self._looked > asked:
                return  # somebody looked meanwhile
            wanted = await self._ask()
            if wanted != self._wanted or self._looked > self._retry_at:
                await self._switch(*wanted)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK)
            await self.look()

    async def _ask(self) -> tuple[str, str]:
        """What should be served by now, and why where it is not what is plugged in."""
        started = time.monotonic()
        asking = asyncio.get_running_loop().run_in_executor(self._thread, plugged_in, self._releases, self._keys)
        try:
            async with asyncio.timeout(PATIENCE):  # wait_for of Python 3.11 may swallow the cancelling of ``close``
                name = await asking
            there = self._releases.is_dir()
            if self._seen and not there:  # a folder that vanished is no word that nothing is plugged in
                raise IntegrityError("the folder of releases is gone")
            self._seen = there
            wanted = (name or BASE, "")
        except (HallmarkError, OSError, TimeoutError) as error:
            reason = f"what is plugged in cannot be proven: {str(error) or type(error).__name__}"
            wanted = (BASE if self._fall_back else "", reason)
        self._looked = started
        return wanted

    async def _switch(self, release: str, why: str) -> None:
        """Silence what speaks, let the engine take up what is wanted, and look again before it may speak."""
        self._retry_at = float("inf")
        while True:
            self._wanted = (release, why)
            self._enter("", why or f"{release} is being loaded")
            release, why = await self._load(release, why)
            if self._wanted[0] != release or (now := await self._ask()) == self._wanted:
                self._enter(release, why)
                return
            release, why = now

    async def _load(self, release: str, why: str) -> tuple[str, str]:
        """Bring the engine to a release; what it can serve now, and why where that is something else."""
        with contextlib.suppress(HallmarkError, OSError):
            await self._engine.unplug()
        self._copy.close()
        if not release:
            return "", why
        try:
            adapter = None if release == BASE else await asyncio.to_thread(self._proven_copy, release)
            await self._engine.plug(release, adapter)
            return release, why
        except (HallmarkError, OSError) as error:
            self._retry_at = time.monotonic() + RETRY
            self._copy.close()
            if not self._fall_back or release == BASE:
                return "", str(error)
            with contextlib.suppress(HallmarkError, OSError):
                await self._engine.plug(BASE, None)
                return BASE, str(error)
            return "", str(error)

    def _proven_copy(self, release: str) -> Path:
        folder = self._copy.enter_context(verified_adapter(self._releases, self._keys))
        if folder is None or folder.parent.name != release:
            raise IntegrityError(f"{release} is not plugged in any more")
        return folder

    def _enter(self, release: str, why: str) -> None:
        if (self.state.release, self.state.why) == (release, why):
            return
        self.state = State(self.state.turn + 1, release, why)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        self._tell(self.state)
