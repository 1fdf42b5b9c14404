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


# How a row's form can be broken; the reading itself says what it found (``assets.forms``). Every command rejects these.
FORM_RULES = (
    Rule("unknown-form", "rejected", "no form fits the row's columns"),
    Rule("message-tree", "rejected", "the row is one message of a tree, not a dialogue"),
    Rule("not-text", "rejected", "a null, a number or a structure stands where text is expected"),
    Rule("unknown-role", "rejected", "a message's role is not known"),
    Rule("image-or-audio", "rejected", "the row has parts that are no text"),
    Rule("undesired-answer", "rejected", "the row is labelled as an answer that is not desired"),
    Rule("turn-weight", "rejected", "a message says in a way that cannot be honoured how much it counts"),
    Rule("tools-unreadable", "rejected", "the declared tools are no JSON list of named tools"),
    Rule("call-unreadable", "rejected", "a tool call is no JSON object"),
    Rule("call-without-name", "rejected", "a tool call names no function"),
    Rule("call-arguments", "rejected", "a tool call's arguments are no JSON object"),
    Rule("result-without-call", "rejected", "a tool's result answers no call"),
)
RULES = (
    *FORM_RULES,
    Rule("missing-prompt", "rejected", "there is nothing to answer"),
    Rule("missing-response", "rejected", "there is nothing to learn"),
    Rule("duplicate", "rejected", "an earlier row of this drop says exactly the same"),
    Rule("call-unknown-tool", "quarantined", "a tool is called that the row does not declare"),
    Rule("call-schema", "quarantined", "a tool call's arguments do not fit the declared schema"),
    Rule("too-long", "quarantined", "the prompt, the response or the number of turns is beyond the limit"),
    Rule("damaged-text", "quarantined", "the text was decoded wrongly somewhere: replacement or mangled characters"),
    Rule("control-characters", "quarantined", "the text has control characters"),
    Rule("hidden-characters", "quarantined", "the text has characters that a reader cannot see"),
    Rule("language", "quarantined", "the language is not one that the policy admits"),
)
