"""CPU time of the desk's pages with 10,000 rows waiting: the first one, which reads them, and those after it."""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from authenticator import Authenticator
from starlette.testclient import TestClient

from assets.outcome import Removal
from pipelines.desk.app import build
from pipelines.desk.desk import Desk
from tests.benchmarks import figures
from tests.benchmarks.figures import Figure
from tests.lineage import Lineage
from tests.pipelines.desk.conftest import ORIGIN, quarantine, row

REPEATS = 7
PATHS = ("/rows", "/rows?page=100", "/rows?rule=secret.github", "/", "/log", "/log?page=100")


def main(rows: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        lineage = Lineage(Path(folder) / "home")
        _fill(lineage, rows)
        desk = Desk(lineage.workspace, lineage.policy, lineage.threats, lineage.workspace.drops.as_uri(), ORIGIN)
        Authenticator().passkey("ada").write(lineage.workspace.keys)
        cookie, _ = desk.sessions.start("ada")
        client = TestClient(build(desk), base_url=ORIGIN, cookies={"desk": cookie})
        print(f"{rows:,} rows wait, {rows:,} decisions in the log; CPU seconds, median of {REPEATS} [least, most]")
        first = _spent(client, "/rows")
        print(f"{'the first page (reads every row and decision)':48} {first:.3f}")
        taken = [Figure("the first page (reads every row and decision)", first, unit="CPU s")]
        for path in PATHS:
            spent = sorted(_spent(client, path) for _ in range(REPEATS))
            taken.append(Figure(f"`{path}`", statistics.median(spent), low=spent[0], high=spent[-1], unit="CPU s"))
            print(f"{path:48} {statistics.median(spent):.3f} [{spent[0]:.3f}, {spent[-1]:.3f}]")
    return taken


def _fill(lineage: Lineage, rows: int) -> None:
    """A fifth of the rows encrypted, and as many decisions on other rows in the log."""
    sealed = rows // 5
    why = "messages[1].content carried what looks like a live credential; revoke it, then decide on the row"
    secret = Removal("sanitized_records", "secret.github", why, "[CREDENTIAL_1] in place of 40 characters")
    short = Removal("validated_records", "too-short", "the answer has 1 word", "1 word")
    text = "A customer asks where a parcel is, and is told in a few friendly sentences where to look. " * 4
    made = [row(f"{n:020x}", n, prompt=f"{n}? {text}", completion=text) for n in range(rows)]
    quarantine(lineage, "validated_records", "20261201-chat", [(each, short) for each in made[:sealed]])
    quarantine(lineage, "sanitized_records", "20261201-chat", [(each, secret) for each in made[sealed:]])
    body = {"action": "release", "stage": "sanitized_records", "reviewer": "ada", "reason": "revoked"}
    lineage.log.append_all([("review", {**body, "target": f"{n + rows:020x}"}) for n in range(rows)])


def _spent(client: TestClient, path: str) -> float:
    start = time.process_time()
    answer = client.get(path)
    assert answer.status_code == 200 and "Sign in with" not in answer.text
    return time.process_time() - start


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    figures.option(parser)
    given = parser.parse_args()
    figures.write(given.json, main(given.rows))
