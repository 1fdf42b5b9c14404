"""The signature over an adapter folder, by the model-signing library (OpenSSF), as a Sigstore bundle.

Anyone can check it without Hallmark: ``python -m model_signing verify key ADAPTER --signature SIG --public_key PUB``.
The pipeline's key pair signs by default; a certificate or a Sigstore identity by configuration, where an organisation
has one.
"""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from resources.errors import InputError, IntegrityError
from resources.signer import KeyRing, SigningKey, passphrase


class ModelSigning(BaseModel):
    """How adapter folders are signed. The fields of ``certificate`` and ``sigstore`` are those of the library."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["key", "certificate", "sigstore"] = "key"
    private_key: Path | None = None
    signing_certificate: Path | None = None
    certificate_chain: tuple[Path, ...] = ()
    identity: str = ""
    oidc_issuer: str = ""
    trust_config: Path | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        needed = {
            "key": (),
            "certificate": ("private_key", "signing_certificate", "certificate_chain"),
            "sigstore": ("identity", "oidc_issuer"),
        }
        absent = [name for name in needed[self.method] if not getattr(self, name)]
        if absent:
            raise ValueError(f"model_signing by {self.method} needs {', '.join(absent)}")
        return self

    def sign(self, folder: Path, signature: Path, key: SigningKey) -> None:
        from model_signing.signing import Config

        config: Any = Config()  # type: ignore[no-untyped-call]
        if self.method == "key":
            # The library says str; what it calls wants bytes.
            config.use_elliptic_key_signer(private_key=key.path, password=passphrase())
        elif self.method == "certificate":
            config.use_certificate_signer(
                private_key=self.private_key,
                signing_certificate=self.signing_certificate,
                certificate_chain=self.certificate_chain,
            )
        else:
            config.use_sigstore_signer(use_ambient_credentials=True, trust_config=self.trust_config)
        config.sign(folder, signature)

    def verify(self, folder: Path, signature: Path, ring: KeyRing, keyid: str) -> None:
        """``IntegrityError`` unless the signature is of this folder, by key ``keyid`` or the configured identity."""
        from model_signing.verifying import Config

        config: Any = Config()  # type: ignore[no-untyped-call]
        if self.method == "key":
            config.use_elliptic_key_verifier(public_key=self._public(ring, keyid))
        elif self.method == "certificate":
            config.use_certificate_verifier(certificate_chain=self.certificate_chain)
        else:
            config.use_sigstore_verifier(
                identity=self.identity, oidc_issuer=self.oidc_issuer, trust_config=self.trust_config
            )
        try:
            config.verify(folder, signature)
        except Exception as error:  # the library raises what its parsers and back ends raise
            raise IntegrityError(
                f"the model signature {signature.name} does not hold: {error or type(error).__name__}"
            ) from error

    @staticmethod
    def _public(ring: KeyRing, keyid: str) -> Path:
        return next(key.path for key in ring.of("pipeline") if key.keyid == keyid)

    @classmethod
    def of(cls, settings: dict[str, Any]) -> "ModelSigning":
        """From the policy's ``settings.approved_release``; ``InputError`` where something is missing."""
        try:
            return cls.model_validate(settings.get("model_signing", {}))
        except ValidationError as error:
            raise InputError(str(error), object_key="model_signing", rule="model-signing-valid") from error
