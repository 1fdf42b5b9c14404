"""What the base model has said once it is not asked again."""

import numpy as np

from assets.screened.base_model.scorer import CachedScorer


def test_each_pair_is_read_once_and_answers_come_in_order():
    asked = []

    class Model:
        def score(self, pairs):
            asked.extend(text for _, text in pairs)
            return [np.array([float(len(text))]) for _, text in pairs]

    model = CachedScorer(Model())
    chat = [{"role": "user", "content": "Why?"}]
    first = model.score([(chat, "a"), (chat, "bb"), (chat, "a")])
    again = model.score([(chat, "bb"), (chat, "ccc")])
    assert [float(each[0]) for each in (*first, *again)] == [1, 2, 1, 2, 3]
    assert asked == ["a", "bb", "ccc"]
    assert model.score([]) == []
