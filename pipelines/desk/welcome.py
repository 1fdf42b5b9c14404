"""Coming and going: invitation, signing in, signing out; and the first page."""

import hashlib
import json
import secrets
from typing import Any

from starlette.responses import Response

from assets.release.approval import standing
from assets.release.pointer import read_plug
from assets.verdict.candidate import candidates
from pipelines.desk.guard import Visit, cookie_name, route, set_cookie
from resources.clock import utc
from resources.errors import ApprovalRefused, IntegrityError
from resources.signer import KeyRing

LATEST = 8  # decisions on the first page


def home(visit: Visit) -> Response:
    """What waits, what is in use, what happened last."""
    desk = visit.desk
    ring = KeyRing.open(desk.workspace.keys)
    try:
        current, fault = read_plug(desk.workspace.releases, ring).release, ""
    except IntegrityError as error:
        current, fault = "", str(error)
    open_, log = [], desk.workspace.decision_log
    for candidate in candidates(desk.workspace.artifacts):
        stands = standing(log, ring, candidate.verdict, desk.rules, utc())
        if candidate.verdict.verdict != "fail" and not current.startswith(candidate.verdict.candidate):
            open_.append((candidate, stands))
    latest = list(reversed(desk.ledger.entries()[-LATEST:]))
    return visit.page("home.html", current=current, fault=fault, candidates=open_[-3:], latest=latest)


def sign_in(visit: Visit) -> Response:
    """Asks the browser for any passkey of this host; nobody is named, so that nobody learns who there is."""
    visit.session.challenge = secrets.token_bytes(32)
    options = request_options(visit, visit.session.challenge, [])
    return visit.page(
        "sign_in.html", options=options, next=_own(visit.query("next")), nobody=not visit.desk.reviewers.anybody()
    )


def signed_in(visit: Visit) -> Response:
    challenge, visit.session.challenge = visit.session.challenge, secrets.token_bytes(32)  # for one answer only
    key = visit.desk.reviewers.sign_in(answer(visit), challenge)
    return _welcomed(visit, key.name, key.keyid, _own(visit.field("next")))


def invitation(visit: Visit) -> Response:
    """Asks the browser to make a passkey."""
    from webauthn import generate_registration_options, options_to_json
    from webauthn.helpers.structs import AuthenticatorSelectionCriteria, PublicKeyCredentialDescriptor
    from webauthn.helpers.structs import ResidentKeyRequirement as Resident
    from webauthn.helpers.structs import UserVerificationRequirement as Verification

    token = str(visit.request.path_params["token"])
    name = visit.desk.reviewers.invited(token)
    visit.session.challenge = secrets.token_bytes(32)
    known = [key.passkey for key in visit.desk.reviewers.passkeys(name) if key.passkey]
    asked = generate_registration_options(
        rp_id=visit.desk.reviewers.host,
        rp_name="Hallmark",
        user_name=name,
        user_id=hashlib.sha256(f"{visit.desk.reviewers.host}\0{name}".encode()).digest(),
        challenge=visit.session.challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=Resident.REQUIRED, user_verification=Verification.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=_bytes(each.credential)) for each in known],
    )
    return visit.page("invitation.html", name=name, options=options_to_json(asked))


def invited(visit: Visit) -> Response:
    challenge, visit.session.challenge = visit.session.challenge, secrets.token_bytes(32)
    token, label = str(visit.request.path_params["token"]), visit.field("label")
    passkey = visit.desk.reviewers.register(token, answer(visit), challenge, label)
    return _welcomed(visit, passkey.name, passkey.keyid, "/")


def sign_out(visit: Visit) -> Response:
    desk = visit.desk
    desk.sessions.end(visit.request.cookies.get(cookie_name(desk), ""))
    response = visit.go("/sign-in")
    response.delete_cookie(cookie_name(desk), path="/", secure=desk.secure, httponly=True, samesite="strict")
    return response


def answer(visit: Visit) -> Any:
    """What the browser's passkey answered, from the form that our script filled."""
    try:
        return json.loads(visit.field("answer"))
    except ValueError:
        raise ApprovalRefused("no passkey answered; this needs a browser that runs the desk's script") from None


def request_options(visit: Visit, challenge: bytes, credentials: list[str]) -> str:
    """What our script hands to the browser to have ``challenge`` signed by one of these passkeys; none: by any."""
    from webauthn import generate_authentication_options, options_to_json
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

    return options_to_json(
        generate_authentication_options(
            rp_id=visit.desk.reviewers.host,
            challenge=challenge,
            timeout=120_000,
            allow_credentials=[PublicKeyCredentialDescriptor(id=_bytes(each)) for each in credentials],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def _bytes(text: str) -> bytes:
    from webauthn import base64url_to_bytes

    return base64url_to_bytes(text)


def _welcomed(visit: Visit, name: str, keyid: str, where: str) -> Response:
    """A new session in place of the one that was there."""
    desk = visit.desk
    desk.sessions.end(visit.request.cookies.get(cookie_name(desk), ""))
    cookie, session = desk.sessions.start(name, keyid)
    session.notices.append(("good", f"Signed in as {name}."))
    response = visit.go(where)
    set_cookie(desk, response, cookie)
    return response


def _own(path: str) -> str:
    """A path of this desk, never an address elsewhere."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and "\n" not in path else "/"


ROUTES = [
    route("/", home),
    route("/sign-in", sign_in, access="anyone"),
    route("/sign-in", signed_in, method="POST", access="anyone"),
    route("/invitation/{token}", invitation, access="anyone"),
    route("/invitation/{token}", invited, method="POST", access="anyone"),
    route("/sign-out", sign_out, method="POST"),
]
