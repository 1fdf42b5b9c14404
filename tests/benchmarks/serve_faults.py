"""The gateway under load and faults: nothing held is lost or done twice, nothing unproven is said, counts are conserved.

``load`` lets clients ask ``hallmark serve`` for a minute (texts, free calls and held calls), while reviewers decide and a
service carries out what has a grant, each twice; meanwhile the gateway is killed (SIGKILL) and started again, the
upstream goes away and comes back, the folder of releases vanishes for a while, and at the end the release is rolled back.
``disk`` lets the gateway's files grow no further, as on a full disk. ``fuzz`` sends broken requests.

    python -m tests.benchmarks.serve_faults load [--clients 200 --seconds 60]
    python -m tests.benchmarks.serve_faults disk
    python -m tests.benchmarks.serve_faults fuzz [--requests 10000]
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from assets.corpus.canaries import WORDS
from assets.release.release import rollback
from assets.served.approval.grants import Spent, prove_grant
from assets.served.approval.held import HeldStore
from assets.served.limits.keys import AccessKeys
from assets.served.plugged import BASE
from assets.served.traffic import ENDS, TRAFFIC, Traffic
from pipelines.gateway.build import KEYS
from resources.errors import HallmarkError
from resources.signer import KeyRing, SigningKey
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure
from tests.lineage import Lineage, policy
from tests.pipelines.gateway.servers import VllmLike, call, say, serving

ROOT = Path(__file__).resolve().parents[2]
ACTIONS = "tools: {get_order: free, refund: {minutes: 60, free_within: {order: {any: true}, amount: {max: 50}}}}\n"
TOOLS = [{"type": "function", "function": {"name": "refund", "parameters": {"type": "object"}}}]
GRACE = 2.0  # seconds after a rollback in which the old release may still be heard


@dataclass
class Site:
    """A workspace with a release, a key, a policy that lets the load through, and an upstream that may go away."""

    home: Lineage
    secret: str
    port: int
    told: dict[str, float] = field(default_factory=dict)  # held calls that a client heard of
    statuses: Counter[str] = field(default_factory=Counter)
    heard: list[tuple[float, str]] = field(default_factory=list)  # when, which release
    done: Counter[str] = field(default_factory=Counter)  # held calls carried out by the service

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @classmethod
    def make(cls, folder: Path) -> "Site":
        # The release's own policy says how many distinct prompts a key has.
        granted = {"extraction_audit": {"budgets": [10_000_000]}}
        judged = policy()
        home = Lineage(folder / "home", judged.model_copy(update={"settings": {**judged.settings, **granted}}))
        home.released()
        text = (ROOT / "expectations" / "policy.yaml").read_text().replace("budgets: [50]", "budgets: [10000000]")
        text = text.replace("requests_a_day: 2000", "requests_a_day: 10000000")
        text = text.replace("tokens_a_day: 500000", "tokens_a_day: 10000000000")
        text = text.replace("hold_back: 160", "mask: []\n    hold_back: 160")
        (folder / "policy.yaml").write_text(text)
        (folder / "actions.yaml").write_text(ACTIONS)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        return cls(home, AccessKeys(home.workspace.served / KEYS).create("load"), port)

    def start(self, upstream: str, limit: int = 0) -> "subprocess.Popen[bytes]":
        folder = self.home.workspace.root.parent
        command = [sys.executable, "-m", "pipelines.command", "serve", "--upstream", upstream, "--port", str(self.port)]
        options = ["--home", str(self.home.workspace.root), "--policy", str(folder / "policy.yaml")]

        process = subprocess.Popen(
            [*command, *options, "--actions", str(folder / "actions.yaml")], cwd=ROOT, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(f"{self.url}/healthz", timeout=5).status_code == 200:
                    if limit:
                        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))
                    return process
            time.sleep(0.2)
        raise SystemExit("the gateway did not start")

    async def client(self, number: int, http: httpx.AsyncClient, until: float) -> None:
        turn = 0
        while time.monotonic() < until:
            turn += 1
            kind = ("text", "free", "held")[(number + turn) % 3]
            content = f"{kind} {' '.join(random.sample(WORDS, 12))}"  # no two are near: this is no sweep
            body = {"model": "hallmark", "messages": [{"role": "user", "content": content}], "tools": TOOLS}
            try:
                answer = await http.post(
                    f"{self.url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {self.secret}"}
                )
            except httpx.HTTPError:
                self.statuses["no connection"] += 1
                await asyncio.sleep(0.2)
                continue
            self.statuses[str(answer.status_code)] += 1
            if answer.status_code != 200:
                await asyncio.sleep(0.2)
                continue
            found = answer.json()
            self.heard.append((time.monotonic(), found["model"]))
            for note in found.get("hallmark", {}).get("held", ()):
                self.told[note["id"]] = time.monotonic()


def _reply(body: dict[str, Any]) -> dict[str, Any]:
    kind, _, words = str(body["messages"][-1].get("content")).partition(" ")
    if kind in ("free", "held"):
        return call(("refund", {"order": words, "amount": 20 if kind == "free" else 80}))
    return say("It is on its way.")


def _load(arguments: Any, folder: Path) -> list[Figure]:
    site = Site.make(folder)
    stop, at = threading.Event(), {}
    people = [
        threading.Thread(target=_decide, args=(site, stop)),
        threading.Thread(target=_carry_out, args=(site, stop)),
    ]
    with _upstream() as upstream:
        process = site.start(upstream.url)
        for person in people:
            person.start()
        clients = threading.Thread(target=lambda: asyncio.run(_clients(site, arguments)))
        clients.start()
        share = arguments.seconds / 6
        time.sleep(share)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process = site.start(upstream.url)
        time.sleep(share)
        upstream.stop()
        time.sleep(share / 2)
        upstream.start()
        time.sleep(share)
        gone = site.home.workspace.releases.rename(site.home.workspace.root / "elsewhere")
        at["gone"] = time.monotonic()
        time.sleep(share / 2)
        gone.rename(site.home.workspace.releases)
        at["back"] = time.monotonic()
        time.sleep(share)
        rollback(site.home.workspace, "the load test ends")
        at["rolled back"] = time.monotonic()
        clients.join()
        time.sleep(3)
        stop.set()
        for person in people:
            person.join()
        process.terminate()
        process.wait(60)
    return _report(site, at)


def _decide(site: Site, stop: threading.Event) -> None:
    """A reviewer who approves two of three, edits some, rejects the rest."""
    store, keys = HeldStore.open(site.home.workspace), site.home.workspace.keys
    key = SigningKey.reviewer(keys, "ada")
    while not stop.is_set():
        for number, held in enumerate(store.page("waiting", limit=50)):
            edited = {**held.proposal, "amount": 60} if number % 3 == 1 else None
            outcome: Any = "reject" if number % 3 == 2 else "approve"
            with contextlib.suppress(HallmarkError):
                body = store.draft(held, outcome, "ada", "load", edited=edited)
                store.decide(held.held, key.sign(body), keys, {}, edited=edited)
        stop.wait(0.1)


def _carry_out(site: Site, stop: threading.Event) -> None:
    """The service: it proves and uses up each grant before it acts, and is brought every grant twice."""
    store, spent = HeldStore.open(site.home.workspace), Spent(site.home.workspace.root / "spent")
    ring, ended = KeyRing.open(site.home.workspace.keys), False
    while not ended:
        ended, after = stop.is_set(), ""  # once more when all is decided: an approved call is carried out
        while calls := store.page("approved", after=after, limit=200):
            after = calls[-1].held
            for held in [*calls, *calls]:
                with contextlib.suppress(HallmarkError):
                    spent.take(prove_grant(held.token, ring, tool="refund", arguments=held.final, requester="load"))
                    site.done[held.held] += 1
        stop.wait(0.5)


async def _clients(site: Site, arguments: Any) -> None:
    until = time.monotonic() + arguments.seconds
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=30, limits=limits) as http:
        await asyncio.gather(*(site.client(number, http, until) for number in range(arguments.clients)))


def _report(site: Site, at: dict[str, float]) -> list[Figure]:
    store = HeldStore.open(site.home.workspace)
    record = Traffic(site.home.workspace.served / TRAFFIC)
    interrupted = sum(record.close_interrupted(name) for name in record.open_by_gateway())
    found, held = record.tally(), store.counts()
    asked, ends = found.counts["asked"], sum(found.counts[end] for end in ENDS)
    lost = [name for name in site.told if store.get(name).held != name]
    late = [model for when, model in site.heard if when > at["rolled back"] + GRACE and model != BASE]
    blind = [model for when, model in site.heard if at["gone"] + GRACE < when < at["back"]]
    print(f"answers by status: {dict(site.statuses)}; in the store: {held}; closed now: {interrupted}")
    print(f"record: {dict(found.counts)}; unaccounted {found.unaccounted}, open {len(found.open)}")
    once = sum(count == 1 for count in site.done.values())
    shown = [
        Figure("answers with 200", site.statuses["200"], unit="requests"),
        Figure("answers with an error that says so", _refused(site), unit="requests"),
        Figure("no connection while it was down", site.statuses["no connection"], unit="requests"),
        Figure("requests in the record", asked, unit="requests"),
        Figure("of them with an end in the record", ends, unit="requests"),
        Figure("held calls a client heard of", len(site.told), unit="calls"),
        Figure("of them lost", len(lost), unit="calls"),
        Figure("held calls approved", held["approved"], unit="calls"),
        Figure("of them carried out once, though brought twice", once, unit="calls"),
        Figure("of them carried out more than once", len(site.done) - once, unit="calls"),
        Figure(f"answers by the old release more than {GRACE:.0f} s after a rollback", len(late), unit="answers"),
        Figure("answers by a release that could not be proven", len(blind), unit="answers"),
    ]
    sound = not lost and found.unaccounted == 0 and asked == ends and not late and not blind
    return _proven(shown, sound and once == len(site.done) == held["approved"])


def _refused(site: Site) -> int:
    return sum(count for status, count in site.statuses.items() if status not in ("200", "no connection"))


def _proven(shown: list[Figure], sound: bool) -> list[Figure]:
    """The figures, printed; no figure is published where something was lost, done twice or not refused."""
    for each in shown:
        print(f"{each.what}: {each.value:.0f}")
    if not sound:
        sys.exit(1)
    return shown


class _Restartable:
    """An upstream that can go away and come back on the same port."""

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()
        self.url, self._port = "", 0
        self.start()

    def start(self) -> None:
        self.url = self._stack.enter_context(serving(VllmLike(reply=_reply, delay=0.1).app(), self._port))
        self._port = int(self.url.rpartition(":")[2])

    def stop(self) -> None:
        self._stack.close()


@contextlib.contextmanager
def _upstream() -> Iterator[_Restartable]:
    server = _Restartable()
    try:
        yield server
    finally:
        server.stop()


def _disk(arguments: Any, folder: Path) -> list[Figure]:
    site = Site.make(folder)
    with _upstream() as upstream:
        process = site.start(upstream.url, limit=400_000)  # bytes that a file may have, as on a full disk
        asyncio.run(_clients(site, argparse.Namespace(seconds=arguments.seconds / 3, clients=20)))
        process.terminate()
        process.wait(60)
    return _report(site, {"rolled back": float("inf"), "gone": float("inf"), "back": 0.0})


def _fuzz(arguments: Any, folder: Path) -> list[Figure]:
    site = Site.make(folder)
    with _upstream() as upstream:
        process = site.start(upstream.url)
        asyncio.run(_broken(site, arguments.requests))
        alive = process.poll() is None
        process.terminate()
        process.wait(60)
    print(f"{arguments.requests} requests: {dict(site.statuses)}; the gateway lives: {alive}")
    reached = sum(count for status, count in site.statuses.items() if status.isdigit())
    shown = [
        Figure("broken requests sent", arguments.requests, unit="requests"),
        Figure("of them ones that an HTTP client can send", reached, unit="requests"),
        Figure("answers with 500", site.statuses["500"], unit="requests"),
    ]
    return _proven(shown, alive and not site.statuses["500"])


async def _broken(site: Site, count: int) -> None:
    draw = random.Random(7)
    queue = list(range(count))

    async def client(http: httpx.AsyncClient) -> None:
        while queue:
            queue.pop()
            method, path, body, headers = _mutated(draw, site.secret)
            try:
                answer = await http.request(method, f"{site.url}{path}", content=body, headers=headers)
                site.statuses[str(answer.status_code)] += 1
            except (httpx.HTTPError, ValueError) as error:
                site.statuses[type(error).__name__] += 1

    async with httpx.AsyncClient(timeout=60) as http:
        await asyncio.gather(*(client(http) for _ in range(20)))


ODD: list[Any] = [
    None, True, -1, 0, 1e308, 2**70, "", "x" * 5000, "\u0000", "\ud83d\ude00", [], {}, [[]], {"a": {"b": []}}, "NaN",
]  # fmt: skip


def _mutated(draw: random.Random, secret: str) -> tuple[str, str, bytes, dict[str, str]]:
    """A request of which something is wrong, or nothing."""
    body: dict[str, Any] = {
        "model": "hallmark", "messages": [{"role": "user", "content": f"text {' '.join(draw.sample(WORDS, 12))}"}],
        "tools": TOOLS, "temperature": 0.5, "max_tokens": 5, "stop": ["x"], "stream": draw.random() < 0.3,
    }  # fmt: skip
    for _ in range(draw.randrange(3)):
        place: Any = draw.choice([body, body["messages"][0] if isinstance(body.get("messages"), list) and body["messages"]
                                  and isinstance(body["messages"][0], dict) else body])  # fmt: skip
        name = draw.choice([*place, "held", "n", "response_format", "tool_choice", "stream_options", "seed", "zzz"])
        place[name] = draw.choice(ODD)
    data = json.dumps(body).encode()
    change = draw.random()
    if change < 0.15:
        cut = draw.randrange(len(data))
        data = data[:cut] + bytes(draw.randrange(256) for _ in range(3)) + data[cut + draw.randrange(4) :]
    elif change < 0.2:
        data = data.replace(b"0.5", draw.choice([b"NaN", b"1e999", b"[" * 200]))
    elif change < 0.25:
        data = draw.randbytes(draw.randrange(200))
    path = draw.choice(
        ["/v1/chat/completions"] * 12 + ["/v1/held/%00", "/v1/held/held_x", "/v1/models", "/nothing", "/v1/"]
    )
    method = "POST" if path.endswith("completions") and draw.random() < 0.97 else draw.choice(["GET", "PUT", "DELETE"])
    keys = [f"Bearer {secret}"] * 8 + ["Bearer ", "Basic x", f"bearer  {secret}"]
    headers = {"authorization": draw.choice(keys), "idempotency-key": draw.choice(["", "k" * 400])}
    return method, path, data, headers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("load", "disk", "fuzz"))
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--requests", type=int, default=10_000)
    figures.option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = {"load": _load, "disk": _disk, "fuzz": _fuzz}[arguments.part](arguments, Path(folder))
    figures.write(arguments.json, found)


if __name__ == "__main__":
    main()
