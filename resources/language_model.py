"""A causal language model and, when there is one, the adapter on top of it: encode, score, generate.

The base and the adapter share one set of weights: ``without_adapter`` switches the adapter off, so that a paired
comparison (law 6) costs no second model. Only safetensors is read, no code of a model folder ever runs, and nothing is
fetched (law 9).

Prompts are chat messages, ``[{"role": ..., "content": ...}]``. Work is batched by length, and logits are computed only
where they are asked for: at a vocabulary of 49,152 the output head of a small model costs as much as a quarter of its
layers.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from resources.base_model import attach_adapter, base_path, bundled_base, load_base, load_tokenizer, stop_tokens
from resources.chat_format import ChatFormat, TemplateRefusal
from resources.decoding import decode
from resources.errors import InputError
from resources.forward import Forward, log_probabilities, plan_batches
from resources.kept_states import KeptStates
from resources.tree import plant

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

__all__ = ["LanguageModel", "base_path", "bundled_base"]

Chat = Sequence[dict[str, Any]]
T = TypeVar("T")


@lru_cache(maxsize=8)
def _template(tokenizer: "PreTrainedTokenizerBase") -> ChatFormat:
    return ChatFormat(tokenizer)


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """``model`` is the transformers model, wrapped by PEFT when there is an adapter."""

    model: Any
    tokenizer: "PreTrainedTokenizerBase"
    device: "torch.device"
    forward: Forward
    shelf: KeptStates | None = None

    @classmethod
    def load(
        cls,
        base: Path,
        adapter: Path | None = None,
        *,
        device: str = "auto",
        dtype: str = "auto",
        quantization: str = "none",
        cache: Path | None = None,
    ) -> "LanguageModel":
        """Load a base folder and perhaps a PEFT adapter folder; ``ModelError`` says what is wrong with either.

        ``cache`` is where states of the base are kept for the next candidate, by readings that ask for it.
        """
        model: Any = load_base(base, device=device, dtype=dtype, quantization=quantization)
        tokenizer = load_tokenizer(base)
        place = model.device
        if adapter is not None:
            model = attach_adapter(model, adapter)
        shelf = None if quantization != "none" else KeptStates.of(base, cache, model.dtype, place)
        return cls(model, tokenizer, place, Forward(model), shelf)

    @contextlib.contextmanager
    def without_adapter(self) -> Iterator[None]:
        """The base model: same weights in memory, adapter off. Without an adapter it changes nothing."""
        switch = getattr(self.model, "disable_adapter", None)
        with switch() if switch else contextlib.nullcontext(), self.forward.trunk.plain():
            yield

    def again(self) -> contextlib.AbstractContextManager[None]:
        """For readings whose rows the next candidate is asked about, too: what hangs on the base alone is kept."""
        return self.forward.sharing(self.shelf)

    def both(self, measure: Callable[[], T], *, again: bool = False) -> tuple[T, T]:
        """A measure of the adapter and of the base, which read what the adapter leaves as it is only once.

        ``again``: the next candidate is asked the same. Not for text from the vault, since the states say what it is.
        """
        with self.again() if again else self.forward.sharing():
            adapter = measure()
            with self.without_adapter():
                return adapter, measure()

    def encode(self, messages: Chat, *, for_generation: bool, tools: Sequence[dict[str, Any]] = ()) -> list[int]:
        """Token ids of a chat in the base's template; ``for_generation`` adds the assistant's header.

        What the template refuses or would leave out is said another way (``resources.chat_format``); ``InputError``
        where there is none.
        """
        template = _template(self.tokenizer)
        try:
            fitted = template.fit(messages, tools)
        except TemplateRefusal as error:
            raise InputError(str(error), object_key="chat", rule="chat-template") from error
        return template.ids(fitted.messages, fitted.tools, header=for_generation)

    def continuation(
        self, messages: Chat, answer: dict[str, Any], *, tools: Sequence[dict[str, Any]] = ()
    ) -> list[int]:
        """Token ids of the assistant's next message after a chat, words and calls, to the end of its turn."""
        given = self.encode(messages, for_generation=True, tools=tools)
        whole = self.encode([*messages, answer], for_generation=False, tools=tools)
        if whole[: len(given)] != given:
            raise InputError("the answer does not follow on the chat", object_key="chat", rule="chat-template")
        said = whole[len(given) :]
        last = max((place for place, token in enumerate(said) if token in self.stop_tokens), default=len(said) - 1)
        return said[: last + 1]

    def score(self, pairs: Sequence[tuple[Chat, str]]) -> list[np.ndarray]:
        """Natural log-probability of each token of each response, given its chat. float32, one array a pair.

        Responses to the same chat are scored together and share its prefix: it is computed once.
        """
        return self.score_tokens([(self.encode(chat, for_generation=True), self.tokens(text)) for chat, text in pairs])

    def tokens(self, text: str) -> list[int]:
        """Token ids of plain text, no template, no special tokens added."""
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def score_tokens(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[np.ndarray]:
        """As ``score``, on token ids: (prefix, continuation). A prefix must not be empty."""
        return [scores for scores, _ in self.follow(pairs)]

    def follow(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Along each continuation: its tokens' log-probabilities, and whether each is the model's first choice.

        Greedy decoding says a continuation exactly where all its tokens are first choices.
        """
        followed = [(np.empty(0, np.float32), np.empty(0, bool))] * len(pairs)
        for batch in plan_batches(pairs, self.forward):
            for index, scores, first in log_probabilities(self.forward, batch):
                followed[index] = scores, first
        return followed

    def next_token_logprobs(self, prompts: Sequence[Sequence[int]]) -> np.ndarray:
        """Natural log-probabilities of the token after each prompt (token ids): float32 [n, vocabulary]."""
        import torch

        if not len(prompts):
            return np.empty((0, self.forward.causal.config.get_text_config().vocab_size), np.float32)
        rows: list[np.ndarray] = [np.empty(0, np.float32)] * len(prompts)
        head = self.forward.head
        with torch.inference_mode():
            for batch in plan_batches([(prompt, ()) for prompt in prompts], self.forward):
                groups = [(prefix, continuations[:1]) for prefix, continuations in batch.groups]
                tree = plant(groups, device=self.device, dtype=self.forward.causal.dtype)
                states = self.forward.states(tree)
                last = torch.tensor([path[-1] for path in tree.paths], device=self.device)
                parts = torch.split(last, head.rows)
                logs = [head.logits(states[part]).log_softmax(dim=1).cpu() for part in parts]
                found = dict(zip((prefix for prefix, _ in groups), torch.cat(logs).numpy(), strict=True))
                for index in batch.order:
                    rows[index] = found[tuple(prompts[index])]
        return np.stack(rows)

    def next_token_peaks(self, pairs: Sequence[tuple[Sequence[int], Sequence[int]]]) -> np.ndarray:
        """Natural log-probability of the likeliest token after each (prefix, continuation): float32 [n].

        A fraction of the time and memory that all log-probabilities take. A prefix is computed once for all that
        continue it.
        """
        import torch

        peaks = np.empty(len(pairs), np.float32)
        with torch.inference_mode():
            for batch in plan_batches(pairs, self.forward):
                tree = plant(batch.groups, device=self.device, dtype=self.forward.causal.dtype)
                states = self.forward.states(tree)
                last = torch.tensor([path[-1] for path in tree.paths], device=self.device)
                peaks[batch.order] = self.forward.head.peaks(states[last]).cpu().numpy()
        return peaks

    def generate(
        self,
        prompts: Sequence[Chat],
        *,
        max_new_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
        tools: Sequence[dict[str, Any]] = (),
    ) -> list[str]:
        """One completion a chat, special tokens removed. Greedy at temperature 0; else sampled from ``seed``.

        ``tools`` are declared to every chat.
        """
        ids = [self.encode(prompt, for_generation=True, tools=tools) for prompt in prompts]
        outputs = decode(
            self.forward, ids, self.stop_tokens, max_new_tokens=max_new_tokens, temperature=temperature, seed=seed
        )
        return [str(self.tokenizer.decode(output, skip_special_tokens=True)) for output in outputs]

    @property
    def stop_tokens(self) -> frozenset[int]:
        """Tokens that end a turn."""
        return stop_tokens(self.tokenizer, self.model.generation_config)
