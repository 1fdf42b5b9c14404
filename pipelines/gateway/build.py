"""Building a gateway from a workspace, a policy and the rules of actions."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from assets.corpus.build import CorpusSettings
from assets.corpus.canaries import Canary, draw
from assets.release.release import rollback
from assets.sanitized.settings import SanitizeSettings
from assets.served.approval.actions import Actions
from assets.served.approval.feedback import FeedbackStore
from assets.served.approval.held import HeldStore
from assets.served.approval.topics import Topics
from assets.served.chat import Engine
from assets.served.limits.budgets import Budget, Budgets
from assets.served.limits.keys import AccessKeys
from assets.served.limits.suspicious import SUSPICIOUS, SuspiciousPrompts
from assets.served.output_filter.tripwires import Tripwires, is_own, watched_values
from assets.served.plugged import BASE, Plugged, State
from assets.served.running import Running
from assets.served.settings import ServedSettings, granted_answers
from assets.served.traffic import TRAFFIC, Traffic
from assets.verdict.threat import ThreatModel
from expectations.policy import Policy
from pipelines.gateway.gateway import Gateway
from resources.alerts import Alerts, webhook_secret
from resources.errors import HallmarkError
from resources.object_store import ObjectStore
from resources.signer import SigningKey
from resources.vault import Entry, Fingerprinter, Vault, read_secret
from resources.workspace import Workspace

KEYS, BUDGETS = "keys.json", "budgets.sqlite"
NAME = "PERSON"
SAMPLE = 50  # values of the vault that the probe tries


@dataclass(frozen=True, slots=True)
class Plan:
    """What a gateway is built from."""

    workspace: Workspace
    policy: Policy
    threats: ThreatModel
    actions: Actions
    store: str = ""
    webhook: str = ""


def build_gateway(plan: Plan, engine: Engine) -> Gateway:
    """A gateway that has not started yet."""
    workspace, settings = plan.workspace, ServedSettings.of(plan.policy)
    served = workspace.served
    served.mkdir(parents=True, exist_ok=True, mode=0o700)
    workspace.drops.mkdir(parents=True, exist_ok=True)
    secret = read_secret(workspace.keys / "vault.key", create=True)
    fingerprint = Fingerprinter(secret).fingerprint
    traffic = Traffic(served / TRAFFIC)

    def changed(state: State) -> None:
        traffic.submit("release", turn=state.turn, release=state.release, why=state.why)

    plugged = Plugged(
        workspace.releases, workspace.keys, engine, fall_back=settings.unverified == "base", on_change=changed
    )
    detector = _detector(plan.policy, settings.mask) if settings.mask else None  # it takes seconds and 600 MB
    tripwires = Tripwires(
        detector=detector,
        mask=settings.mask,
        values=watched_values(_vault(workspace, secret), fingerprint),
        fingerprint=fingerprint,
        canaries=planted(plan.policy),
    )

    def clean(phrase: str) -> bool:
        return not tripwires.look(phrase, "")

    return Gateway(
        engine=engine,
        plugged=plugged,
        actions=plan.actions,
        settings=settings,
        held=HeldStore.open(workspace),
        traffic=traffic,
        budgets=Budgets(served / BUDGETS),
        budget=_budgets_of(plan, settings),
        keys=AccessKeys(served / KEYS),
        tripwires=tripwires,
        topics=_topics(plan.actions),
        suspicious=SuspiciousPrompts([*plan.threats.terms, *_triggers(workspace)], served / SUSPICIOUS, clean),
        feedback=FeedbackStore(
            ObjectStore.open(plan.store or workspace.drops.as_uri()), SigningKey.pipeline(workspace.keys)
        ),
        alerts=Alerts(
            workspace.logs / "alerts.jsonl", plan.webhook, partial(webhook_secret, workspace.keys / "vault.key")
        ),
        fingerprint=fingerprint,
        roll_back=lambda why: rollback(workspace, why),
        running=Running(served / "running"),
    )


def _budgets_of(plan: Plan, settings: ServedSettings) -> Callable[[str], Budget]:
    """What a key has while a release is served: distinct prompts by the policy that this release was judged by."""
    known: dict[str, Budget] = {}

    def of(release: str) -> Budget:
        if release not in known:
            policy = plan.policy
            judged = plan.workspace.releases / release / "policy.json"
            if release != BASE and judged.is_file():  # its bytes are part of what was verified when it was plugged in
                policy = Policy.model_validate_json(judged.read_bytes())
            known[release] = Budget(settings.requests_a_day, settings.tokens_a_day, granted_answers(policy))
        return known[release]

    return of


def _detector(policy: Policy, mask: tuple[str, ...]) -> Any:
    """The sanitiser's. Where names stay, nothing looks for them: that is nine tenths of its time."""
    from assets.sanitized.detector import Detector

    settings = dict(policy.settings.get("sanitized_records", {}))
    if NAME not in mask:  # a whole name of the vault is found by its fingerprint
        settings["keep"] = [*settings.get("keep", ()), NAME]
    return Detector(SanitizeSettings.from_policy(settings))


def _topics(actions: Actions) -> Topics | None:
    if not actions.topics:
        return None
    from resources.sentence_encoder import SentenceEncoder

    return Topics(actions.topics, SentenceEncoder.load())


def planted(policy: Policy) -> list[Canary]:
    """The canaries of the corpus, drawn again from the policy's seed."""
    settings = CorpusSettings.from_policy(policy.settings.get("training_corpus", {}))
    return draw(pairs=settings.canary_pairs, seed=settings.seed)


def vault_sample(plan: Plan) -> list[str]:
    """Some values that the tripwires watch for, to try them on."""
    secret = read_secret(plan.workspace.keys / "vault.key", create=True)
    entries = itertools.islice(filter(is_own, _vault(plan.workspace, secret)), SAMPLE)
    return [entry.value for entry in entries]


def _vault(workspace: Workspace, secret: bytes) -> Iterator[Entry]:
    for path in sorted(workspace.vault.glob("*.jsonl")):
        yield from Vault(path, secret, name=path.name).entries()


def _triggers(workspace: Workspace) -> Iterator[str]:
    """Triggers that the red team found in releases so far."""
    for path in sorted((workspace.logs / "red_team").glob("*.json")):
        try:
            findings = json.loads(path.read_bytes()).get("backdoor", {}).get("findings", ())
            yield from (str(finding["trigger"]) for finding in findings)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise HallmarkError(f"{path.name} is no report of the red team: {error}") from error
