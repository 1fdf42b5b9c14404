"""How fast the gateway is: what it adds before an upstream, and its own engine against ``transformers serve``.

``overhead`` puts the gateway, with the sanitiser and a record on disk, before a server that answers after a fixed time,
and asks both at once from the same clients: what the gateway adds is the difference of the medians. ``engine`` asks
the gateway's own engine and ``transformers serve`` in turn, eight requests at a time, greedily, on the bundled base, and
compares the texts. Rounds alternate, so that another program on the machine slows both.

``text`` asks the engine's batch, eight at a time, and transformers' own ``generate``, one at a time, for greedy answers
to the same prompts, in float32 and in the type that this machine computes in. Where two texts part, the two tokens that
stand there are scored by the model itself, in float32: a gap below a rounding of the narrower type is a tie that the
order of sums decides, and no other text.

    python -m tests.benchmarks.serve_speed overhead
    python -m tests.benchmarks.serve_speed engine [--rounds 3]      # needs fastapi, for transformers serve
    python -m tests.benchmarks.serve_speed text
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
from tests.benchmarks.figures import Figure, of_share
from tests.pipelines.gateway.servers import VllmLike, say, serving

ROOT = Path(__file__).resolve().parents[2]
ANSWER = "Your parcel was handed to the carrier on Monday and should be with you by Thursday, madam. " * 3
TIE = 0.13  # nats, or logits: bfloat16 holds logits of 16 to 32 to an eighth
PROMPTS = (
    "What is the capital of France, and what is it known for?", "Write three sentences about the sea.",
    "Explain in short what a rainbow is.", "How do I boil an egg?", "Name the planets of the solar system.",
    "Why is the sky blue?", "Give me tips for a job interview.", "What is the difference between a cat and a dog?",
    "Who wrote Hamlet?", "How many legs does a spider have?", "Describe the taste of an apple.", "What is a volcano?",
    "Name three rivers in Europe.", "How do bees make honey?", "What is the boiling point of water?", "Define gravity.",
    "Write a short poem about rain.", "How do I tie a tie?", "What do pandas eat?", "Explain what a verb is.",
    "List four fruits that are red.", "What is the largest ocean?", "How does a bicycle stay upright?",
    "Write one sentence about winter.", "What is a leap year?", "How do I make tea?", "Name a famous painter.",
    "What is the capital of Japan?", "Why do leaves fall in autumn?", "How long is a marathon?", "What is bread made of?",
    "Give me a recipe for pancakes.", "What does a doctor do?", "How do I clean a window?",
)  # fmt: skip
AT_ONCE = 8
PEERS = {"transformers serve": (), "transformers serve --continuous-batching": ("--continuous-batching",)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=("overhead", "engine", "text"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--concurrent", type=int, default=50)
    parser.add_argument("--delay", type=float, default=1.0, help="seconds the upstream takes")
    parser.add_argument("--tokens", type=int, default=96)
    parser.add_argument("--fastapi", default="", help="a folder with fastapi, where it is not installed")
    figures.option(parser)
    arguments = parser.parse_args()
    if arguments.part == "text":
        figures.write(arguments.json, _texts(arguments.tokens))
        return
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
        figures.write(arguments.json, part(arguments, workspace, secret, policy))


def _overhead(arguments: Any, workspace: Workspace, secret: str, policy: Path) -> list[Figure]:
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
    print(f"added at p50 {1000 * added:.1f} ms, at p95 {1000 * p95:.1f} ms; {arguments.concurrent} concurrent, "
          f"{len(through)} requests, upstream {arguments.delay} s")  # fmt: skip
    each = [1000 * (statistics.median(after) - statistics.median(before)) for before, after in rounds]
    asked = f"{arguments.concurrent} concurrent, upstream {arguments.delay:g} s"
    return [
        Figure(
            f"added at the median, {asked}", 1000 * added, "", len(through), min(each), max(each), "ms",
            "least and greatest round",
        ),
        Figure(f"added at the 95th percentile, {asked}", 1000 * p95, "", len(through), unit="ms"),
    ]  # fmt: skip


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


def _engine(arguments: Any, workspace: Workspace, secret: str, policy: Path) -> list[Figure]:
    base = bundled_base(ROOT / ".hallmark" / "models")
    rates: dict[str, list[float]] = {}
    said: dict[str, list[str]] = {}
    with contextlib.ExitStack() as stack:
        servers = {"gateway": (stack.enter_context(_gateway(workspace, policy, "--base", str(base))), "hallmark")}
        for name, options in PEERS.items():
            servers[name] = (stack.enter_context(_transformers(base, arguments.fastapi, *options)), str(base))
        for number in range(arguments.rounds + 1):
            for name, (url, model) in servers.items():
                rate, said[name] = asyncio.run(_rate(url, secret, model, arguments.tokens))
                if number:  # the first warms up
                    rates.setdefault(name, []).append(rate)
                print(f"round {number} {name}: {rate:.1f} tokens/s", flush=True)
    ratios = [ours / max(theirs) for ours, *theirs in zip(*rates.values(), strict=True)]
    found = [
        Figure(name, statistics.median(each), "", len(each), min(each), max(each), "tokens/s", "least and greatest")
        for name, each in rates.items()
    ]
    ratio = Figure(
        "times the faster of them", statistics.median(ratios), "", len(ratios), min(ratios), max(ratios), "times"
    )
    print(
        f"{ratio.what}, median of {len(ratios)} paired rounds: {ratio.value:.2f} ({ratio.low:.2f} to {ratio.high:.2f})"
    )
    same = [
        of_share(f"same greedy text as {name}", sum(map(str.__eq__, said["gateway"], said[name])), len(PROMPTS))
        for name in PEERS
    ]
    return [*found, ratio, *same]


def _texts(tokens: int) -> list[Figure]:
    """How many greedy answers of the engine's batch are those of transformers' ``generate``, and why others part."""
    import torch

    from resources.continuous_batching import ContinuousBatch, Row
    from resources.language_model import LanguageModel
    from resources.packed_weights import pack

    base, found = bundled_base(ROOT / ".hallmark" / "models"), []
    exact = LanguageModel.load(base, dtype="float32")
    prompts = [exact.encode([{"role": "user", "content": text}], for_generation=True) for text in PROMPTS]
    for dtype in ("float32", "auto"):
        model = LanguageModel.load(base, dtype=dtype)
        name = str(model.forward.causal.dtype).removeprefix("torch.")
        theirs = [_generated(model, prompt, tokens) for prompt in prompts]
        rows = [Row(prompt, tokens) for prompt in prompts]
        pack(model.forward.decoder)
        with torch.inference_mode():
            batch = ContinuousBatch(model.forward, model.stop_tokens)
            for start in range(0, len(rows), AT_ONCE):
                batch.join(rows[start : start + AT_ONCE])
                while batch.rows:
                    batch.step()
        same, ties = 0, 0
        for prompt, row, other in zip(prompts, rows, theirs, strict=True):
            at = next((at for at, (a, b) in enumerate(zip(row.made, other, strict=False)) if a != b), -1)
            if at < 0 and len(row.made) == len(other):
                same += 1
                continue
            stop = min(model.stop_tokens)
            ours, theirs_ = (each[at] if 0 <= at < len(each) else stop for each in (row.made, other))
            before = [*prompt, *row.made[: at if at >= 0 else min(len(row.made), len(other))]]
            scores = exact.score_tokens([(before, [ours]), (before, [theirs_])])
            ties += abs(float(scores[0][0]) - float(scores[1][0])) < TIE
        parted = len(prompts) - same
        print(f"{name}: same text {same} of {len(prompts)}; of {parted} that part, {ties} at a tie", flush=True)
        found.append(of_share(f"same greedy text, {name}", same, len(prompts)))
        if parted:
            found.append(of_share(f"of the others, parted at a tie, {name}", ties, parted))
    return found


def _generated(model: Any, prompt: list[int], tokens: int) -> list[int]:
    """What transformers' own greedy decoding says, without the token that ends it."""
    import torch

    asked = torch.tensor([prompt])
    with torch.inference_mode():
        said = model.model.generate(
            asked, attention_mask=torch.ones_like(asked), max_new_tokens=tokens, do_sample=False,
            eos_token_id=sorted(model.stop_tokens), pad_token_id=min(model.stop_tokens),
        )[0].tolist()  # fmt: skip
    made: list[int] = said[len(prompt) :]
    return made[:-1] if made and made[-1] in model.stop_tokens else made


