"""The embedded engine: many at once say what each would alone; calls and stop texts; unplugged, it is silent."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tiny_model import write_tiny_base

from assets.served.chat import EngineRequest, Piece
from assets.served.engine import embedded
from assets.served.engine.embedded import Embedded
from resources.errors import InputError, ModelError
from resources.language_model import LanguageModel


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_base(tmp_path_factory.mktemp("base"))


async def said(engine: Embedded, text: str, **more: Any) -> tuple[str, Piece]:
    asked = EngineRequest([{"role": "user", "content": text}], **{"max_tokens": 24, "stream": True, **more})
    pieces = [piece async for piece in engine.answer(asked)]
    return "".join(piece.text for piece in pieces), pieces[-1]


def test_twelve_at_once_are_each_answered_as_alone(base: Path) -> None:
    texts = [f"the parcel {'at a depot ' * n}" for n in range(12)]
    model = LanguageModel.load(base, dtype="float32")
    alone = model.generate([[{"role": "user", "content": text}] for text in texts], max_new_tokens=24)

    async def together() -> list[tuple[str, Piece]]:
        engine = Embedded(base, dtype="float32")
        await engine.plug("base", None)
        found = await asyncio.gather(*(said(engine, text) for text in texts))
        await engine.close()
        return list(found)

    found = asyncio.run(together())
    assert [text for text, _ in found] == alone
    assert all(last.tokens <= 24 and last.prompt_tokens > 5 and last.finish for _, last in found)


def test_a_stop_text_ends_an_answer_before_it_and_a_long_prompt_is_refused(base: Path) -> None:
    async def story() -> tuple[str, str, Piece]:
        engine = Embedded(base, dtype="float32")
        with pytest.raises(ModelError, match="no model"):
            await said(engine, "hello")
        await engine.plug("base", None)
        whole, _ = await said(engine, "the parcel")
        cut, last = await said(engine, "the parcel", stop=(whole[5:9],))
        with pytest.raises(InputError, match="the model has 2048"):
            await said(engine, "word " * 3000)
        await engine.close()
        return whole, cut, last

    whole, cut, last = asyncio.run(story())
    assert cut == whole[: whole.find(whole[5:9])] and last.finish == "stop"


def test_unplugging_ends_what_is_being_answered(base: Path) -> None:
    async def story() -> None:
        engine = Embedded(base, dtype="float32")
        await engine.plug("base", None)
        answer = asyncio.create_task(said(engine, "the parcel", max_tokens=1500))
        await asyncio.sleep(0.2)
        await engine.unplug()
        with pytest.raises(ModelError, match="unloaded"):
            await answer
        await engine.plug("base", None)
        assert (await said(engine, "the parcel"))[1].finish
        await engine.close()

    asyncio.run(story())


def test_calls_are_read_out_of_text() -> None:
    text = 'Let me see. <tool_call>{"name": "refund", "arguments": {"amount": 5}}</tool_call>'
    rest, [call] = embedded._calls(text)
    assert (rest, call.tool, call.parsed()) == ("Let me see.", "refund", {"amount": 5})
    assert embedded._calls("<tool_call>{broken}</tool_call>") == ("<tool_call>{broken}</tool_call>", ())
