"""What every candidate of a base is compared with, measured before there is one: its answers, the judges, the control.

Nothing here is of a candidate. An evaluation finds all of it among the base's remembered measures, and measures it
itself where this was not run.
"""

from pathlib import Path

from assets.golden.control.refusals import caught_on_control, hardly_refuses
from assets.golden.evaluate import judge_of, judged_judges
from assets.golden.inference.looks import sources_of
from assets.golden.inference.sequential import ALPHA
from assets.golden.items import load_golden
from assets.golden.judges import LABELLED
from assets.golden.measures.answers import Decoding, base_answers
from assets.golden.refusal.classifier import WEIGHTS
from assets.golden.remembered import Remembered
from assets.golden.settings import EvaluationSettings
from expectations.policy import Policy
from resources.digests import digest_file
from resources.language_model import LanguageModel


def rehearse(base: Path, *, golden: Path | None, settings: EvaluationSettings, policy: Policy, cache: Path) -> None:
    """Ask the base what an evaluation asks it first, and make the control for refusals where it needs one."""
    whole, model = load_golden(golden), LanguageModel.load(base)
    remembered = Remembered.of(base, cache, [digest_file(LABELLED), digest_file(WEIGHTS)])
    judged_judges(model, remembered)
    sources = sources_of(whole, settings, ALPHA)
    on_control = hardly_refuses(model, sources, settings, remembered)
    decoding = Decoding(settings.temperature, settings.seeds)
    for source in sources:
        if source.answered and source.items and not (on_control and source.name == "harmful"):
            base_answers(model, source.name, source.items[: source.sizes[0]], decoding, remembered)
    del model
    if on_control:
        caught_on_control(base, whole.suites["harmful"], settings, judge_of(policy), cache)
