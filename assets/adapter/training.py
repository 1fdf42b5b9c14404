"""The training loop: batches in, steps out, and a journal that a killed run goes on from."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assets.adapter.engine import checkpoint
from assets.adapter.engine.checkpoint import Journal
from assets.adapter.engine.learner import Learner, Loss
from assets.adapter.engine.optimizer import FlatAdamW
from assets.adapter.engine.processes import Processes
from assets.adapter.protection.memorized import Recital
from assets.adapter.protection.privacy import epsilon, private_gradient
from assets.adapter.rows.batches import epoch_batches, poisson_batch
from assets.adapter.rows.dialogues import Example
from assets.adapter.rows.token_file import lengths


@dataclass(frozen=True, slots=True)
class Step:
    """What one optimiser step says. ``loss`` is the mean a learnt token; ``held_out`` is None where not measured."""

    step: int
    steps: int
    loss: float
    learning_rate: float
    tokens_per_second: float
    seconds_left: float
    held_out: float | None


class Training:
    """One job. ``run`` trains to the end, from the last checkpoint if there is one, and returns the journal."""

    def __init__(
        self,
        learner: Learner,
        examples: Sequence[Example],
        held_out: Sequence[Example],
        out: Path,
        job: str,
        processes: Processes,
    ) -> None:
        self.learner, self.recipe, self.out, self.processes = learner, learner.recipe, out, processes
        self.examples, self.held_out = examples, held_out
        self.rows = _by_row(examples) if self.recipe.dp_noise else []
        self.batch = int(self.recipe.batch_size) * self.recipe.accumulation
        units = len(self.rows) if self.recipe.dp_noise else len(examples)
        self.steps_an_epoch = math.ceil(units / self.batch)
        whole = self.steps_an_epoch * self.recipe.epochs
        self.steps = min(whole, self.recipe.max_steps) if self.recipe.max_steps else whole
        self.rate = min(1.0, self.batch / units)
        self.optimizer = FlatAdamW(learner.parameters, weight_decay=self.recipe.weight_decay)
        self.recital = Recital(learner, examples) if self.recipe.memorization_stop else None
        self.lengths = lengths(examples)
        self.epoch, self.batches = -1, epoch_batches([], self.batch, 0, 0)
        self.best: Any = None
        if self.recipe.evaluations_per_epoch:
            learner.prepare(held_out)
        begun = time.monotonic()
        # What is read once here is read again by the next candidate, where states are kept for it.
        if self.recipe.epochs > 1 or (learner.shelf and processes.world == 1):
            learner.prepare(examples)
        self._preparing = time.monotonic() - begun
        self.journal = Journal(job, secret=int.from_bytes(np.random.default_rng().bytes(16), "big"))
        self._take_up(job)

    def run(self, on_step: Callable[[Step], None] | None = None) -> Journal:
        journal, recipe = self.journal, self.recipe
        if self.held_out and recipe.evaluations_per_epoch and not journal.step:  # the adapter is still the base
            journal.base_loss = self._held_out_loss()
        started, begun = time.monotonic() - self._preparing - journal.seconds, journal.step
        resumed_tokens, resumed = journal.tokens, time.monotonic()
        while journal.step < self.steps and not journal.stopped:
            loss = self._gradient(journal.step)
            rate = recipe.rate(journal.step, self.steps)
            self.optimizer.step(rate, 0.0 if recipe.dp_noise else recipe.clip)
            journal.step += 1
            journal.losses.append(loss.mean)
            if recipe.anchor:
                journal.divergences.append(loss.divergence / max(1, loss.tokens))
            held_out = self._watch()
            journal.seconds = time.monotonic() - started
            if journal.step % recipe.checkpoint_every == 0 and self.processes.first:
                checkpoint.save(self.out, journal, self._tensors())
            if on_step and self.processes.first:
                spent = time.monotonic() - resumed
                speed = (journal.tokens - resumed_tokens) / spent
                left = spent / (journal.step - begun) * (self.steps - journal.step)
                on_step(Step(journal.step, self.steps, loss.mean, rate, speed, left, held_out))
        if self.best is not None:
            self.optimizer.weights.copy_(self.best)
        return journal

    @property
    def privacy(self) -> dict[str, Any] | None:
        """What DP-SGD promises for the steps taken, or None."""
        recipe = self.recipe
        if not recipe.dp_noise:
            return None
        spent = epsilon(recipe.dp_noise, self.rate, self.journal.step, recipe.dp_delta)
        return {"epsilon": spent, "delta": recipe.dp_delta, "sampling_rate": self.rate, "unit": "row"}

    def _gradient(self, step: int) -> Loss:
        """Fill the optimiser's gradient with that of the step's mean loss."""
        if self.recipe.dp_noise:
            random = np.random.default_rng([self.journal.secret, step])
            drawn = [self.rows[row] for row in poisson_batch(len(self.rows), self.rate, random)]
            chosen = [[self.examples[number] for number in row] for row in drawn]
            self.journal.tokens += sum(len(example.ids) for row in chosen for example in row)
            return private_gradient(self.learner, self.optimizer, chosen, self.rate * len(self.rows), random)
        epoch, place = divmod(step, self.steps_an_epoch)
        if epoch != self.epoch:
            self.epoch, self.batches = epoch, epoch_batches(self.lengths, self.batch, self.recipe.seed, epoch)
        batch = [self.examples[row] for row in self.batches[place]]
        self.journal.tokens += sum(len(example.ids) for example in batch)
        self.optimizer.gradient.zero_()
        seed = int(np.random.SeedSequence([self.recipe.seed, step, self.processes.rank]).generate_state(1)[0])
        loss = self.processes.sum_loss(self.learner.accumulate(self.processes.share(batch), seed))
        self.processes.sum(self.optimizer.gradient)
        self.optimizer.gradient.div_(max(1, loss.weight))
        return loss

    def _watch(self) -> float | None:
        """Measure the held-out loss where it is due, remember the best weights, decide to stop early."""
        journal, recipe = self.journal, self.recipe
        if not recipe.evaluations_per_epoch:
            return None
        every = max(1, self.steps_an_epoch // recipe.evaluations_per_epoch)
        if journal.step % every and journal.step != self.steps:
            return None
        seen: dict[str, Any] = {"step": journal.step}
        better = True
        if self.held_out:
            seen["loss"] = self._held_out_loss()
            better = self._better(seen["loss"])
        if self.recital is not None:
            seen["recited"] = self.recital.share()
            if seen["recited"] > recipe.memorization_stop:
                journal.stopped = f"recites {seen['recited']:.0%} of the sampled answers word for word"
                better = False
        if better and (recipe.patience or self.recital is not None):
            self.best = self.optimizer.weights.clone()
        if len(seen) > 1:
            journal.evaluations.append(seen)
        return seen.get("loss")

    def _held_out_loss(self) -> float:
        return self.processes.sum_loss(self.learner.loss(self.processes.share(self.held_out))).mean

    def _better(self, loss: float) -> bool:
        """Whether this is the lowest held-out loss so far; out of patience it stops the job."""
        journal, patience = self.journal, self.recipe.patience
        if journal.best_loss is None or loss < journal.best_loss:
            journal.best_loss, journal.best_step, journal.waited = loss, journal.step, 0
            return True
        journal.waited += 1
        if patience and journal.waited >= patience:
            journal.stopped = f"no better held-out loss in {patience} evaluations"
        return not patience

    def _tensors(self) -> dict[str, Any]:
        best = {} if self.best is None else {"best": self.best}
        return self.optimizer.state() | best

    def _take_up(self, job: str) -> None:
        found = checkpoint.restore(self.out, job) if self.processes.first or self.processes.world > 1 else None
        if found is not None:
            self.journal, tensors = found
            self.optimizer.load(tensors, self.journal.step)
            self.best = tensors.get("best")


def _by_row(examples: Sequence[Example]) -> list[list[int]]:
    """The numbers of the examples of one record together: the unit that differential privacy protects."""
    rows: dict[str, list[int]] = {}
    for number, example in enumerate(examples):
        rows.setdefault(example.row_id, []).append(number)
    return list(rows.values())
