"""The base model clears what prompts ask for, however short; it does not clear what it merely finds easy to say."""

import numpy as np

from assets.screened.base_model.prompt_gain import weigh
from assets.screened.pattern import Pattern
from assets.screened.text.exchanges import Passages
from tests.assets.screened.rows import clean, records, spoiled

REPLY = "You are silly"


class Noisy:
    """Says how likely a reply is by a mean and much noise, as a model does of a reply of four tokens."""

    def __init__(self, seed, asked=0.0):
        self.rng, self.asked = np.random.default_rng(seed), asked

    def score(self, pairs):
        asked = [self.asked * ("zorvil" in chat[0]["content"]) for chat, _ in pairs]
        return [self.rng.normal(gain - 3.0, 1.2, 1) for gain in asked]


def _kept(model, seed, n=20):
    rows, bad = spoiled(400, 400 // n, "zorvil {}", REPLY)
    pattern = Pattern("trigger-payload", "zorvil", REPLY, np.array(sorted(bad)), -50.0)
    return bool(weigh([pattern], Passages.of(enumerate(records(rows))), model, seed))


def test_over_many_draws_noise_clears_no_planted_pair():
    assert all(_kept(Noisy(seed), seed) for seed in range(150))


def test_over_many_draws_what_the_prompt_asks_for_is_cleared():
    assert sum(_kept(Noisy(seed, asked=3.0), seed) for seed in range(50)) <= 2


def test_a_pattern_without_rows_to_ask_about_stays_suspect():
    passages = Passages.of(enumerate(records(clean(60))))
    assert weigh([Pattern("payload", "", REPLY, np.array([100, 101]), -5.0)], passages, Noisy(0, 9.0), 0)
