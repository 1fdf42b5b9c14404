"""What the desk refuses: one test for each attack."""

import dataclasses
import json
from urllib.parse import quote

import pytest
from authenticator import PRESENT, Authenticator
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lineage import Lineage
from starlette.routing import Route
from starlette.testclient import TestClient

from assets.outcome import Removal
from pipelines.desk.app import build
from pipelines.desk.desk import Desk
from resources.clock import utc
from resources.line_cipher import LineCipher
from resources.signer import KeyRing, revoke

from .conftest import ORIGIN, Browser, quarantine, row

FIELDS = ("row", "all", "action", "decision", "reason", "answer", "days", "proposal", "override:x", "rule", "next")
OPEN = {"/sign-in", "/invitation/{token}"}


def test_every_page_is_behind_a_session(desk: Desk, browser: Browser) -> None:
    seen = 0
    for route in build(desk).routes:
        if not isinstance(route, Route) or route.path in OPEN:
            continue
        path = route.path.replace("{name}", "x")
        for method in sorted(route.methods or ()):
            if method in ("GET", "POST"):
                answer = browser.client.request(method, path, headers={"origin": ORIGIN}, follow_redirects=False)
                assert answer.status_code in (303, 401), (method, path)
                assert answer.status_code == 401 or answer.headers["location"].startswith("/sign-in"), path
                seen += 1
    assert seen >= 20


def test_a_form_from_another_site_is_refused(ada: Browser, lineage: Lineage) -> None:
    lineage.released()
    for wrong in ({"csrf": "x" * 43}, {"csrf": ""}, {"origin": "https://evil.example"}, {"origin": None}):
        ada.get("/releases")
        ada.send("/releases/rollback", 403, reason="because", **wrong)
    ada.get("/releases")
    headers = {"origin": ORIGIN, "sec-fetch-site": "cross-site"}
    body = {"csrf": ada.hidden("csrf"), "reason": "because"}
    assert ada.client.post("/releases/rollback", data=body, headers=headers).status_code == 403
    assert not lineage.log.entries("rollback")
    assert "Rolled back" in ada.send("/releases/rollback", reason="because")  # the same form, sent by its own page


def test_a_session_that_was_planted_never_becomes_the_signed_in_one(ada: Browser, desk: Desk) -> None:
    victim = Browser(desk)
    victim.authenticator = ada.authenticator
    planted, _ = desk.sessions.start()
    victim.client.cookies.set("desk", planted, domain="localhost.local")
    victim.sign_in()
    assert planted != victim.cookie
    attacker = TestClient(build(desk), base_url=ORIGIN, cookies={"desk": planted})
    assert attacker.get("/rows", follow_redirects=False).headers["location"].startswith("/sign-in")
    before = victim.cookie
    victim.sign_in()  # also a good session is left behind, not taken along
    assert desk.sessions.find(before) is None and desk.sessions.find(victim.cookie)


def test_no_page_can_be_framed_or_run_what_is_not_the_desks(ada: Browser, lineage: Lineage) -> None:
    name = lineage.candidate().verdict.candidate
    for path in ("/", "/sign-in", "/rows", f"/candidates/{name}", "/static/desk.js", "/no-such-page"):
        headers = ada.client.get(path).headers
        assert headers["x-frame-options"] == "DENY" and headers["x-content-type-options"] == "nosniff", path
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy and "default-src 'none'" in policy and "unsafe" not in policy, path
    dossier = ada.client.get(f"/candidates/{name}/dossier")  # brings its own style; runs nothing
    assert (
        "sandbox" in dossier.headers["content-security-policy"]
        and "script-src" not in dossier.headers["content-security-policy"]
    )
    assert dossier.headers["x-frame-options"] == "DENY"


def test_an_assertion_replayed_on_another_candidate_is_refused(ada: Browser, lineage: Lineage) -> None:
    one, two = (lineage.candidate(fill=fill).verdict.candidate for fill in (0.5, 0.7))
    ada.get(f"/candidates/{one}")
    ada.send(f"/candidates/{one}/decision", decision="approve", reason="read it", days="3")
    used = json.dumps(ada.authenticator.get(ada.challenge()))
    first = ada.page
    ada.get(f"/candidates/{two}")
    ada.send(f"/candidates/{two}/decision", decision="approve", reason="read it", days="3")
    path = ada.page.split('action="/sign/', 1)[1].split('"', 1)[0]
    assert "did not go through" in ada.send(f"/sign/{path}", 409, answer=used)
    assert not lineage.log.entries("approval")
    ada.page = first
    own = first.split('action="/sign/', 1)[1].split('"', 1)[0]
    assert "you approved" in ada.send(f"/sign/{own}", answer=used)  # where it belongs it holds
    ada.page = first
    ada.send(f"/sign/{own}", 409, answer=used)  # once
    assert [entry.body["candidate"] for entry in lineage.log.entries("approval")] == [one]


def test_a_counter_that_goes_back_is_refused(ada: Browser) -> None:
    ada.sign_in()
    ada.authenticator.counter -= 1  # a copy of the key: it says a number again
    assert "counter" in ada.sign_in(409)
    ada.authenticator.counter += 5
    assert "Signed in as ada" in ada.sign_in()
    ada.authenticator.counter = 0  # it stopped counting
    assert "counter" in ada.sign_in(409)


def test_an_answer_signs_in_once(ada: Browser) -> None:
    ada.get("/sign-in")
    used = json.dumps(ada.authenticator.get(ada.challenge()))
    assert "Signed in as ada" in ada.send("/sign-in", next="/", answer=used)
    ada.get("/sign-in")
    ada.send("/sign-in", 409, next="/", answer=used)


