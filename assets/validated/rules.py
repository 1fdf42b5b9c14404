"""The rules of validation, strongest first: what a row that breaks one is called, and whether a human may release it.

Which expectation stands for which rule is in ``expectations.suite``; this is what the outcome says.
"""

from dataclasses import dataclass

from assets.outcome import Fate


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    fate: Fate
    reason: str

    @property
    def metric(self) -> str:
        """Name of the share of rows that break the rule."""
        return f"{self.name.replace('-', '_')}_share"


RULES = (
    Rule("unknown-form", "rejected", "the row has none of the fields instruction, prompt and messages"),
    Rule("not-text", "rejected", "a null, a number or a structure stands where text is expected"),
    Rule("unknown-role", "rejected", "a turn has a role other than system, user and assistant"),
    Rule("missing-prompt", "rejected", "there is nothing to answer"),
    Rule("missing-response", "rejected", "there is nothing to learn"),
    Rule("duplicate", "rejected", "an earlier row of this drop says exactly the same"),
    Rule("role-order", "quarantined", "after an optional system turn, user and assistant must alternate to the end"),
    Rule("too-long", "quarantined", "the prompt, the response or the number of turns is beyond the limit"),
    Rule("damaged-text", "quarantined", "the text was decoded wrongly somewhere: replacement or mangled characters"),
    Rule("control-characters", "quarantined", "the text has control characters"),
    Rule("hidden-characters", "quarantined", "the text has characters that a reader cannot see"),
    Rule("language", "quarantined", "the language is not one that the policy admits"),
)
