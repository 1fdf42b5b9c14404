"""Nothing that could run code, lead out of the folder or hide bytes is loaded as an adapter."""

import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lineage import LORA, safetensors

from assets.release.safety import CONFIG, WEIGHTS, inspect_adapter
from resources.errors import ModelError

GOOD_CONFIG: dict[str, Any] = {"peft_type": "LORA", "r": 2, "auto_mapping": None, "base_model_name_or_path": "ab" * 32}
SHAPES = {f"{LORA}.lora_A.weight": (2, 4), f"{LORA}.lora_B.weight": (4, 2)}


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / WEIGHTS).write_bytes(safetensors(SHAPES))
    (folder / CONFIG).write_text(json.dumps(GOOD_CONFIG))
    return folder


def refused(adapter: Path, why: str) -> None:
    with pytest.raises(ModelError, match="may not be loaded") as refusal:
        inspect_adapter(adapter)
    assert why in str(refusal.value), refusal.value


def test_an_ordinary_adapter_is_admitted(adapter: Path) -> None:
    (adapter / "README.md").write_text("# what it is for")
    inspect_adapter(adapter)


@pytest.mark.parametrize("kind", ["plain", "dora", "rslora"])
def test_what_peft_writes_is_admitted(tmp_path: Path, kind: str) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    tiny = LlamaConfig(
        vocab_size=64,
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
    )
    options: dict[str, Any] = {"dora": {"use_dora": True}, "rslora": {"use_rslora": True}}.get(kind, {})
    model = get_peft_model(LlamaForCausalLM(tiny), LoraConfig(r=2, target_modules="all-linear", **options))
    model.save_pretrained(tmp_path / "adapter", save_embedding_layers=False)
    inspect_adapter(tmp_path / "adapter")


@pytest.mark.parametrize(
    "name", ["adapter_model.bin", "pytorch_model.pt", "model.pkl", "run.py", "lib.so", ".hidden", "sub/x.json"]
)
def test_files_of_other_kinds_are_refused(adapter: Path, name: str) -> None:
    (adapter / name).parent.mkdir(exist_ok=True)
    (adapter / name).write_bytes(pickle.dumps({"a": 1}))
    refused(adapter, f"{name} is not a file of an adapter" if "/" not in name else "sub is not a regular file")


def test_a_pickle_under_a_good_name_is_refused(adapter: Path) -> None:
    (adapter / WEIGHTS).write_bytes(pickle.dumps({"a": 1}))
    refused(adapter, "header")
    (adapter / "tokenizer.json").write_bytes(pickle.dumps({"a": 1}))
    refused(adapter, "tokenizer.json is a pickle")


def test_links_and_pipes_are_refused(adapter: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes((adapter / WEIGHTS).read_bytes())
    (adapter / WEIGHTS).unlink()
    (adapter / WEIGHTS).symlink_to(tmp_path / "outside")
    refused(adapter, f"{WEIGHTS} is a link")
    (tmp_path / "other").symlink_to(adapter)
    refused(tmp_path / "other", "is not a folder")


def test_an_executable_or_a_script_is_refused(adapter: Path) -> None:
    (adapter / "README.md").write_text("#!/bin/sh\nrm -rf /\n")
    (adapter / CONFIG).chmod(0o755)
    refused(adapter, "README.md is a script, not text")
    refused(adapter, f"{CONFIG} is marked executable")


def test_a_missing_part_is_named(adapter: Path) -> None:
    (adapter / CONFIG).unlink()
    refused(adapter, f"{CONFIG} is missing")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"auto_mapping": {"base_model_class": "X", "parent_library": "evil"}}, "auto_mapping imports 'evil'"),
        ({"peft_type": "PROMPT_TUNING"}, "not the configuration of a LoRA adapter"),
        ({"x": {"trust_remote_code": True}}, "asks for code"),
        ({"base_model_name_or_path": "../../etc/model"}, "leads outside"),
        ({"base_model_name_or_path": "https://example.org/model"}, "leads outside"),
        ({"x": ["a\\..\\b"]}, "leads outside"),
    ],
)
def test_a_configuration_that_reaches_out_is_refused(adapter: Path, change: dict[str, Any], why: str) -> None:
    (adapter / CONFIG).write_text(json.dumps({**GOOD_CONFIG, **change}))
    refused(adapter, why)


@pytest.mark.parametrize("content", ["", "[]", "{", "\x00\x01"])
def test_a_configuration_that_is_none_is_refused(adapter: Path, content: str) -> None:
    (adapter / CONFIG).write_text(content)
    refused(adapter, CONFIG)


def _edit(change: Callable[[dict[str, Any]], Any]) -> Callable[[bytes], bytes]:
    def edited(data: bytes) -> bytes:
        length = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8 : 8 + length])
        change(header)
        raw = json.dumps(header).encode()
        return struct.pack("<Q", len(raw)) + raw + data[8 + length :]

    return edited


def _set(field: str, value: Any) -> Callable[[bytes], bytes]:
    return _edit(lambda header: header[f"{LORA}.lora_A.weight"].update({field: value}))


BROKEN: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty": (lambda data: b"", "longer than the file"),
    "huge header": (lambda data: struct.pack("<Q", 1 << 62) + data[8:], "longer than the file"),
    "not json": (lambda data: data[:8] + b"x" + data[9:], "not JSON"),
    "trailing bytes": (lambda data: data + b"payload", "belong to no tensor"),
    "cut": (lambda data: data[:-4], "belong to no tensor"),
    "overlap": (_set("data_offsets", [16, 48]), "overlap or leave a hole"),
    "beyond": (_set("data_offsets", [64, 96]), "overlap or leave a hole"),
    "wrong size": (_set("shape", [2, 5]), "does not have the size it says"),
    "integers": (_set("dtype", "I32"), "not floating point"),
    "no offsets": (_set("data_offsets", None), "describes no tensors"),
    "strings": (_set("shape", "ab"), "describes no tensors"),
    "other layer": (
        _edit(lambda header: header.update({"lm_head.weight": header.pop(f"{LORA}.lora_A.weight")})),
        "no part of a LoRA",
    ),
    "nothing": (lambda data: struct.pack("<Q", 2) + b"{}", "holds no tensors"),
    "list": (lambda data: struct.pack("<Q", 2) + b"[]", "describes no tensors"),
}


@pytest.mark.parametrize(("damage", "why"), BROKEN.values(), ids=BROKEN.keys())
def test_a_safetensors_file_that_hides_or_lacks_something_is_refused(
    adapter: Path, damage: Callable[[bytes], bytes], why: str
) -> None:
    path = adapter / WEIGHTS
    path.write_bytes(damage(path.read_bytes()))
    refused(adapter, why)


def test_a_tensor_named_twice_is_refused(adapter: Path) -> None:
    raw = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    (adapter / WEIGHTS).write_bytes(struct.pack("<Q", len(raw)) + raw + b"\x00" * 4)
    refused(adapter, "named twice")