def test_an_answer_without_the_person_or_from_another_page_is_refused(ada: Browser) -> None:
    ada.get("/sign-in")
    ada.send("/sign-in", 409, answer=json.dumps(ada.authenticator.get(ada.challenge(), flags=PRESENT)))
    ada.authenticator.origin = "http://localhost:8080"  # another program of the same machine
    assert "another page" in ada.sign_in(409)
    for nonsense in ("", "[]", "{}", '{"id": 1}', '{"id": "x", "response": {}}', "{"):
        ada.get("/sign-in")
        ada.send("/sign-in", 409, answer=nonsense)


def test_a_stranger_and_a_revoked_passkey_do_not_get_in(ada: Browser, desk: Desk) -> None:
    stranger = Browser(desk)
    assert "not registered" in stranger.sign_in(409)
    [key] = [key for key in KeyRing.open(desk.workspace.keys).of("reviewer") if key.passkey]
    revoke(desk.workspace.keys, key.keyid, utc(), "lost")
    assert "Sign in with a passkey" in ada.get("/rows")  # the session is over at once
    assert "not registered here, or was revoked" in ada.sign_in(409)


def test_an_invitation_is_for_one_passkey_and_for_a_day(browser: Browser, desk: Desk) -> None:
    link = desk.reviewers.invite("ada").removeprefix(ORIGIN)
    browser.get(link)
    good = json.dumps(browser.authenticator.register(browser.challenge()))
    browser.get(link)
    browser.send(link, 409, answer=good)  # the challenge was for one answer
    browser.get(link)
    browser.send(link, answer=json.dumps(browser.authenticator.register(browser.challenge())))
    assert "was used" in browser.get(link, 409)
    assert "was used" in browser.get("/invitation/guess", 409)
    assert [entry.body["name"] for entry in desk.ledger.entries() if entry.kind == "passkey"] == ["ada"]


def test_another_address_is_not_this_desk(ada: Browser, desk: Desk) -> None:
    for host in ("evil.example", "localhost", "localhost:abc", "[::1", "", "127.0.0.1:80"):
        assert ada.client.get("/", headers={"host": host}, follow_redirects=False).status_code == 421, host
    moved = ada.client.get("/rows", headers={"host": "127.0.0.1:3001"}, follow_redirects=False)
    assert moved.status_code == 307 and moved.headers["location"] == f"{ORIGIN}/rows"


@pytest.mark.parametrize("where", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_signing_in_leads_to_a_page_of_the_desk(ada: Browser, where: str) -> None:
    ada.get("/sign-in")
    answer = json.dumps(ada.authenticator.get(ada.challenge()))
    body = {"csrf": ada.hidden("csrf"), "next": where, "answer": answer}
    said = ada.client.post("/sign-in", data=body, headers={"origin": ORIGIN}, follow_redirects=False)
    assert said.status_code == 303 and said.headers["location"] == "/"


def test_the_cookie_is_the_browsers_alone_and_bound_to_tls_behind_a_proxy(ada: Browser, desk: Desk) -> None:
    ada.get("/sign-in")
    body = {"csrf": ada.hidden("csrf"), "next": "/", "answer": json.dumps(ada.authenticator.get(ada.challenge()))}
    said = ada.client.post("/sign-in", data=body, headers={"origin": ORIGIN}, follow_redirects=False)
    cookie = said.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert ada.cookie not in json.dumps([dataclasses.asdict(entry) for entry in desk.ledger.entries()])
    proxied = Desk(desk.workspace, desk.policy, desk.threats, desk.store, "https://desk.example.org")
    answer = TestClient(build(proxied), base_url="https://desk.example.org").get("/sign-in")
    assert "__Host-desk=" in answer.headers["set-cookie"] and "Secure" in answer.headers["set-cookie"]
    assert answer.headers["strict-transport-security"]


def test_a_form_that_is_too_large_is_refused(ada: Browser) -> None:
    ada.get("/rows")
    answer = ada.client.post(
        "/rows", data={"csrf": ada.hidden("csrf"), "reason": "x" * (2 << 20)}, headers={"origin": ORIGIN}
    )
    assert answer.status_code == 413


def test_a_passkey_for_another_host_does_not_sign_here(desk: Desk) -> None:
    elsewhere = Authenticator("desk.example.org", "https://desk.example.org")
    elsewhere.passkey("ada").write(desk.workspace.keys)
    assert not desk.reviewers.anybody() and desk.reviewers.passkeys("ada") == []


def test_another_vault_key_is_told_in_words(ada: Browser, lineage: Lineage) -> None:
    removal = Removal("validated_records", "too-short", "the answer has 1 word")
    quarantine(lineage, "validated_records", "20261201-chat", [(row("raw-0"), removal)])
    [file] = lineage.workspace.artifacts.root.rglob("quarantined.jsonl")
    file.write_text(LineCipher(bytes(32)).seal("{}") + "\n")
    assert "does not open with this vault key" in ada.get("/rows", 422)


@given(path=st.text(max_size=40), fields=st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=60), max_size=5))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_request_is_answered_by_a_crash(ada: Browser, path: str, fields: dict[str, str]) -> None:
    ada.get("/log")
    ask = quote(path, safe="/?&=")
    for start in (
        "/",
        "/rows?page=",
        "/rows/",
        "/findings/",
        "/candidates/",
        "/held/",
        "/held?state=",
        "/log?kind=",
        "/sign/",
    ):
        assert ada.client.get(start + ask).status_code < 500, start + ask
    for target in (
        "/rows",
        "/rows/x",
        "/findings/x",
        "/candidates/x/decision",
        "/held/x",
        "/sign/x",
        "/releases/rollback",
        "/sign-in",
    ):
        body = {"csrf": ada.hidden("csrf"), **fields}
        assert ada.client.post(target, data=body, headers={"origin": ORIGIN}).status_code < 500, (target, fields)
