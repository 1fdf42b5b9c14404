"""Rules that are data: YAML files beside the code that reads them. The header of each says where its rules come from.

>>> sorted(word_lists(Path(__file__).parent / "people" / "seeds.yaml"))
['family', 'given', 'ordinary', 'places']
"""

from pathlib import Path
from typing import Any

import yaml

Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one reads the formats in a tenth of the time


def read_rules(path: Path) -> Any:
    """The file's content as plain lists, maps and texts."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)  # noqa: S506 - either is the safe loader


def word_lists(path: Path) -> dict[str, list[str]]:
    """A file of named lists: the words of each, in order. Words stand in running text, separated by white space."""
    return {name: words.split() for name, words in read_rules(path).items()}
