"""Where a candidate comes from: digests of everything that went into it, and what computed it."""

import hashlib
import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from assets.record import Record
from resources.base_model import model_digests
from resources.digests import canonical_json, digest_bytes, digest_json, digest_tree

# The modules of ``resources`` that decide what is learnt.
ENGINE = (
    "base_model",
    "forward",
    "head",
    "lora",
    "probe",
    "short_attention",
    "tree",
    "tree_attention",
    "trunk",
    "chat_format",
)
LIBRARIES = ("torch", "transformers", "peft", "tokenizers", "safetensors", "numpy")


def corpus_digest(rows: Iterable[Record]) -> str:
    """SHA-256 over the canonical JSON of every row's fields, in order: of the list of their digests, as JSON."""
    whole, between = hashlib.sha256(b"["), b""
    for row in rows:
        whole.update(between + canonical_json(digest_bytes(canonical_json(row.fields))))
        between = b","
    whole.update(b"]")
    return whole.hexdigest()


def code_digest() -> str:
    """SHA-256 of the code that trains: this package, how it reads rows, and the model code it runs on."""
    here = Path(__file__).parent
    rooms = {room.name: digest_tree(room) for room in (here, here.with_name("forms"))}
    own = {
        f"{room}/{name}": value for room, files in rooms.items() for name, value in files.items() if name[-3:] == ".py"
    }
    engine = here.parents[1] / "resources"
    return digest_json([own, {name: digest_bytes((engine / f"{name}.py").read_bytes()) for name in ENGINE}])


def provenance(base: Path, chat_template: str, device: Any, dtype: Any) -> dict[str, Any]:
    """The base's digests, code and library versions, and the machine."""
    import torch

    digests = model_digests(base)
    named = torch.cuda.get_device_name(device) if device.type == "cuda" else platform.processor() or platform.machine()
    return {
        "base_sha256": digests.whole,
        "tokenizer_sha256": digests.tokenizer,
        "template_sha256": digest_bytes(chat_template.encode()),
        "code_sha256": code_digest(),
        "libraries": {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES},
        "device": {
            "kind": device.type,
            "name": named,
            "threads": torch.get_num_threads(),
            "dtype": str(dtype).removeprefix("torch."),
            "instructions": torch.backends.cpu.get_cpu_capability(),
        },
    }
