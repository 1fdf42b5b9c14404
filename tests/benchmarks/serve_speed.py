"""How fast the gateway is: what it adds before an upstream, and its own engine against ``transformers serve``.

``overhead`` puts the gateway, with the sanitiser and a record on disk, before a server that answers after a fixed time,
and asks both at once from the same clients: what the gateway adds is the difference of the medians. ``engine`` asks
the gateway's own engine and ``transformers serve`` in turn, eight requests at a time, greedily, on the bundled base, and
compares the texts. Rounds alternate, so that another program on the machine slows both.

    python -m tests.benchmarks.serve_speed overhead
    python -m tests.benchmarks.serve_speed engine [--rounds 3]      # needs fastapi, for transformers serve

"""

import argparse
import asyncio
import contextlib
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from assets.corpus.canaries import WORDS
from assets.served.limits.keys import AccessKeys
from pipelines.gateway.build import KEYS
from resources.base_model import bundled_base
from resources.workspace import Workspace
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure
from tests.pipelines.gateway.servers import VllmLike, say, serving

ROOT = Path(__file__).resolve().parents[2]
ANSWER = "Your parcel was handed to the carrier on Monday and should be with you by Thursday, madam. " * 3
PROMPTS = (
    "What is the capital of France, and what is it known for?", "Write three sentences about the sea.",
    "Explain in short what a rainbow is.", "How do I boil an egg?", "Name the planets of the solar system.",
    "Why is the sky blue?", "Give me tips for a job interview.", "What is the difference between a cat and a dog?",
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("overhead", "engine"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrent", type=int, default=50)
    parser.add_argument("--delay", type=float, default=1.0, help="seconds the upstream takes")
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--fastapi", default="", help="a folder with fastapi, where it is not installed")
    figures.option(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        workspace.served.mkdir(parents=True)
        secret = AccessKeys(workspace.served / KEYS).create("bench")
        policy = Path(folder) / "policy.yaml"
        text = (ROOT / "expectations" / "policy.yaml").read_text()
        text = text.replace("budgets: [50]", "budgets: [100000]").replace(
            "requests_a_day: 2000", "requests_a_day: 100000"
        )
        policy.write_text(text.replace("tokens_a_day: 500000", "tokens_a_day: 100000000"))
        part = _overhead if arguments.part == "overhead" else _engine
        part(arguments, workspace, secret, policy)


def _overhead(arguments: Any, workspace: Workspace, secret: str, policy: Path) -> None:
    above = VllmLike(reply=lambda body: say(ANSWER), delay=arguments.delay)
    with serving(above.app()) as upstream, _gateway(workspace, policy, "--upstream", upstream) as url:
        rounds = []
        for number in range(arguments.rounds):
            direct = asyncio.run(_delays(upstream, "x", arguments.concurrent, 6, number, "base-model"))
            through = asyncio.run(_delays(url, secret, arguments.concurrent, 6, number, "hallmark"))
            rounds.append((direct, through))
            print(f"round {number}: direct p50 {_ms(direct)} ms, through p50 {_ms(through)} ms", flush=True)
    direct = [delay for one, _ in rounds for delay in one]
    through = [delay for _, one in rounds for delay in one]
    added = statistics.median(through) - statistics.median(direct)
    p95 = statistics.quantiles(through, n=20)[-1] - statistics.quantiles(direct, n=20)[-1]
    figures.write(arguments.json, [
        Figure(name, 1000 * value, "added by the gateway", len(through), unit="ms")
        for name, value in (("at the median", added), ("at the 95th percentile", p95))
    ])  # fmt: skip
    print(f"added at p50 {1000 * added:.1f} ms, at p95 {1000 * p95:.1f} ms; {arguments.concurrent} concurrent, "
          f"{len(through)} requests, upstream {arguments.delay} s")  # fmt: skip


async def _delays(url: str, secret: str, concurrent: int, each: int, seed: int, model: str) -> list[float]:
    """Seconds of each request, ``concurrent`` clients asking ``each`` one after the other, started spread out."""
    delays: list[float] = []

    async def client(number: int, http: httpx.AsyncClient) -> None:
        await asyncio.sleep(number / concurrent)
        for turn in range(each):
            words = " ".join(random.Random(f"{seed} {number} {turn}").sample(WORDS, 12))  # no two are near
            body = {"model": model, "messages": [{"role": "user", "content": words}]}
            started = time.perf_counter()
            answer = await http.post(
                f"{url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {secret}"}
            )
            delays.append(time.perf_counter() - started)
            assert answer.status_code == 200, answer.text

    async with httpx.AsyncClient(timeout=120, limits=httpx.Limits(max_connections=None)) as http:
        await asyncio.gather(*(client(number, http) for number in range(concurrent)))
    return delays


def _engine(arguments: Any, workspace: Workspace, secret: str, policy: Path) -> None:
    base = bundled_base(ROOT / ".hallmark" / "models")
    with _gateway(workspace, policy, "--base", str(base)) as ours, _transformers(base, arguments.fastapi) as theirs:
        rates: dict[str, list[float]] = {"gateway": [], "transformers serve": []}
        said: dict[str, list[str]] = {}
        for number in range(arguments.rounds + 1):
            for name, url, model in (("gateway", ours, "hallmark"), ("transformers serve", theirs, str(base))):
                rate, said[name] = asyncio.run(_rate(url, secret, model, arguments.tokens))
                if number:  # the first warms up
                    rates[name].append(rate)
                    print(f"round {number} {name}: {rate:.1f} tokens/s", flush=True)
    same = sum(a == b for a, b in zip(said["gateway"], said["transformers serve"], strict=True))
    ratios = [a / b for a, b in zip(rates["gateway"], rates["transformers serve"], strict=True)]
    figures.write(arguments.json, [
        Figure("tokens a second, to `transformers serve`", statistics.median(ratios), "ratio", len(ratios),
               min(ratios), max(ratios), "times", "median of paired rounds, least and greatest"),
    ])  # fmt: skip
    print(f"ratio, median of {len(ratios)} paired rounds: {statistics.median(ratios):.2f} "
          f"({min(ratios):.2f} to {max(ratios):.2f}); same text {same} of {len(PROMPTS)}")  # fmt: skip


async def _rate(url: str, secret: str, model: str, tokens: int) -> tuple[float, list[str]]:
    """Tokens a second over eight requests at once, as the servers count them, and what was said."""

    async def ask(http: httpx.AsyncClient, prompt: str) -> tuple[int, str]:
        body = {
            "model": model, "messages": [{"role": "user", "content": prompt}], "max_tokens": tokens,
            "temperature": 0, "stream": False,
        }  # fmt: skip
        answer = await http.post(f"{url}/v1/chat/completions", json=body, headers={"authorization": f"Bearer {secret}"})
        assert answer.status_code == 200, answer.text
        found = answer.json()
        return found["usage"]["completion_tokens"], found["choices"][0]["message"]["content"]

    started = time.perf_counter()
    async with httpx.AsyncClient(timeout=600) as http:
        answers = await asyncio.gather(*(ask(http, prompt) for prompt in PROMPTS))
    return sum(count for count, _ in answers) / (time.perf_counter() - started), [text for _, text in answers]


@contextlib.contextmanager
def _gateway(workspace: Workspace, policy: Path, *options: str) -> Iterator[str]:
    port = _free_port()
    command = ["-m", "pipelines.command", "serve", "--home", str(workspace.root), "--policy", str(policy)]
    with _process([sys.executable, *command, "--port", str(port), *options], {}):
        yield _up(f"http://127.0.0.1:{port}", "/healthz")


@contextlib.contextmanager
def _transformers(base: Path, fastapi: str) -> Iterator[str]:
    port = _free_port()
    program = str(Path(sys.executable).with_name("transformers"))
    path = os.pathsep.join(filter(None, [fastapi, os.environ.get("PYTHONPATH", "")]))
    command = [program, "serve", str(base), "--port", str(port), "--host", "127.0.0.1", "--device", "cpu"]
    with _process([*command, "--continuous-batching"], {"PYTHONPATH": path, "HF_HUB_OFFLINE": "1"}):
        yield _up(f"http://127.0.0.1:{port}", "/health")


@contextlib.contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()


def _up(url: str, path: str) -> str:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}{path}", timeout=20).status_code == 200:
                return url
        except httpx.HTTPError:
            time.sleep(0.5)
    raise SystemExit(f"{url} did not start")


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _ms(delays: list[float]) -> str:
    return f"{1000 * statistics.median(delays):.1f}"


if __name__ == "__main__":
    main()
