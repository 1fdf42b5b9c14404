"""One gateway: everything a request meets on its way, in order, and what is kept going beside the requests.

``admit`` decides whether a request is asked at all; ``answer`` asks the engine and lets out what may go out.
"""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from assets.served.approval.actions import Actions
from assets.served.approval.feedback import FeedbackStore
from assets.served.approval.held import Held, HeldStore
from assets.served.approval.topics import Topics
from assets.served.chat import Engine, EngineRequest, Piece
from assets.served.limits.budgets import Budget, Budgets
from assets.served.limits.keys import AccessKeys
from assets.served.limits.suspicious import SuspiciousPrompts
from assets.served.limits.sweeps import Sweeps
from assets.served.output_filter.tripwires import Tripwires
from assets.served.plugged import Plugged, State
from assets.served.running import Running
from assets.served.settings import ServedSettings
from assets.served.traffic import Traffic
from pipelines.gateway.metrics import Metrics
from resources.alerts import Alerts
from resources.digests import canonical_json
from resources.errors import HallmarkError

FOLLOW = 1.0  # seconds between looks at what was decided
MOST_PAUSE = 60.0  # seconds between tries of a webhook that is down
MOST_TOLD = 1000  # held calls that a gateway which starts sees to


class Refusal(Exception):
    """A request that is not asked, or an answer that does not come. ``code`` is one of ``wire.ERRORS``."""

    def __init__(self, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.code, self.retry_after = code, retry_after


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may be asked: who asks, under which state of the plug, what was set aside for it."""

    name: str
    key: str
    state: State
    day: str
    aside: int
    request: EngineRequest
    retry: str
    started: float = field(default_factory=time.monotonic)


@dataclass(slots=True)
class Gateway:
    """Built by ``pipelines.gateway.build``; the parts are the pure modules of ``assets.served``."""

    engine: Engine
    plugged: Plugged
    actions: Actions
    settings: ServedSettings
    held: HeldStore
    traffic: Traffic
    budgets: Budgets
    budget: Callable[[str], Budget]
    keys: AccessKeys
    tripwires: Tripwires
    topics: Topics | None
    suspicious: SuspiciousPrompts
    feedback: FeedbackStore
    alerts: Alerts
    fingerprint: Callable[[str], str]
    roll_back: Callable[[str], Any]
    running: Running
    metrics: Metrics = field(default_factory=Metrics)
    sweeps: Sweeps = field(init=False)
    # One thread each: neither the detector nor the encoder is made for two at once.
    looking: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "tripwires"))
    reading: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "topics"))
    _following: asyncio.Task[None] | None = None
    _told: set[str] = field(default_factory=set)  # held calls that an alert was sent of
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.sweeps = Sweeps(self.settings.sweep)

    async def start(self) -> None:
        await asyncio.to_thread(self.running.begin, self.traffic)
        self._told = {str(alert.get("held")) for alert in await asyncio.to_thread(self.alerts.recent, "held")}
        for held in await asyncio.to_thread(self.held.page, "waiting", limit=MOST_TOLD):
            self.tell_held(held)  # a gateway that was killed may have told nobody
        await self.plugged.start()
        self._following = asyncio.create_task(self._follow())

    async def close(self) -> None:
        if self._following:
            self._following.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.plugged.close()
        await self.engine.close()
        await asyncio.to_thread(self.traffic.close)
        self.running.end()

    def who(self, authorization: str) -> str:
        """The name of the key in an ``Authorization`` header; ``Refusal`` without a good one."""
        kind, _, secret = authorization.partition(" ")
        name = self.keys.name_of(secret.strip()) if kind.casefold() == "bearer" else None
        if name is None:
            raise Refusal("invalid_api_key", "no such key; `hallmark keys create NAME` makes one")
        return name

    async def admit(self, key: str, request: EngineRequest, retry: str) -> Admitted:
        """Hold a request against plug, sweep and budgets; ``Refusal`` says which of them turned it away."""
        state = self.plugged.state
        if not state.release:
            raise await self._turned(key, "not_serving", f"nothing is served: {state.why}", 2)
        if request.more.get("logprobs") and not self.settings.logprobs:
            raise await self._turned(key, "invalid_request", "logprobs: the policy gives out none", None)
        prompt = request.prompt()
        if wait := self.sweeps.seconds_to_wait(key, prompt, time.monotonic()):
            self.alarm("sweep", f"{key} sends many nearly identical prompts", key=key)
            raise await self._turned(key, "sweep", "too many nearly identical prompts", wait)
        whole = self.fingerprint(canonical_json([list(request.messages), list(request.tools)]).decode())
        aside = request.max_tokens + len(request.full_text()) // 3  # a token has three characters and more
        day, overdrawn = self.budgets.admit(key, whole, aside, self.budget(state.release))
        if overdrawn:
            message = f"the budget of {overdrawn.limit} {overdrawn.what} a day is used up"
            raise await self._turned(key, "budget_exceeded", message, overdrawn.retry_after)
        name = f"chatcmpl-{secrets.token_hex(12)}"
        if signs := self.suspicious.notice(prompt):
            self.metrics.alarms.labels("suspicious-prompt").inc()
            self.spawn_line("alarm", what="suspicious-prompt", signs=signs, key=key, request=name)
        self.metrics.open.inc()
        return Admitted(name, key, state, day, aside, request, retry or whole)

    async def _turned(self, key: str, code: str, message: str, retry_after: int | None) -> Refusal:
        self.metrics.turned_away.labels(code).inc()
        await self.written("turned-away", key=key, why=code)
        return Refusal(code, message, retry_after)

    async def written(self, kind: str, *, urgent: bool = True, **body: Any) -> None:
        """A line of the record, on disk on return; without it nothing goes on."""
        try:
            await asyncio.wrap_future(self.traffic.submit(kind, urgent=urgent, gateway=self.running.name, **body))
        except (HallmarkError, OSError) as error:
            raise Refusal("record_failed", "what is not recorded is not answered", 5) from error

    def spawn_line(self, kind: str, **body: Any) -> None:
        self._spawn(self._quietly(self.written(kind, **body)))

    def alarm(self, kind: str, message: str, **facts: Any) -> None:
        """Count, record and send an alert, without waiting for it."""
        self.metrics.alarms.labels(kind).inc()
        self.spawn_line("alarm", what=kind, **facts)
        self._spawn(self._quietly(asyncio.to_thread(self.alerts.send, kind, message, **facts)))

    def breached(self, release: str, what: str) -> None:
        """Follow the policy after a breach: unplug the release at once, if it says so."""
        if self.settings.unplug_on_breach and release not in ("", "base"):
            self._spawn(self._quietly(asyncio.to_thread(self.roll_back, f"the gateway found in an answer: {what}")))

    async def pieces(self, admitted: Admitted) -> AsyncGenerator[Piece, None]:
        """The engine's pieces while the release that was asked is plugged in; ``Unplugged`` once it is not."""
        turn = admitted.state.turn
        over = asyncio.create_task(self.plugged.changed(turn))
        stream = self.engine.answer(admitted.request)
        try:
            while True:
                following = asyncio.ensure_future(anext(stream))
                await asyncio.wait({following, over}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    following.cancel()
                    with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration, HallmarkError):
                        await following
                await self.plugged.check(turn)
                try:
                    piece = following.result()
                except (StopAsyncIteration, asyncio.CancelledError):
                    return
                yield piece
        finally:
            over.cancel()
            with contextlib.suppress(RuntimeError):  # it is being cancelled already
                await stream.aclose()

    def ended(
        self, admitted: Admitted, recorded: asyncio.Future[None], end: str, tokens: int, prompt: int, **more: Any
    ) -> None:
        """Close a request in budget, metrics and, behind its ``recorded`` beginning, in the record."""
        seconds = time.monotonic() - admitted.started
        self.metrics.open.dec()
        self.metrics.requests.labels(end).inc()
        self.metrics.tokens.inc(tokens)
        self.metrics.seconds.observe(seconds)
        with contextlib.suppress(HallmarkError):
            self.budgets.settle(admitted.key, admitted.day, admitted.aside, min(admitted.aside, tokens + prompt))
        body = {"tokens": tokens, "prompt_tokens": prompt, "seconds": round(seconds, 4), **more}

        async def close() -> None:
            await recorded
            await self.written(
                end, urgent=False, request=admitted.name, key=admitted.key, release=admitted.state.release, **body
            )

        self._spawn(self._quietly(close()))

    def tell_held(self, held: Held) -> None:
        """Send an alert of a held call, once, however often it is asked for."""
        if held.held not in self._told:
            self._told.add(held.held)
            message = f"{held.tool or 'a text'} waits for a person: {held.held}"
            self.alarm("held", message, held=held.held, key=held.requester, until=held.expires_at)

    async def _follow(self) -> None:
        """Follow up what people decided: the record, corrections into the store of drops, alerts not yet delivered."""
        pause, due = FOLLOW, 0.0
        while True:
            with contextlib.suppress(Exception):
                await asyncio.to_thread(self._follow_up)
            if (now := time.monotonic()) >= due:
                with contextlib.suppress(Exception):
                    left = await asyncio.to_thread(self.alerts.deliver)
                    pause = min(2 * pause, MOST_PAUSE) if left else FOLLOW
                due = now + pause
            await asyncio.sleep(FOLLOW)

    def _follow_up(self) -> None:
        for held in self.held.settled():
            who = [word.reviewer for word in held.decisions]
            if held.edited:
                self.feedback.give_back(held)
            self.traffic.note("decided", held=held.held, status=held.status, edited=held.edited, reviewers=who)
            self.held.followed(held.held)
        for status, count in self.held.counts().items():
            self.metrics.held.labels(status).set(count)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _quietly(self, work: Any) -> None:
        with contextlib.suppress(HallmarkError, OSError, Refusal):
            await work
