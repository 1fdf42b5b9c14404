"""Answering one admitted request: what the model says goes through the tripwires, what it wants done through the rules.

``answer`` yields the text that may go out, bit by bit, and last one ``Reply``. Every way in which it can end has a name
in the record (``assets.served.traffic.ENDS``).
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from assets.served.approval.actions import Hold
from assets.served.approval.held import Held, Proposed
from assets.served.approval.topics import PASSAGE, OnTopic
from assets.served.chat import Piece, ToolCall
from assets.served.output_filter.outgoing import Breach, Outgoing
from assets.served.plugged import Unplugged
from pipelines.gateway.gateway import Admitted, Gateway, Refusal
from pipelines.gateway.wire import Reply, held_reply
from resources.digests import digest_json
from resources.errors import HallmarkError, InputError, StoreError

FORBIDDEN = "The action {tool} is not allowed here. Nothing was done."
WITHHELD = "This answer is withheld: it held something that must not go out."


@dataclass(slots=True)
class _Answer:
    """What has come of an answer so far."""

    out: Outgoing
    whole: str = ""
    calls: tuple[ToolCall, ...] = ()
    finish: str = "stop"
    tokens: int = 0
    prompt_tokens: int = 0
    logprobs: Any = None
    topic: OnTopic | None = None
    judged: int = 0  # characters of the whole that were read for their topic

    def take(self, piece: Piece) -> None:
        self.whole += piece.text
        self.calls += piece.calls
        self.finish = piece.finish or self.finish
        self.tokens, self.prompt_tokens = max(self.tokens, piece.tokens), max(self.prompt_tokens, piece.prompt_tokens)
        self.logprobs = piece.logprobs or self.logprobs


async def answer(gateway: Gateway, admitted: Admitted) -> AsyncGenerator[str | Reply, None]:
    """Text that goes out, then how it ended. ``Refusal`` where nothing more can come."""
    request = admitted.request
    made = _Answer(Outgoing(gateway.tripwires, request.full_text(), gateway.settings.hold_back))
    end = "failed"
    more: dict[str, Any] = {}
    asked_line = gateway.written("asked", request=admitted.name, key=admitted.key, release=admitted.state.release)
    recorded = asyncio.ensure_future(asked_line)  # on disk before anything goes out, not before the model is asked
    try:
        made.topic = await _on_topic(gateway, request.prompt())
        async with contextlib.aclosing(gateway.pieces(admitted)) as pieces:
            async for piece in pieces:
                made.take(piece)
                if request.stream and piece.text and (text := await _let_out(gateway, made, piece.text)):
                    await recorded
                    await gateway.plugged.check(admitted.state.turn)
                    yield text
        reply, end, more = await _finished(gateway, admitted, made)
        await recorded
        await gateway.plugged.check(admitted.state.turn)
        yield replace(reply, tokens=made.tokens, prompt_tokens=made.prompt_tokens)
    except Breach as breach:
        end, more = "withheld", {"found": [f"{item.kind} {item.name}" for item in breach.found][:8]}
        marks = sorted({item.fingerprint for item in breach.found if item.fingerprint})
        gateway.alarm(
            "breach", f"{admitted.state.release} said {breach}: withheld", release=admitted.state.release,
            key=admitted.key, request=admitted.name, fingerprints=marks,
        )  # fmt: skip
        gateway.breached(admitted.state.release, str(breach))
        await asyncio.wait([recorded])
        yield Reply("content_filter", text="" if made.out.text else WITHHELD, hallmark={"withheld": True})
    except Unplugged as reason:
        end = "unplugged"
        await asyncio.wait([recorded])  # a refusal is an answer: it goes out behind the record, too
        raise Refusal("release_changed", f"the release was unplugged while it answered: {reason}", 1) from reason
    except InputError as error:
        await asyncio.wait([recorded])
        raise Refusal("invalid_request", str(error)) from error
    except StoreError as error:
        raise Refusal("record_failed", str(error), 5) from error
    except HallmarkError as error:
        await asyncio.wait([recorded])
        raise Refusal("engine_failed", str(error), 2) from error
    finally:
        # A client that went away ends here, too: what it was told counts.
        gateway.ended(admitted, recorded, end, made.tokens, made.prompt_tokens, **more)


async def _let_out(gateway: Gateway, made: _Answer, text: str) -> str:
    """What of a streamed text may go out: nothing any more once it is on a topic for a person.

    Text leaves ``hold_back`` characters after it came, and is read for its topic twice as often as that.
    """
    if made.topic:
        return ""
    out: str = await _looked(gateway, made.out.feed, text)
    if len(made.whole) - made.judged >= gateway.settings.hold_back // 2:
        made.topic = await _on_topic(gateway, made.whole[max(0, made.judged - PASSAGE) :])
        made.judged = len(made.whole)
    return "" if made.topic else out


async def _looked(gateway: Gateway, look: Any, *arguments: Any) -> Any:
    """Run a look of the tripwires apart, one at a time: the detector is slow, and not made for two threads."""
    if not any(gateway.tripwires.armed.values()):
        return look(*arguments)
    return await asyncio.get_running_loop().run_in_executor(gateway.looking, look, *arguments)


async def _on_topic(gateway: Gateway, text: str) -> OnTopic | None:
    if gateway.topics is None or not text.strip():
        return None
    return await asyncio.get_running_loop().run_in_executor(gateway.reading, gateway.topics.judge, text)


async def _finished(gateway: Gateway, admitted: Admitted, made: _Answer) -> tuple[Reply, str, dict[str, Any]]:
    """The end of an answer: its calls by the rules, its text by the topics, the rest through the tripwires."""
    out = made.out
    if not admitted.request.stream:
        await _looked(gateway, out.feed, made.whole)
    for call in made.calls:
        await _looked(gateway, out.check, f"{call.tool} {call.arguments}")
    topic = made.topic or (await _on_topic(gateway, made.whole) if not made.calls else None)
    if topic and not made.calls:
        # The whole answer is looked at before anybody, even a reviewer, is shown it as one that may go out.
        await _looked(gateway, out.end)
        return await _hold_text(gateway, admitted, made, topic)
    rest = await _looked(gateway, out.end)
    gateway.metrics.masked.inc(out.masked)
    text = rest if admitted.request.stream else out.text
    reply = Reply(made.finish, made.calls, text, logprobs=made.logprobs if gateway.settings.logprobs else None)
    if not made.calls:
        return reply, "answered", {"masked": out.masked} if out.masked else {}
    return await _ruled(gateway, admitted, reply)


async def _hold_text(
    gateway: Gateway, admitted: Admitted, made: _Answer, topic: OnTopic
) -> tuple[Reply, str, dict[str, Any]]:
    rule = gateway.actions.topics[topic.topic]
    held = await _hold(gateway, admitted, "", made.whole, rule, f"on the topic {topic.topic} ({topic.score:.2f})", 0)
    return held_reply([held]), "held", {"held": [held.held], "topic": topic.topic}


async def _ruled(gateway: Gateway, admitted: Admitted, reply: Reply) -> tuple[Reply, str, dict[str, Any]]:
    """Free calls go out; forbidden ones are told; held ones wait, and are handed over once they were approved."""
    free: list[ToolCall] = []
    forbidden: list[str] = []
    held: list[Held] = []
    for place, call in enumerate(reply.calls):
        arguments = call.parsed()
        ruling = gateway.actions.rule(call.tool, arguments)
        if ruling.risk == "free":
            free.append(call)
        elif ruling.risk == "forbid":
            forbidden.append(call.tool)
        else:
            held.append(await _hold(gateway, admitted, call.tool, arguments, ruling.hold, ruling.why, place))
    waiting = held_reply(held) if held else Reply("stop")
    told = [reply.text, *(FORBIDDEN.format(tool=tool) for tool in forbidden), waiting.text]
    calls = (*free, *waiting.calls)
    hallmark = {**(waiting.hallmark or {}), **({"forbidden": forbidden} if forbidden else {})}
    after = replace(
        reply, finish="tool_calls" if calls else "stop", calls=calls, text="\n".join(filter(None, told)),
        hallmark=hallmark or None,
    )  # fmt: skip
    if held:
        return after, "held", {"held": [call.held for call in held], "free": len(free)}
    return after, ("forbidden" if forbidden else "answered"), {"calls": len(free)}


async def _hold(
    gateway: Gateway, admitted: Admitted, tool: str, proposal: Any, rule: Hold, why: str, place: int
) -> Held:
    proposed = Proposed(
        tool, proposal, _conversation(admitted), admitted.key, admitted.state.release,
        digest_json([admitted.retry, admitted.day, tool, place]), admitted.request.tools,
    )  # fmt: skip
    held = await asyncio.to_thread(gateway.held.hold, proposed, rule, why)
    if held.status == "waiting":
        gateway.tell_held(held)
    return held


def _conversation(admitted: Admitted) -> Sequence[dict[str, Any]]:
    return [dict(message) for message in admitted.request.messages]