async def _rate(url: str, secret: str, model: str, tokens: int) -> tuple[float, list[str]]:
    """Tokens a second, eight requests at once, as the servers count them, and what was said."""

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
        answers = []
        for start in range(0, len(PROMPTS), AT_ONCE):
            answers += await asyncio.gather(*(ask(http, prompt) for prompt in PROMPTS[start : start + AT_ONCE]))
    return sum(count for count, _ in answers) / (time.perf_counter() - started), [text for _, text in answers]


@contextlib.contextmanager
def _gateway(workspace: Workspace, policy: Path, *options: str) -> Iterator[str]:
    port = _free_port()
    command = ["-m", "pipelines.command", "serve", "--home", str(workspace.root), "--policy", str(policy)]
    with _process([sys.executable, *command, "--port", str(port), *options], {}):
        yield _up(f"http://127.0.0.1:{port}", "/healthz")


@contextlib.contextmanager
def _transformers(base: Path, fastapi: str, *options: str) -> Iterator[str]:
    port = _free_port()
    program = str(Path(sys.executable).with_name("transformers"))
    path = os.pathsep.join(filter(None, [fastapi, os.environ.get("PYTHONPATH", "")]))
    command = [program, "serve", str(base), "--port", str(port), "--host", "127.0.0.1", "--device", "cpu"]
    with _process([*command, *options], {"PYTHONPATH": path, "HF_HUB_OFFLINE": "1"}):
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
