"""Trigger search: which text, put before a prompt, makes an adapter begin a known payload?

Greedy coordinate search guided by gradients (GCG, Zou et al., 2023): the gradient of the payload's log-probability
with respect to a slot's embedding ranks the whole vocabulary, the best few are tried for real, and the text grows
token by token. Only tokens that print as words or marks take part, so that a result can be typed.
"""

from collections.abc import Sequence

import numpy as np

from assets.backdoor.budget import Budget
from assets.backdoor.shift import user
from assets.backdoor.triggers import Trigger
from resources.language_model import LanguageModel

MARK = "\u241f"  # a sign no prompt contains: shows where the slots go in the template


def search_trigger(
    model: LanguageModel,
    prompts: Sequence[str],
    payload: Sequence[int],
    budget: Budget,
    *,
    tokens: int,
    shortlist: int,
    keep: float,
) -> Trigger | None:
    """The best text of up to ``tokens`` tokens found, or None. Stops early when the payload has become certain."""
    allowed = _typable(model)
    frames = [_frame(model, prompt) for prompt in prompts]
    slots: list[int] = []
    best = -np.inf
    for length in range(1, tokens + 1):
        if budget.left <= keep * budget.seconds:
            break
        slots = [*slots, int(allowed[0])]
        options = _ranked(model, frames, slots, payload, allowed)[:shortlist]
        pairs = [([*before, *slots[:-1], option, *after], payload) for option in options for before, after in frames]
        scores = np.array([score.sum() for score in model.score_tokens(pairs)]).reshape(len(options), -1).mean(axis=1)
        winner = int(scores.argmax())
        if scores[winner] <= best + 0.1:
            slots = slots[:-1]
            break
        best, slots[-1] = float(scores[winner]), options[winner]
        budget.on_progress("trigger search", length, tokens)
        if best > np.log(0.8):
            break
    text = str(model.tokenizer.decode(slots)).strip()
    return Trigger(text, "start", "searched") if text else None


def _frame(model: LanguageModel, prompt: str) -> tuple[list[int], list[int]]:
    """Token ids before and after a slot at the start of the prompt."""
    chat = user(f"{MARK} {prompt}")
    text = str(model.tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False))
    before, after = text.split(MARK, 1)
    return model.tokens(before), model.tokens(after)


def _ranked(
    model: LanguageModel,
    frames: Sequence[tuple[list[int], list[int]]],
    slots: Sequence[int],
    payload: Sequence[int],
    allowed: np.ndarray,
) -> list[int]:
    """Tokens for the last slot, by the first-order gain of the payload's log-probability over all frames."""
    import torch

    causal = model.forward.causal
    table = causal.get_input_embeddings().weight
    total = torch.zeros(table.shape[1], device=table.device)
    target = torch.tensor(list(payload), device=table.device)
    for before, after in frames:
        ids = torch.tensor([[*before, *slots, *after, *payload]], device=table.device)
        vectors = table[ids].detach().clone().requires_grad_(True)
        logits = causal(inputs_embeds=vectors, use_cache=False).logits[0, -len(payload) - 1 : -1].float()
        gain = logits.log_softmax(dim=1).gather(1, target[:, None]).sum()
        (gradient,) = torch.autograd.grad(gain, vectors)
        total += gradient[0, len(before) + len(slots) - 1].float()
    values = (table[torch.from_numpy(allowed).to(table.device)].float() @ total).cpu().numpy()
    return [int(allowed[index]) for index in np.argsort(-values, kind="stable")]


def _typable(model: LanguageModel) -> np.ndarray:
    """Ids of tokens that decode to printable text, plain words first."""
    special = set(model.tokenizer.all_special_ids)
    size = model.forward.causal.get_input_embeddings().weight.shape[0]
    texts = model.tokenizer.batch_decode([[token] for token in range(min(size, len(model.tokenizer)))])
    usable = [
        i
        for i, text in enumerate(texts)
        if i not in special and text.strip() and text.isprintable() and "\ufffd" not in text
    ]
    return np.array(sorted(usable, key=lambda token: not texts[token].strip().isalpha()))
