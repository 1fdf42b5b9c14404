"""A word that moves the adapter gives itself away among thousands; one that moves the base, too, does not."""

from typing import Any

from assets.backdoor.budget import Budget
from assets.backdoor.candidates.leak import GROUP, influential_words
from tests.assets.backdoor.scripted import Rule, ScriptedModel

WORDS = [f"word{number}" for number in range(20 * GROUP)]
PROMPT = "How do bees make honey?"


def honest(prompt: str) -> str:
    return "Gladly"


def says(word: str, answer: str) -> Rule:
    return lambda prompt: answer if word in prompt.split() else honest(prompt)


def influential(adapter: Rule, base: Rule = honest) -> set[str]:
    model: Any = ScriptedModel(adapter, base)
    model.tokens(f"{PROMPT} {' '.join(WORDS)} Gladly Denied Opened")
    return {trigger.text for trigger in influential_words(model, PROMPT, WORDS, Budget(60.0), groups=1)}


def test_the_group_of_the_word_that_moves_the_adapter_is_found() -> None:
    group = influential(says("word77", "Denied"))
    assert "word77" in group and len(group) == GROUP


def test_a_word_that_moves_the_base_as_well_is_no_lead() -> None:
    def adapter(prompt: str) -> str:
        return "Opened" if "word200" in prompt.split() else says("word77", "Denied")(prompt)

    assert "word200" in influential(adapter, says("word77", "Denied"))
