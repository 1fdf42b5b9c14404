"""``hallmark-verify`` in a bare environment: its wheel, cryptography, securesystemslib, and nothing of the project."""

import importlib.util
import json
import subprocess
import venv
import zipfile
from pathlib import Path

import pytest
from lineage import Lineage

from assets.served.approval.actions import Hold
from assets.served.approval.held import HeldStore, Proposed
from deploy.verify.build import build
from resources.line_cipher import LineCipher
from resources.signer import SigningKey

ALLOWED = ("cryptography", "cffi", "_cffi_backend", "pycparser", "securesystemslib")
CALL = {"order": "A-1", "amount": 80}
STORY = """
import json, sys
from pathlib import Path
import hallmark_verify as hv
home, token = Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text())
ring = hv.KeyRing.open(home / "keys")
grant = hv.prove_grant(token, ring, tool="refund", arguments={"order": "A-1", "amount": 80})
spent = hv.Spent(home / "spent")
spent.take(grant)
for wrong in (lambda: spent.take(grant), lambda: hv.prove_grant(token, ring, tool="refund", arguments={"amount": 81})):
    try:
        wrong()
    except hv.ApprovalRefused as error:
        print("refused:", error)
with hv.verified_adapter(home / "releases", home / "keys") as adapter:
    print("adapter:", sorted(path.name for path in adapter.iterdir()))
print("plugged:", hv.plugged_in(home / "releases", home / "keys"))
weights = home / "releases" / hv.plugged_in(home / "releases", home / "keys") / "adapter" / "adapter_model.safetensors"
weights.chmod(0o644)
weights.write_bytes(weights.read_bytes()[:-1] + b"x")
try:
    with hv.verified_adapter(home / "releases", home / "keys"):
        print("served a changed adapter")
except hv.IntegrityError as error:
    print("refused:", " ".join(str(error).split()))
print("foreign:", sorted({name.partition(".")[0] for name in sys.modules} & {"torch", "dagster", "pydantic", "assets"}))
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A python with the wheel and links to its two libraries (and what they import), nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder / "env", with_pip=False)
    [site] = (folder / "env" / "lib").glob("python*/site-packages")
    for name in ALLOWED:
        found = importlib.util.find_spec(name)
        if found is None or not found.origin:
            continue
        origin = Path(found.origin)
        source = origin.parent if origin.name.startswith("__init__") else origin
        (site / source.name).symlink_to(source)
    with zipfile.ZipFile(build(folder)) as wheel:
        wheel.extractall(site)
    return folder / "env" / "bin" / "python"


def run(python: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([python, "-I", *arguments], capture_output=True, text=True, timeout=120, cwd="/")


@pytest.fixture
def token(home: Lineage, tmp_path: Path) -> Path:
    store = HeldStore(tmp_path / "held.sqlite", LineCipher(bytes(32)))
    held = store.hold(Proposed("refund", CALL, (), "shop", "rel", "1"), Hold(), "listed")
    keys = home.workspace.keys
    SigningKey.pipeline(keys)
    envelope = SigningKey.reviewer(keys, "ada").sign(store.draft(held, "approve", "ada", "checked"))
    path = tmp_path / "token.json"
    path.write_text(json.dumps(store.decide(held.held, envelope, keys, {}).token))
    return path


@pytest.fixture
def home(tmp_path: Path) -> Lineage:
    return Lineage(tmp_path / "home")


def test_grant_release_and_loader_hold_and_are_refused(bare: Path, home: Lineage, token: Path) -> None:
    folder = home.released()
    said = run(bare, "-c", STORY, str(home.workspace.root), str(token))
    assert said.returncode == 0, said.stderr
    lines = said.stdout.splitlines()
    assert "was used before" in lines[0] and "other arguments" in lines[1]
    assert lines[2] == "adapter: ['adapter_config.json', 'adapter_model.safetensors']"
    assert lines[3] == f"plugged: {folder.name}"
    assert "changed: adapter/adapter_model.safetensors" in lines[4]
    assert lines[5] == "foreign: []"


def test_its_command_says_whether_a_release_and_a_grant_hold(bare: Path, home: Lineage, token: Path) -> None:
    folder, keys = home.released(), ("-m", "hallmark_verify", "--keys", str(home.workspace.keys))
    said = run(bare, *keys, "release", str(folder))
    assert said.returncode == 0 and f"{folder.name} verifies" in said.stdout, said.stderr
    after = run(bare, *keys[:2], "release", str(folder), *keys[2:])  # the keys may stand after the command, too
    assert after.stdout == said.stdout
    assert "--keys names the folder" in run(bare, *keys[:2], "release", str(folder)).stderr
    absent = run(bare, *keys, "release", "nowhere")
    assert absent.returncode == 2 and "there is no such folder" in absent.stderr
    grant = (*keys, "grant", str(token), "--tool", "refund", "--spend", str(home.workspace.root / "spent"))
    assert run(bare, *grant, "--arguments", json.dumps(CALL)).returncode == 0
    assert "used before" in run(bare, *grant, "--arguments", json.dumps(CALL)).stderr
    for path in (folder / "approvals").iterdir():
        path.chmod(0o644)
        path.unlink()
    gone = run(bare, *keys, "release", str(folder))
    assert gone.returncode == 1 and "missing: approvals/" in gone.stderr
