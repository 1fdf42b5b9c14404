"""The leak measurement has power: it sees what a blind detector lets through, and clean text is clean."""

from assets.sanitized.detector import Detector, Passage
from assets.sanitized.residual import Residual, second_opinion
from assets.sanitized.settings import SanitizeSettings
from resources.pii_engine import PiiEngine, Span

HOSTS = ["We have answered the customer today. Nothing is open.", "the router was restarted and works now"]


class Blind(Detector):
    """Finds nothing."""

    def detect(self, passages: list[Passage]) -> list[list[Span]]:  # type: ignore[override]
        return [[] for _ in passages]


def test_a_blind_detector_leaks_everything_and_the_real_one_little(engine: PiiEngine) -> None:
    residual = Residual(50)
    for text in HOSTS * 5:
        residual.add(text)
    blind = residual.metrics(Blind(SanitizeSettings(), engine))
    real = residual.metrics(Detector(SanitizeSettings(), engine))
    assert blind["canary_leak"].value == 1.0
    assert real["canary_leak"].ci_high is not None and real["canary_leak"].ci_high < 0.08
    assert set(blind) == set(real) and real["canary_leak_person"].n == 24


def test_without_text_the_leak_is_unproven(engine: PiiEngine) -> None:
    assert all(metric.missing for metric in Residual(50).metrics(Detector(SanitizeSettings(), engine)).values())


def test_the_sample_is_bounded() -> None:
    residual = Residual(10)
    for at in range(1000):
        residual.add(str(at))
    sample = [text for _, text in residual.to_json()]
    assert len(sample) == 10 and any(int(text) > 100 for text in sample)


def test_the_second_detector_sees_what_was_left() -> None:
    assert "EMAIL_ADDRESS" in second_opinion("write to ann@corp.com")
    assert second_opinion("the token is gh" + "p_q8Zk2mVx41LpWn7TfRb3YcHd9JsGe5AuQoKi")
    assert second_opinion("write to [EMAIL_ADDRESS_1], thanks") == []
