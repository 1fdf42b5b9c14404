"""What Prometheus reads at ``/metrics``. Names and numbers only."""

from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


@dataclass(frozen=True, slots=True)
class Metrics:
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    requests: Counter = field(init=False)
    turned_away: Counter = field(init=False)
    tokens: Counter = field(init=False)
    alarms: Counter = field(init=False)
    masked: Counter = field(init=False)
    seconds: Histogram = field(init=False)
    open: Gauge = field(init=False)
    held: Gauge = field(init=False)
    serving: Gauge = field(init=False)

    def __post_init__(self) -> None:
        def made(name: str, metric: object) -> None:
            object.__setattr__(self, name, metric)

        registry = self.registry
        buckets = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
        made("requests", Counter("hallmark_requests", "Requests by how they ended", ["end"], registry=registry))
        made("turned_away", Counter("hallmark_turned_away", "Requests refused unasked", ["why"], registry=registry))
        made("tokens", Counter("hallmark_tokens", "Tokens that went out or were withheld", registry=registry))
        made("alarms", Counter("hallmark_alarms", "Breaches, sweeps, suspicious prompts", ["kind"], registry=registry))
        made("masked", Counter("hallmark_masked", "Values masked in answers", registry=registry))
        made("seconds", Histogram("hallmark_seconds", "Seconds a request took", buckets=buckets, registry=registry))
        made("open", Gauge("hallmark_open", "Requests being answered", registry=registry))
        made("held", Gauge("hallmark_held", "Held calls by status", ["status"], registry=registry))
        made("serving", Gauge("hallmark_serving", "1 for the release that answers", ["release"], registry=registry))
