"""An adapter folder is signed by the public library, with a key pair or with an organisation's certificate."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from resources.errors import InputError, IntegrityError
from resources.model_signature import ModelSigning
from resources.signer import PASSPHRASE, KeyRing, SigningKey


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    return folder


def test_a_key_pair_signs_and_its_public_half_verifies(adapter: Path, tmp_path: Path) -> None:
    key, signing, signature = SigningKey.pipeline(tmp_path / "keys"), ModelSigning(), tmp_path / "adapter.sig"
    signing.sign(adapter, signature, key)
    ring = KeyRing.open(tmp_path / "keys")
    signing.verify(adapter, signature, ring, key.public.keyid)
    (adapter / "adapter_model.safetensors").write_bytes(b"other weights")
    with pytest.raises(IntegrityError, match="does not hold"):
        signing.verify(adapter, signature, ring, key.public.keyid)


def test_a_key_behind_a_passphrase_signs_too(adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSPHRASE, "correct horse")
    key = SigningKey.pipeline(tmp_path / "keys")
    ModelSigning().sign(adapter, tmp_path / "adapter.sig", key)
    monkeypatch.delenv(PASSPHRASE)
    ModelSigning().verify(adapter, tmp_path / "adapter.sig", KeyRing.open(tmp_path / "keys"), key.public.keyid)


def test_another_key_does_not_verify(adapter: Path, tmp_path: Path) -> None:
    key, other = SigningKey.pipeline(tmp_path / "keys"), SigningKey.pipeline(tmp_path / "other")
    ModelSigning().sign(adapter, tmp_path / "adapter.sig", key)
    with pytest.raises(IntegrityError, match="does not hold"):
        ModelSigning().verify(adapter, tmp_path / "adapter.sig", KeyRing.open(tmp_path / "other"), other.public.keyid)


def certified(folder: Path) -> ModelSigning:
    """A certificate authority and a signing certificate of it, as files."""
    authority, signer = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root, name = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("Example CA", "Pipeline"))
    start = datetime.now(UTC) - timedelta(days=1)

    def certificate(subject: x509.Name, key: ec.EllipticCurvePrivateKey, is_authority: bool) -> x509.CertificateBuilder:
        usage = x509.KeyUsage(not is_authority, False, False, False, False, is_authority, is_authority, False, False)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(root)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )

    signing_use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
    made = {
        "ca.pem": certificate(root, authority, True).sign(authority, hashes.SHA256()),
        "signer.pem": certificate(name, signer, False)
        .add_extension(signing_use, False)
        .sign(authority, hashes.SHA256()),
    }
    for file, item in made.items():
        (folder / file).write_bytes(item.public_bytes(serialization.Encoding.PEM))
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "signer.key").write_bytes(signer.private_bytes(serialization.Encoding.PEM, form, plain))
    return ModelSigning(
        method="certificate",
        private_key=folder / "signer.key",
        signing_certificate=folder / "signer.pem",
        certificate_chain=(folder / "ca.pem",),
    )


def test_an_organisations_certificate_signs_by_configuration(adapter: Path, tmp_path: Path) -> None:
    signing, key = certified(tmp_path), SigningKey.pipeline(tmp_path / "keys")
    ring = KeyRing.open(tmp_path / "keys")
    signing.sign(adapter, tmp_path / "adapter.sig", key)
    signing.verify(adapter, tmp_path / "adapter.sig", ring, key.public.keyid)
    (adapter / "more").write_text("x")
    with pytest.raises(IntegrityError, match="does not hold"):
        signing.verify(adapter, tmp_path / "adapter.sig", ring, key.public.keyid)
    (tmp_path / "elsewhere").mkdir()
    stranger = certified(tmp_path / "elsewhere")
    (adapter / "more").unlink()
    with pytest.raises(IntegrityError, match="does not hold"):
        stranger.verify(adapter, tmp_path / "adapter.sig", ring, key.public.keyid)


@pytest.mark.parametrize(
    "settings", [{"method": "certificate"}, {"method": "sigstore"}, {"method": "wax"}, {"metod": "key"}]
)
def test_a_configuration_that_lacks_something_is_refused(settings: dict[str, str]) -> None:
    with pytest.raises(InputError, match="model-signing-valid"):
        ModelSigning.of({"model_signing": settings})
