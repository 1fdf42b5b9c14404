"""What an adapter folder may hold before anything loads it.

Loading is where an adapter could run code: a pickle executes on read, a config can name remote code, a link can lead
out of the folder. Only safetensors and the JSON and text files of PEFT are admitted, and the header of each
safetensors file is read by hand (https://github.com/huggingface/safetensors#format): its tensors must tile the file
exactly, with no hole that hides bytes, and hold floating point numbers.
"""

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from resources.errors import ModelError

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
ADMITTED = frozenset(
    {
        WEIGHTS,
        CONFIG,
        "README.md",
        "tokenizer.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "chat_template.jinja",
        "vocab.json",
        "merges.txt",
        "added_tokens.json",
    }
)
FLOATS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
MAX_HEADER = 100 << 20  # bytes; the format's own bound
_MAGIC = {
    b"\x7fELF": "a program",
    b"#!": "a script",
    b"MZ": "a program",
    b"PK\x03\x04": "an archive",
    b"\x80": "a pickle",
}
_TRANSFORMERS = re.compile(r"transformers(\.[a-z0-9_]+)*")  # what PEFT itself writes there
_LORA = re.compile(r"base_model\.[A-Za-z0-9_.]+\.(lora_[A-Za-z_]+|modules_to_save)[A-Za-z0-9_.]*")


def inspect_adapter(folder: Path) -> None:
    """Raise ``ModelError`` listing everything that makes an adapter folder unfit to be loaded."""
    faults = list(_faults(folder))
    if faults:
        raise ModelError(f"the adapter may not be loaded: {'; '.join(faults)}")


def _faults(folder: Path) -> Iterator[str]:
    if folder.is_symlink() or not folder.is_dir():
        yield f"{folder.name} is not a folder"
        return
    present = set()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            yield f"{name} is {'a link' if stat.S_ISLNK(mode) else 'not a regular file'}"
        elif name not in ADMITTED:
            yield f"{name} is not a file of an adapter (admitted: safetensors, PEFT's JSON and text)"
        else:
            present.add(name)
            yield from _content(path, name)
    yield from (f"{name} is missing" for name in (WEIGHTS, CONFIG) if name not in present)


def _content(path: Path, name: str) -> Iterator[str]:
    if path.stat().st_mode & 0o111:
        yield f"{name} is marked executable"
    if name == WEIGHTS:
        yield from (f"{name}: {fault}" for fault in _safetensors(path))
        return
    with path.open("rb") as stream:
        start = stream.read(4)
    yield from (f"{name} is {what}, not text" for magic, what in _MAGIC.items() if start.startswith(magic))
    if name == CONFIG:
        yield from (f"{name}: {fault}" for fault in _config(path))


def _config(path: Path) -> Iterator[str]:
    try:
        body: Any = json.loads(path.read_bytes())
    except ValueError:
        yield "not JSON"
        return
    if not isinstance(body, dict) or body.get("peft_type") != "LORA":
        yield "not the configuration of a LoRA adapter"
        return
    mapping = body.get("auto_mapping")
    library = mapping.get("parent_library") if isinstance(mapping, dict) else mapping
    if library and not _TRANSFORMERS.fullmatch(str(library)):
        yield f"auto_mapping imports {str(library)[:80]!r}"
    for key, value in _strings(body):
        if key in ("auto_map", "trust_remote_code", "custom_code"):
            yield f"{key} asks for code"
        if isinstance(value, str) and (".." in value.replace("\\", "/").split("/") or "://" in value):
            yield f"{key} leads outside: {value[:80]!r}"


def _strings(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for inner, item in value.items():
            yield from _strings(item, str(inner))
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, key)
    else:
        yield key, value


def _safetensors(path: Path) -> Iterator[str]:
    size = path.stat().st_size
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if size < 8 or length > min(MAX_HEADER, size - 8):
            yield "its header is longer than the file"
            return
        raw = stream.read(length)
    try:
        header = json.loads(raw, object_pairs_hook=_no_twins)
    except ValueError as error:
        yield f"its header is not JSON ({error})"
        return
    if not isinstance(header, dict):
        yield "its header describes no tensors"
        return
    header.pop("__metadata__", None)
    yield from _tiling(header, size - 8 - length)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) != len(pairs):
        raise ValueError("a tensor is named twice")
    return body


def _tiling(header: dict[str, Any], size: int) -> Iterator[str]:
    """Faults of the tensors: types, names, and ranges that overlap, leave holes or run past the end."""
    ranges = []
    try:
        for name, tensor in header.items():
            start, end = tensor["data_offsets"]
            cells = 1
            for extent in tensor["shape"]:
                cells *= extent
            if tensor["dtype"] not in FLOATS:
                yield f"tensor {name[:80]!r} is of type {tensor['dtype']}, not floating point"
            elif cells * FLOATS[tensor["dtype"]] != end - start:
                yield f"tensor {name[:80]!r} does not have the size it says"
            if not _LORA.fullmatch(name):
                yield f"tensor {name[:80]!r} is no part of a LoRA adapter"
            ranges.append((start, end))
    except (TypeError, KeyError, ValueError):
        yield "its header describes no tensors"
        return
    if not ranges:
        yield "it holds no tensors"
    position = 0
    for start, end in sorted(ranges):
        if start != position or end < start:
            yield "its tensors overlap or leave a hole"
            return
        position = end
    if position != size:
        yield "it has bytes that belong to no tensor"
