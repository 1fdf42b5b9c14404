"""The embedded engine: the project's own decoding, in this process, requests batched together as they come.

One thread owns the model and turns the batch token by token (``resources.continuous_batching``); requests wait and join
at the next turn. Tools are put to the model as its chat template does it, or, where the template knows none, in a
system message in the form that Hermes models learnt; calls are read from ``<tool_call>{...}</tool_call>``.
"""

import asyncio
import json
import queue
import re
import secrets
import threading
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.served.chat import EngineRequest, Piece, ToolCall
from resources.continuous_batching import ContinuousBatch, Row
from resources.errors import HallmarkError, InputError, ModelError

if TYPE_CHECKING:
    from resources.language_model import LanguageModel

MOST_ROWS = 32  # of one batch
CALL = re.compile(r"<tool_call>\s*(\{.*?\})\s*</tool_call>", re.DOTALL)
OPENING = "<tool_call>"
UNLOADED = "the model was unloaded while it answered"


@dataclass(slots=True)
class _Wish:
    """A request in the engine's thread. ``told`` hears of each turn: the pieces so far, or an error."""

    row: Row
    stop: tuple[str, ...]
    tell: Callable[[Piece | Exception], None]
    tools: bool
    whole: bool  # told at its end only
    told: int = 0  # characters
    decoded: int = 0  # tokens whose text is settled
    text: str = ""
    gone: bool = field(default=False)


class Embedded:
    """Answers with a base folder and the adapter it is plugged with."""

    def __init__(self, base: Path, *, device: str = "auto", dtype: str = "auto") -> None:
        self._base, self._device, self._dtype = base, device, dtype
        self._model: LanguageModel | None = None
        self._wishes: queue.Queue[_Wish | None] = queue.Queue()
        self._thread: threading.Thread | None = None

    async def plug(self, release: str, adapter: Path | None) -> None:
        """Load the base with an adapter; the thread begins to answer."""
        await self.unplug()
        self._model = await asyncio.to_thread(self._load, adapter)
        self._thread = threading.Thread(target=self._work, args=(self._model,), name="engine", daemon=True)
        self._thread.start()

    async def unplug(self) -> None:
        """Stop answering; what was being answered ends with an error."""
        self._model = None
        if self._thread:
            self._wishes.put(None)  # wakes it
            await asyncio.to_thread(self._thread.join)
            left, self._wishes, self._thread = self._wishes, queue.Queue(), None
            while not left.empty():
                if (wish := left.get_nowait()) is not None:
                    wish.tell(ModelError(UNLOADED))

    async def answer(self, request: EngineRequest) -> AsyncGenerator[Piece, None]:
        """The pieces of an answer as they come. ``ModelError`` where the model is gone."""
        model = self._model
        if model is None:
            raise ModelError("no model is loaded")
        loop, pieces = asyncio.get_running_loop(), asyncio.Queue[Piece | Exception]()
        prompt = await asyncio.to_thread(_prompt, model, request)
        seed = secrets.randbits(62) if request.seed is None else request.seed
        row = Row(prompt, request.max_tokens, request.temperature, request.top_p, seed)

        def tell(piece: Piece | Exception) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, piece)

        wish = _Wish(row, request.stop, tell, bool(request.tools), whole=not request.stream and not request.stop)
        self._wishes.put(wish)
        try:
            if self._model is not model:  # unloaded in between: the thread may have gone without a look at it
                raise ModelError(UNLOADED)
            while True:
                piece = await pieces.get()
                if isinstance(piece, Exception):
                    raise piece
                yield piece
                if piece.finish:
                    return
        finally:
            wish.gone = True

    async def close(self) -> None:
        await self.unplug()

    def _load(self, adapter: Path | None) -> "LanguageModel":
        from resources.language_model import LanguageModel
        from resources.packed_weights import pack

        model = LanguageModel.load(self._base, adapter, device=self._device, dtype=self._dtype)
        pack(model.forward.decoder)
        return model

    def _work(self, model: "LanguageModel") -> None:
        """The engine's thread. What fails is told to those it failed, and the next are answered anew."""
        wishes: list[_Wish] = []
        going = True
        while going:
            fault: Exception = ModelError(UNLOADED)
            try:
                going = self._turn(model, wishes)
            except Exception as error:  # whatever it is, nobody may wait for this thread for ever
                fault = error if isinstance(error, HallmarkError) else ModelError(f"the engine failed: {error}")
            for wish in wishes:
                wish.tell(fault)
            wishes.clear()

    def _turn(self, model: "LanguageModel", wishes: list[_Wish]) -> bool:
        """Answer until the engine is to end (False) or something fails; ``wishes`` are those being answered."""
        import torch

        with torch.inference_mode():
            batch = ContinuousBatch(model.forward, model.stop_tokens)
            while (new := self._waiting(model, MOST_ROWS - len(wishes), block=not wishes)) is not None:
                wishes += new
                if new:
                    batch.join([wish.row for wish in new])
                else:
                    batch.step()
                wishes[:] = [wish for wish in wishes if not _told(model, wish)]
                batch.drop([wish.row for wish in wishes if wish.gone])
                wishes[:] = [wish for wish in wishes if not wish.gone]
        return False

    def _waiting(self, model: "LanguageModel", room: int, *, block: bool) -> list[_Wish] | None:
        """The requests that may join now; None where the engine is to end."""
        if self._model is not model:
            return None
        new: list[_Wish] = []
        while len(new) < room:
            try:
                wish = self._wishes.get(block=block and not new)
            except queue.Empty:
                break
            if wish is None:
                for each in new:
                    each.tell(ModelError(UNLOADED))
                return None
            new.append(wish)
        return new


