"""The pictures of docs/desk.md, taken of a workspace that `hallmark run --sample` has made; its copy is used.

hallmark run --sample --recipe deploy/sample_recipe.yaml --home /tmp/sample
python -m tests.browser.screenshots /tmp/sample docs/images
"""

import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from assets.served.approval.actions import Hold
from assets.served.approval.held import Proposed
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
            name = latest(workspace.artifacts).verdict.candidate
            _take(page, desk, f"/candidates/{name}", target / "candidate-dark.png")
            page.emulate_media(color_scheme="light")
            page.set_viewport_size(PHONE)
            _take(page, desk, f"/held/{desk.held.page('waiting')[0].held}", target / "held-phone.png")


def _walk(page: Page, desk: Desk, target: Path) -> None:
    candidate = latest(desk.workspace.artifacts).verdict
    finding = next(each.item.name for each in desk.waiting() if not each.item.is_row)
    for path, name in (("/", "home"), ("/rows", "rows"), (f"/findings/{finding}", "finding"), ("/held", "held")):
        _take(page, desk, path, target / f"{name}.png")
    page.goto(f"{desk.origin}/candidates/{candidate.candidate}")
    for number in range(len(candidate.blocking())):
        page.locator(f"#override-{number + 1}").fill("too few samples; tried by hand on 40 tickets")
    page.get_by_label("Why").fill("the dossier holds; for the internal help desk only")
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name="Sign with your passkey").wait_for()
    _shoot(page, target / "sign.png")
    page.get_by_role("button", name="Sign with your passkey").click()
    page.get_by_role("button", name="Release it now").click()
    page.locator(".card.current").wait_for()


def _take(page: Page, desk: Desk, path: str, target: Path) -> None:
    page.goto(desk.origin + path)
    _shoot(page, target)


def _shoot(page: Page, target: Path) -> None:
    """A picture of 64 colours, which is what the pages have, at a third of the size."""
    page.screenshot(path=target)
    with Image.open(target) as picture:
        small = picture.convert("RGB").quantize(64, dither=Image.Dither.NONE)
    small.save(target, optimize=True)


def _hold(desk: Desk, tool: str, arguments: dict[str, object]) -> None:
    why = f"{tool} is free only within limits: {'amount' if 'amount' in arguments else 'street'} is outside"
    desk.held.hold(Proposed(tool, arguments, TALK, "help-desk", "", tool), Hold(minutes=30), why)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
