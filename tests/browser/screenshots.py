"""The pictures of docs/desk.md, taken of a workspace that `hallmark run --sample` has made; its copy is used.

hallmark run --sample --recipe deploy/sample_recipe.yaml --home /tmp/sample
python -m tests.browser.screenshots /tmp/sample docs/images
"""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from assets.served.actions import Hold
from assets.served.held import Proposed
from assets.verdict.candidate import latest
from expectations.policy import Policy
from expectations.threats import load_threats
from pipelines.desk.desk import Desk
from resources.workspace import Workspace
from tests.browser.driving import chromium, person, register, served

DESK = {"width": 1180, "height": 860}
PHONE = {"width": 390, "height": 844}
TALK = [
    {"role": "user", "content": "My parcel 4471 never came. I want my money back."},
    {"role": "assistant", "content": "I am sorry. I see that it was lost on the way, and I have proposed a refund."},
]


def main(home: Path, target: Path) -> None:
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "home"
        shutil.copytree(home, copy, ignore=shutil.ignore_patterns("dagster", "models", "logs", "desk", "served"))
        policy, workspace = Policy.load(), Workspace(copy)
        threats = load_threats(policy)
        with (
            served(lambda origin: Desk(workspace, policy, threats, workspace.drops.as_uri(), origin)) as desk,
            chromium() as browser,
        ):
            _hold(desk, "refund", {"order": 4471, "amount": 129.9, "currency": "EUR"})
            _hold(desk, "change_address", {"order": 4380, "street": "Harbour Lane 3"})
            page, _ = person(browser, viewport=DESK, color_scheme="light")
            register(page, desk, "ada")
            _walk(page, desk, target)
            page.emulate_media(color_scheme="dark")
            _take(
                page,
                desk,
                "/candidates/" + latest(workspace.artifacts).verdict.candidate,
                target / "candidate-dark.png",
            )
            _take(page, desk, "/", target / "home-dark.png")
            page.emulate_media(color_scheme="light")
            page.set_viewport_size(PHONE)
            held = desk.held.page("waiting")[0].held
            for path, name in (("/", "home"), ("/rows", "rows"), (f"/held/{held}", "held")):
                _take(page, desk, path, target / f"{name}-phone.png")


def _walk(page: Page, desk: Desk, target: Path) -> None:
    candidate = latest(desk.workspace.artifacts).verdict
    waiting = [each.item for each in desk.waiting()]
    _take(page, desk, "/", target / "home.png")
    _take(page, desk, "/rows", target / "rows.png")
    _take(page, desk, "/findings", target / "findings.png")
    if finding := next((item.name for item in waiting if not item.is_row), None):
        _take(page, desk, f"/findings/{finding}", target / "finding.png")
    if row := next((item.name for item in waiting if item.readable), None):
        _take(page, desk, f"/rows/{row}?text=1", target / "row.png")
    _take(page, desk, "/held", target / "held.png")
    _take(page, desk, f"/candidates/{candidate.candidate}", target / "candidate.png")
    for number, judgement in enumerate(candidate.blocking(), 1):
        assert judgement.name
        page.locator(f"#override-{number}").fill("too few samples; tried by hand on 40 tickets")
    page.get_by_label("Why").fill("the dossier holds; for the internal help desk only")
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Sign with your passkey").wait_for()
    page.screenshot(path=target / "sign.png")
    page.get_by_role("button", name="Sign with your passkey").click()
    page.get_by_role("button", name="Release it now").click()
    page.locator(".card.current").wait_for()
    page.screenshot(path=target / "releases.png")
    _take(page, desk, "/log", target / "log.png")


def _take(page: Page, desk: Desk, path: str, target: Path) -> None:
    page.goto(desk.origin + path)
    page.screenshot(path=target)


def _hold(desk: Desk, tool: str, arguments: dict[str, object]) -> None:
    why = f"{tool} is free only within limits: {'amount' if 'amount' in arguments else 'street'} is outside"
    desk.held.hold(Proposed(tool, arguments, TALK, "help-desk", "", tool), Hold(minutes=30), why)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
