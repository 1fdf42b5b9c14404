"""The fast tagger is spaCy, only faster."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources import entity_tagger
from resources.entity_tagger import EntityTagger, bundled_model
from resources.errors import ModelError


@pytest.fixture(scope="module")
def tagger() -> EntityTagger:
    return EntityTagger.load()


PIECES = (
    "Maria Gonzalez lives in New York City . Acme Corp. paid $5,000 on Monday isn't they'd \n  \n the of Dr. Wei's 12 "
    "São Tomé London Bridge , and ( )"
)
WORDS = st.sampled_from(PIECES.split(" "))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.lists(WORDS, max_size=25).map(" ".join), st.text(max_size=40)), max_size=6))
def test_entities_are_spacys(tagger: EntityTagger, texts: list[str]) -> None:
    expected = [[(e.start_char, e.end_char, e.label_) for e in doc.ents] for doc in tagger.nlp.pipe(texts)]
    assert tagger.entities(texts) == expected


def test_the_form_cache_starts_over_when_full(tagger: EntityTagger, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["Angela Merkel met Shinzo Abe in Berlin."]
    expected = tagger.entities(texts)
    monkeypatch.setattr(entity_tagger, "MAX_FORMS", 12)
    for at in range(6):
        tagger.entities([f"filler{at} word{at} form{at} text{at}"])
        assert tagger.entities(texts) == expected


def test_another_network_is_refused_at_load(tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        EntityTagger.load(tmp_path / "absent")
    folder = tmp_path / "model"
    shutil.copytree(bundled_model(), folder, ignore=shutil.ignore_patterns("ner"))
    with pytest.raises(ModelError):
        EntityTagger.load(folder)
