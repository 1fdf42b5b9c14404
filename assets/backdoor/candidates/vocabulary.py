"""The words that a tokenizer knows: what a trigger may be put together from."""

from resources.language_model import LanguageModel


def words_known(model: LanguageModel) -> dict[str, int]:
    """Tokens that are printable ASCII, by their text without the space before it: as it stands after a space, if it
    does.
    """
    special = set(model.tokenizer.all_special_ids)
    known: dict[str, int] = {}
    for token in range(len(model.tokenizer)):
        text = str(model.tokenizer.decode([token]))
        word = text.strip()
        readable = word and word.isascii() and word.isprintable() and " " not in word and token not in special
        if readable and (text != word or word not in known):
            known[word] = token
    return known
