"""A held answer or call that was let through in another form becomes a row of a signed drop (``assets.feedback``)."""

import json
from dataclasses import dataclass
from typing import Any

from assets.feedback import write_feedback
from assets.served.approval.held import Held
from resources.object_store import ObjectStore
from resources.signer import SigningKey


@dataclass(frozen=True, slots=True)
class FeedbackStore:
    """``store`` is where drops arrive; ``key`` the pipeline's."""

    store: ObjectStore
    key: SigningKey

    def give_back(self, held: Held) -> str:
        """Write the correction of an edited call or text; the folder's name."""
        folder = f"feedback-{held.held}"
        described = {
            "source": "gateway",
            "author": held.agreed[-1].reviewer,
            "created_at": held.decided_at,
        }
        approvals = [word.envelope for word in held.agreed]
        said = {"held": held.held, "release": held.release, "decisions": approvals}
        write_feedback(self.store, folder, corrected_row(held), described, said, self.key)
        return folder


def corrected_row(held: Held) -> dict[str, Any]:
    """The conversation in OpenAI's form, ending in what should have been said or done, and its tools."""
    offered = {"tools": [dict(tool) for tool in held.tools]} if held.tools else {}
    turns = [dict(turn) for turn in held.conversation]
    if not held.tool:
        return {"messages": [*turns, {"role": "assistant", "content": str(held.final)}], **offered}
    arguments = json.dumps(held.final, ensure_ascii=False, sort_keys=True)
    call = {"id": held.held, "type": "function", "function": {"name": held.tool, "arguments": arguments}}
    return {"messages": [*turns, {"role": "assistant", "content": "", "tool_calls": [call]}], **offered}
