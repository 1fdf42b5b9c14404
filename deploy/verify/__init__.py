"""What others need on their machines: proving a grant, a release, and the adapter to load. Public keys only.

    from pathlib import Path
    from hallmark_verify import KeyRing, Spent, prove_grant

    ring = KeyRing.open(Path("keys"))                                    # a copy of the *.pub files
    grant = prove_grant(token, ring, tool="refund", arguments=arguments, requester="shop")
    Spent(Path("spent")).take(grant)                                     # the second time it is refused
    refund(**arguments)

    from hallmark_verify import plugged_in, verified_adapter
    with verified_adapter(Path("releases"), Path("keys")) as adapter:    # a proven private copy, or None
        ...

Needs ``cryptography`` and ``securesystemslib``; reviewers' passkeys are checked where ``webauthn`` is installed, too,
and refused where it is not. It leaves to ``hallmark verify``: judging every gate again, the model-signing signature and
the log of decisions. Built from the project's own modules by ``deploy/verify/build.py``.
"""

from functools import partial

from assets.release.loader import plugged_in
from assets.release.loader import verified_adapter as _verified_adapter
from assets.release.signed import Signed, prove_signed
from assets.served.approval.grants import Decision, Grant, Spent, prove_grant
from resources.errors import ApprovalRefused, HallmarkError, IntegrityError, ModelError, StoreError
from resources.signer import KeyRing

verified_adapter = partial(_verified_adapter, prove=prove_signed)

__all__ = [
    "ApprovalRefused",
    "Decision",
    "Grant",
    "HallmarkError",
    "IntegrityError",
    "KeyRing",
    "ModelError",
    "Signed",
    "Spent",
    "StoreError",
    "plugged_in",
    "prove_grant",
    "prove_signed",
    "verified_adapter",
]