def _prompt(model: "LanguageModel", request: EngineRequest) -> list[int]:
    """Token ids of a chat, said as in training: what an adapter learnt to answer. ``InputError`` where the template
    refuses it or the model's context is too short."""
    messages = [_plain(message) for message in request.messages]
    ids = model.encode(messages, for_generation=True, tools=[dict(tool) for tool in request.tools])
    context = getattr(model.forward.causal.config.get_text_config(), "max_position_embeddings", None)
    if context and len(ids) + request.max_tokens > context:
        raise InputError(
            f"{len(ids)} tokens of prompt and {request.max_tokens} of answer; the model has {context}",
            object_key="request", rule="context-length",
        )  # fmt: skip
    return ids


def _plain(message: Mapping[str, Any]) -> dict[str, Any]:
    """A message as chat templates know it: text as one string, a developer as the system."""
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(part["text"] for part in content)
    role = "system" if message["role"] == "developer" else message["role"]
    plain: dict[str, Any] = {**message, "role": role, "content": content or ""}
    return plain


def _told(model: "LanguageModel", wish: _Wish) -> bool:
    """Tell what is new of an answer; whether it has ended."""
    row = wish.row
    if wish.whole and not row.ended:
        return False
    tail = str(model.tokenizer.decode(row.made[wish.decoded :], skip_special_tokens=True))
    settled = not tail.endswith("�")  # an unfinished character waits for its other bytes
    text = wish.text + tail
    finish, cut = {"": "", "dropped": "stop"}.get(row.ended, row.ended), len(text)
    if (found := min((at for stop in wish.stop if (at := text.find(stop)) >= 0), default=-1)) >= 0:
        text, finish, cut = text[:found], "stop", found
        row.ended = row.ended or "dropped"
    calls: tuple[ToolCall, ...] = ()
    if not finish:
        if not settled:
            return False
        wish.text, wish.decoded = _settled(model, wish, text)
        cut = _safe_end(text, wish)
    elif wish.tools:
        text, calls = _calls(text)
        cut = len(text)
        finish = "tool_calls" if calls else finish
    piece = text[wish.told : cut]
    if piece or finish:
        wish.told = max(wish.told, cut)
        wish.tell(Piece(piece, calls, finish, len(row.prompt), len(row.made)))
    return bool(finish)


def _settled(model: "LanguageModel", wish: _Wish, text: str) -> tuple[str, int]:
    """The text up to a token before which nothing changes any more, so that decoding stays short."""
    made = wish.row.made
    if len(made) - wish.decoded < 64:
        return wish.text, wish.decoded
    at = len(made) - 16
    head = str(model.tokenizer.decode(made[wish.decoded : at], skip_special_tokens=True))
    tail = str(model.tokenizer.decode(made[at:], skip_special_tokens=True))
    return (wish.text + head, at) if wish.text + head + tail == text else (wish.text, wish.decoded)


def _safe_end(text: str, wish: _Wish) -> int:
    """How much may be told: not what may become a stop text or a call."""
    watched = (*wish.stop, *((OPENING,) if wish.tools else ()))
    if wish.tools and (opened := text.find(OPENING)) >= 0:
        return opened
    most = max((len(stop) for stop in watched), default=1) - 1
    for length in range(min(most, len(text)), 0, -1):
        if any(stop.startswith(text[-length:]) for stop in watched):
            return len(text) - length
    return len(text)


def _calls(text: str) -> tuple[str, tuple[ToolCall, ...]]:
    """The text without its calls, and the calls; what only looks like one stays text."""
    calls = []
    for match in CALL.finditer(text):
        try:
            body = json.loads(match[1])
            name, arguments = str(body["name"]), body.get("arguments", {})
        except (ValueError, KeyError, TypeError, AttributeError):
            return text, ()
        said = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        calls.append(ToolCall(f"call_{secrets.token_hex(8)}", name, said))
    return (CALL.sub("", text).rstrip(), tuple(calls)) if calls else (text, ())
