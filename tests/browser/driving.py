"""A real Chromium in front of a real desk: what the story and the screenshots share."""

import contextlib
import importlib.util
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from pipelines.desk.app import DeskServer
from pipelines.desk.desk import Desk

# As root in a container it needs no sandbox; it calls nobody, at start or later.
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--no-default-browser-check",
]  # fmt: skip
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WHEELS = ("axe_playwright_python", "axe_core_python", "axe_selenium_python")


def chromium_path() -> str | None:
    """``$CHROMIUM``, or the system's."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def axe_path() -> Path | None:
    """axe.min.js: ``$AXE_CORE``, an npm package ``axe-core`` here or installed globally, or a wheel that has it."""
    places = [Path(os.environ["AXE_CORE"])] if os.environ.get("AXE_CORE") else []
    places.append(Path("node_modules/axe-core/axe.min.js"))
    if npm := shutil.which("npm"):
        root = subprocess.run([npm, "root", "--global"], capture_output=True, text=True, check=False).stdout.strip()
        places.append(Path(root) / "axe-core" / "axe.min.js")
    for name in WHEELS:
        found = importlib.util.find_spec(name)
        for folder in found.submodule_search_locations or [] if found else []:
            places += sorted(Path(folder).rglob("axe.min.js"))
    return next((place for place in places if place.is_file()), None)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def served(desk_at: Callable[[str], Desk]) -> Iterator[Desk]:
    """A desk that listens on a port of this machine; ``desk_at`` makes it for its address."""
    port = free_port()
    desk = desk_at(f"http://localhost:{port}")
    server = DeskServer(desk, "127.0.0.1", port)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    assert server.started
    try:
        yield desk
    finally:
        server.should_exit = True
        thread.join(20)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def person(browser: Browser, **look: Any) -> tuple[Page, list[str]]:
    """A page of a browser with a security key of its own, and the addresses that it asks for."""
    context: BrowserContext = browser.new_context(**look)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return page, asked


def register(page: Page, desk: Desk, name: str) -> None:
    page.goto(desk.reviewers.invite(name))
    page.get_by_label("Call it").fill("virtual key")
    page.get_by_role("button", name="Make the passkey").click()
    page.get_by_text(f"Signed in as {name}.").wait_for()


def sign(page: Page) -> None:
    page.get_by_role("button", name="Sign with your passkey").click()
    page.locator(".notice.good").wait_for()


def violations(page: Page, axe: Path) -> list[str]:
    """What axe-core finds wrong with the page as it stands."""
    page.evaluate(axe.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{each['id']}: {json.dumps([node['html'][:120] for node in each['nodes']][:3])}"
        for each in found["violations"]
    ]
