"""A conversation as chat templates take it: messages and tools in OpenAI's form, with arguments as objects."""

from typing import Any

from assets.forms.conversation import Conversation, Turn


def messages_of(conversation: Conversation) -> list[dict[str, Any]]:
    """One message a turn. Ids of calls are numbered anew: some templates take nothing but nine letters or digits."""
    messages: list[dict[str, Any]] = []
    waiting: list[tuple[str, str, str]] = []  # calls without a result: the row's id, ours, the name
    number = 0
    for turn in conversation.turns:
        message: dict[str, Any] = {"role": turn.role, "content": turn.text}
        if turn.reasoning:
            message["reasoning_content"] = turn.thought
        calls = []
        for call in turn.calls:
            number += 1
            waiting.append((call.id, f"call{number:05d}", call.name))
            if not call.inline:
                function = {"name": call.name, "arguments": call.arguments}
                calls.append({"type": "function", "id": waiting[-1][1], "function": function})
        if calls:
            message["tool_calls"] = calls
        if turn.role == "tool":
            message |= _answers(turn, waiting)
        messages.append(message)
    return messages


def tools_of(conversation: Conversation) -> list[dict[str, Any]]:
    """The declared tools; none where a system turn names them all already, as Hermes' and Glaive's rows do."""
    told = "\n".join(turn.text for turn in conversation.turns if turn.role == "system")
    if conversation.tools and all(f'"{tool.name}"' in told for tool in conversation.tools):
        return []
    return [tool.declared() for tool in conversation.tools]


def _answers(turn: Turn, waiting: list[tuple[str, str, str]]) -> dict[str, str]:
    """Which call a result answers: by id, else by name, else the first that waits."""
    found = next((call for call in waiting if turn.answers and call[0] == turn.answers), None)
    found = found or next((call for call in waiting if turn.name and call[2] == turn.name), None)
    found = found or (waiting[0] if waiting else ("", "call00000", ""))
    if found in waiting:
        waiting.remove(found)
    return {"tool_call_id": found[1], "name": turn.name or found[2]}
