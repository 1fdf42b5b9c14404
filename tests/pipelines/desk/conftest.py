"""A desk over a made-up workspace, and a reviewer in front of it with a browser and an authenticator in software."""

import base64
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from authenticator import Authenticator
from lineage import Lineage, policy
from starlette.testclient import TestClient

from assets.outcome import Outcome, Removal, write_outcomes
from assets.record import Origin, Record
from pipelines.desk.app import build
from pipelines.desk.desk import Desk
from resources.line_cipher import LineCipher
from resources.vault import read_secret

ORIGIN = "http://localhost:3001"


class Browser:
    """What a browser does, without scripts: keeps cookies, sends forms with the hidden fields of the page it is on."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.authenticator = desk, Authenticator(origin=ORIGIN)
        self.client = TestClient(build(desk), base_url=ORIGIN, raise_server_exceptions=True)
        self.page = ""

    def get(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        self.page = answer.text
        return self.page

    def send(self, path: str, status: int = 200, **fields: Any) -> str:
        """Send a form of the current page; ``origin`` and ``csrf`` may be said wrongly."""
        origin = fields.pop("origin", ORIGIN)
        body = {"csrf": self.hidden("csrf"), **{name.replace("__", ":"): value for name, value in fields.items()}}
        answer = self.client.post(path, data=body, headers={"origin": origin} if origin else {})
        assert answer.status_code == status, answer.text
        self.page = answer.text
        return self.page

    def hidden(self, name: str) -> str:
        return re.search(rf'name="{name}" value="([^"]*)"', self.page)[1]  # type: ignore[index]

    def challenge(self) -> bytes:
        """What the page asks the passkey to sign."""
        options = json.loads(html.unescape(re.search(r'data-options="([^"]*)"', self.page)[1]))  # type: ignore[index]
        return base64.urlsafe_b64decode(options["challenge"] + "==")

    def register(self, name: str = "ada") -> None:
        link = self.desk.reviewers.invite(name).removeprefix(ORIGIN)
        self.get(link)
        answer = json.dumps(self.authenticator.register(self.challenge()))
        assert f"Signed in as {name}." in self.send(link, answer=answer, label="test key")

    def sign_in(self, status: int = 200) -> str:
        self.get("/sign-in")
        return self.send("/sign-in", status, next="/", answer=json.dumps(self.authenticator.get(self.challenge())))

    def sign(self, status: int = 200) -> str:
        """Sign the statement on the page."""
        path = re.search(r'<form method="post" action="(/sign/[^"]*)"', self.page)[1]  # type: ignore[index]
        return self.send(path, status, answer=json.dumps(self.authenticator.get(self.challenge())))

    @property
    def cookie(self) -> str:
        return self.client.cookies.get("desk") or ""


def quarantine(lineage: Lineage, stage: str, drop: str, rows: list[tuple[Record, Removal]], **details: Any) -> Path:
    """An artefact of a stage in which these rows wait."""
    cipher = LineCipher(read_secret(lineage.workspace.keys / "vault.key", create=True))
    store = lineage.workspace.artifacts
    with store.draft(stage, drop, "desk", {"rows": str(len(rows))}) as draft:
        outcomes = [Outcome(record, "quarantined", removal) for record, removal in rows]
        counts, _ = write_outcomes(draft.folder, outcomes, cipher if stage == "validated_records" else None)
        if "report" in details:
            draft.write_json("findings.json", details.pop("report"))
        return draft.seal(counts=counts, details=details).folder


def row(name: str, number: int = 1, drop: str = "20261201-chat", **fields: Any) -> Record:
    said = fields or {"prompt": f"Where is parcel {number}?", "completion": f"In depot {number}."}
    return Record(name, said, Origin("chat.jsonl", "v1", number, "00", drop, "helpdesk", "sam"))


@pytest.fixture
def lineage(tmp_path: Path) -> Lineage:
    return Lineage(tmp_path / "home", policy(roles={"ada": ["security"], "ben": ["product"]}))


@pytest.fixture
def desk(lineage: Lineage) -> Desk:
    (lineage.workspace.root).mkdir(exist_ok=True)
    return Desk(lineage.workspace, lineage.policy, lineage.threats, lineage.workspace.drops.as_uri(), ORIGIN)


@pytest.fixture
def browser(desk: Desk) -> Browser:
    return Browser(desk)


@pytest.fixture
def ada(browser: Browser) -> Browser:
    browser.register("ada")
    return browser
