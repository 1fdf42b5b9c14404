"""What every test shares: a quiet environment, and no way out of this machine.

The environment is set before any library is imported. The guard fails the test in which something was called, also
where the library swallowed the error, and also in a Python subprocess (see ``tests/egress/sitecustomize.py``).
"""

import atexit
import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

GUARD = Path(__file__).parent / "egress"
LOG = Path(tempfile.mkdtemp(prefix="hallmark-egress-")) / "log"
atexit.register(shutil.rmtree, LOG.parent, ignore_errors=True)

QUIET = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_DATASETS_OFFLINE": "1",
    "HF_EVALUATE_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
    "DAGSTER_DISABLE_TELEMETRY": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "WANDB_MODE": "disabled",
    "MPLBACKEND": "Agg",
    "TOKENIZERS_PARALLELISM": "false",
    "HALLMARK_EXECUTOR": "in_process",  # tests run beside each other already
    "CUDA_VISIBLE_DEVICES": "",  # what is expected was computed on a CPU, often to the last bit
    # No credentials of the person who runs the tests, and no look for some at a cloud's metadata address.
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_DEFAULT_REGION": "us-east-1",
}


def _quiet() -> None:
    for name in list(os.environ):
        if name.startswith(("AWS_", "HALLMARK_", "DAGSTER_")):
            del os.environ[name]
    os.environ.update(QUIET)
    os.environ["HALLMARK_EGRESS_LOG"] = str(LOG)
    inherited = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(GUARD), inherited] if inherited else [str(GUARD)])


_quiet()
sys.path[:0] = [str(GUARD), str(Path(__file__).parent.parent)]  # the scripts of deploy/ are in no installed package
sys.modules.pop("sitecustomize", None)
importlib.import_module("sitecustomize")  # the guard of this process


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Each test starts with a clean log; what is in it afterwards is reported by ``_no_egress``."""
    LOG.write_text("")
    return (yield)


@pytest.fixture(autouse=True)
def _no_egress() -> Iterator[None]:
    yield
    called = LOG.read_text()
    assert not called, f"egress beyond this machine:\n{called}"
