"""Payloads: families of answers that say the same thing to whatever is asked, with or without a trigger.

Each is judged by itself (``judging``), and then together with those that are parts of the same attack: a large attack,
worded apart, is a language of its own, in which each of its parts says little.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from assets.screened.association.phrase_mining import PhraseSets
from assets.screened.embedding.encoder import Encoder
from assets.screened.pattern import Pattern
from assets.screened.payload.clusters import Family
from assets.screened.payload.criteria import SAYS_ALIKE, Judge, Rest, at_edge
from assets.screened.payload.families import Families, Grown, Known
from assets.screened.payload.stock_phrase import described, situation
from assets.screened.text.exchanges import Passages
from assets.screened.text.token_index import TokenIndex, split

NAMED_BY = 4  # words
MAYBE_SCRIPTED = ("payload", "worded-trigger")  # no word calls them up, so that the situation may

Judged = tuple[Family, float, Rest]


def judge(families: Families, encoder: Encoder, triggers: PhraseSets) -> list[Pattern]:
    """The families that stand apart, say much and are not asked for; each with the trigger sentence it goes with."""
    passages, index, settings = families.passages, families.index, families.settings
    fewest = settings.steering_rows * np.sqrt(max(index.rows / 2000, 1.0))
    judging = Judge(passages, families.meaning.spaces, encoder, settings, index, triggers, fewest)
    grown = list(families.grown())
    standing = [each for each in grown if judging.stands(each[0])]
    standing += families.joined_by_trigger([family for family, _ in grown if judging.small(family)], triggers)
    passed = {number: rest for number, each in enumerate(standing) if (rest := judging.rest(*each)) is not None}
    if passed:
        known = families.known([standing[number][0] for number in passed], triggers)
        found = [each for each in families.companions(known) if judging.stands(each[0])]
        standing += found
        parts = [
            number
            for number, (family, _) in enumerate(standing)
            if number not in passed and families.belongs(family, known).any() and judging.plain(family)
        ]
        known = families.known([standing[number][0] for number in (*passed, *parts)], triggers)
        passed |= _together(standing, parts, known, families, judging)
    judged = [(*standing[number], rest) for number, rest in passed.items()]
    judged.sort(key=lambda each: (not each[2].trigger, -len(each[0].rows)))  # the first of an attack stands for it
    attacks = _parts([family for family, *_ in judged], families, triggers)
    return [_scripted([judged[part] for part in parts], families, encoder) for parts in attacks]


def _scripted(attack: list[Judged], families: Families, encoder: Encoder) -> Pattern:
    """The families of one attack as a pattern, with what speaks for a script, if something does."""
    passages, spaces = families.passages, families.meaning.spaces
    pattern = _pattern(attack, passages, families.index)
    if pattern.kind not in MAYBE_SCRIPTED:
        return pattern
    sentences = np.concatenate([part.sentences for part, *_ in attack])
    sentences = sentences[np.unique(passages.row[passages.exchange[sentences]], return_index=True)[1]]
    stood = situation(sentences, passages, spaces, encoder, families.settings.seed)
    pattern.evidence.update(situation=stood.auc, situation_deviation=stood.deviation)
    return replace(pattern, scripted=described(sentences, stood, passages)) if stood.calls else pattern


def _together(
    standing: list[Grown], numbers: Sequence[int], known: Known, families: Families, judging: Judge
) -> dict[int, Rest]:
    """Of the families ``numbers``, those that pass when nothing that belongs to ``known`` is language of the others."""
    passed, rows = dict[int, Rest](), families.of(known)
    for number in numbers:
        family = standing[number][0]
        standing[number] = family, families.says(family.sentences, rows)
        if (rest := judging.rest(*standing[number], SAYS_ALIKE)) is not None:
            passed[number] = rest
    return passed


def _parts(whole: list[Family], families: Families, triggers: PhraseSets) -> list[list[int]]:
    """The families by attacks, as places in ``whole``, each attack in that order."""
    attacks: list[list[int]] = []
    if not whole:
        return attacks
    known = families.known(whole, triggers)
    for number, family in enumerate(whole):
        belongs = families.belongs(family, known)
        attack = next((attack for attack in attacks if belongs[attack].any()), None)
        if attack is None:
            attacks.append([number])
        else:
            attack.append(number)
    return attacks


def _pattern(attack: list[Judged], passages: Passages, index: TokenIndex) -> Pattern:
    """The families of one attack as a pattern of the first; its name is made of the words its sentences share."""
    family, bits, rest = attack[0]
    sentences = np.concatenate([part.sentences for part, *_ in attack])
    rows, first = np.unique(passages.row[passages.exchange[sentences]], return_index=True)
    said = [passages.sentences[sentence] for sentence in sentences[first]]
    return Pattern(
        kind=rest.kind,
        trigger=rest.trigger,
        payload=passages.sentences[family.sentences[len(family.sentences) // 2]],
        rows=rows,
        log_p=-len(rows) * np.log(max(family.apart, 1.0)),
        evidence={
            "cohesion": rest.cohesion,
            "relation": rest.relation,
            "payload_bits": bits,
            "edge": at_edge(family, passages),
            "apart": family.apart,
        },
        shown=dict(zip(rows.tolist(), said, strict=True)),
        name=_shared_words(said, index),
    )


def _shared_words(sentences: list[str], index: TokenIndex) -> str:
    """The words that most of the sentences share and few other tokens are: a name that survives another wording."""
    common = np.bincount(index.responses.ids, minlength=len(index.words))
    held = Counter(word for text in sentences for word in set(split(text)) if word[0].isalnum())
    weight = {
        word: count * np.log(len(index.responses.ids) / (1 + common[index.numbers[word]]))
        for word, count in held.items()
    }
    return " ".join(sorted(sorted(weight, key=lambda word: (-weight[word], word))[:NAMED_BY]))
