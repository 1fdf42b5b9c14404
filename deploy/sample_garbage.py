"""Rows that real exports contain and nobody wants: lines that are no JSON, and rows that are JSON and no use."""

from typing import Any


def broken_lines() -> list[tuple[bytes, str]]:
    """Lines that cannot be read, each with the rule it breaks."""
    return [
        (b'{"instruction": "Where is my parcel?", "input": "", "output": "It left the dep', "json-syntax"),
        (
            b'{"instruction": "How heavy may it be?", "input": "", "output": NaN, "score": 4}',
            "number-not-finite",
        ),
        ("Können Sie es liefern? Grüße".encode("latin-1"), "encoding"),
        (b"ERROR 2026-11-14 export worker 3: connection reset, retrying", "json-syntax"),
        (b'["Where is my parcel?", "In Northgate."]', "not-an-object"),
        (b'{"instruction": "Is it free?", "instruction": "Is it lost?", "output": "Yes, it is."}', "duplicate-key"),
        (b'{"instruction": "Nice \\ud83d", "input": "", "output": "Thank you!"}', "lone-surrogate"),
    ]


def unusable_rows(copied: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Rows that can be read and break a rule of validation. ``copied`` is a row that is repeated word for word."""
    damaged = "It costs 5 euros in cafés".encode().decode("latin-1")
    german = (
        "Guten Tag, ich warte seit einer Woche auf mein Paket und niemand kann mir sagen, wo es gerade ist.",
        "Das tut uns leid. Bitte schicken Sie uns die Nummer, dann suchen wir es noch heute im Verteilzentrum.",
    )
    return [
        ({"instruction": "Can I pay by card?", "input": "", "output": "  "}, "missing-response"),
        ({"instruction": None, "input": "", "output": "Yes, until Friday."}, "missing-prompt"),
        ({"instruction": "How many parcels?", "input": "", "output": ["12"]}, "not-text"),
        ({"minutes": "Of the team meeting, nothing for customers."}, "unknown-form"),
        (
            {"messages": [{"role": "narrator", "content": "Welcome!"}, {"role": "user", "content": "Hi"}]},
            "unknown-role",
        ),
        ({"messages": [{"role": "assistant", "content": "How may I help?"}]}, "missing-prompt"),
        ({"instruction": "What does a box cost?", "input": "", "output": damaged}, "damaged-text"),
        ({"instruction": "Is there a shop\u200b\u200b nearby?", "input": "", "output": "Yes."}, "hidden-characters"),
        ({"instruction": german[0], "input": "", "output": german[1]}, "language"),
        (copied, "duplicate"),
    ]
