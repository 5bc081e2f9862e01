"""The only training loop: phases of a recipe, run on whatever device there is."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from typing import Any

from headstart.evaluation.diagnosis import CurvePoint
from headstart.evaluation.wording import metric_name
from headstart.progress import Track
from headstart.ragged import flat, shaped
from headstart.training.checkpoint import Checkpoints, Saved, Tensors, lay_in, tensors_of
from headstart.training.crossing import Crossing, as_good, is_better
from headstart.training.finished import serves
from headstart.training.pace import Pace
from headstart.training.phase import Phase, factor, look_every
from headstart.training.position import Position
from headstart.training.stepping import Diverged, Stepper
from headstart.training.supply import Supply, Taken
from headstart.training.work import Parts, Work, look

_TIMED = 6  # steps by which the speed is first judged when time is short
_SLACK = 0.05  # a plan is not changed for less than this share of what is left of it: single steps differ by more
_LOWER, _MOST_ROLLBACKS = 0.3, 3  # after a divergence: the rate's factor; how often before giving up
_DIVERGED = 1.5  # mean loss above this many times chance, or the start where that is worse
_TELLING = 5  # steps from whose mean loss that is told: single batches differ
_KEPT_SHARE = 4  # retained rows a step: the batch divided by this


class Engine:
    """One run of a recipe, from ``work``, in place."""

    def __init__(self, work: Work) -> None:
        trainee, options = work.trainee, work.options
        self._work = work
        self.trainee, self.processes, self.progress = trainee, work.processes, work.progress
        self.position = Position()
        self.before = 0.0  # seconds of runs that were broken off
        self.best: Tensors = {}
        self.kept_held: Any = None  # answers of the best look, and of the weights kept in the end
        self.crossing = self._crossing()
        self._track = Track()
        self.chosen = False  # whether held-out rows are answered by looks that were chosen among several
        self._back: Tensors = {}
        self._names = {f"objective.{name}" for name, _ in trainee.objective.named_parameters()}
        self._origin = (
            {name: p.detach().clone() for name, p in trainee.network.named_parameters()} if options.l2sp else {}
        )
        self._checkpoints = Checkpoints(options.keep) if options.keep else None
        self._saved = time.monotonic()
        self._allowed = math.nan if options.seconds is None else options.seconds
        self._pace = self._paced(0.0)

    def resume(self) -> Tensors | None:
        """Go on from a checkpoint, where there is one for about as much time; the optimiser's state to lay in."""
        found = self._checkpoints.load() if self._checkpoints else None
        if found is None or not serves(found.position.cut_to, self._work.options.seconds):
            return None
        self.before = found.position.spent
        self.position, self.best, self._back = found.position, found.best, found.back
        answers = {name: shaped(values, self._work.held_y) for name, values in found.answers.items()}
        self.kept_held = answers.get("best")
        self.crossing = self._crossing(answers.get("crossed"), answers.get("last"))
        lay_in(self.trainee, found.model)
        self._pace = self._paced(self.position.spent)
        self.progress.say(f"  going on from step {self.position.done} of a run that was broken off")
        return found.moments

    def _paced(self, spent: float) -> Pace:
        """The clock of a run that has taken ``spent`` seconds before, and what its loading took now."""
        work = self._work
        return Pace(work.options.seconds, work.processes, spent + work.loading, work.closing)

    def note(self, phase: Phase) -> None:
        """Take ``phase``'s weights for ones that have moved: it was run before the checkpoint."""
        self.trainee.thaw(phase)
        self._names |= {name for name, _ in self.trainee.moving()}

    def has_moved(self, names: Iterable[str]) -> bool:
        """Whether any of the network's parameters ``names`` was let move by a phase so far."""
        return any(f"network.{name}" in self._names for name in names)

    def run_phase(
        self,
        phase: Phase,
        parts: Parts,
        scheduled: int,
        moments: Tensors | None = None,
        later: int = 0,
    ) -> None:
        """Train ``phase`` from where the position stands in it.

        Args:
            scheduled: optimiser steps, over which the rate rises and falls.
            moments: the optimiser's state of a checkpoint.
            later: steps of the phases still to come, for which time is left.
        """
        self._phase, self._parts = phase, parts
        self._stepper = Stepper(self._work, phase, parts, self._origin, moments)
        self._name_moving()
        position = self.position
        position.total = position.total or scheduled  # of a checkpoint it may be shortened for want of time
        self._whole, self._scheduled, self._cut_before = scheduled, position.total, position.cut_to
        self._between = self._every(position.total)
        self._pace.begin(position.total - position.step, later)
        with self.progress.track("training", position.total) as self._track:
            if position.step == 0:
                position.waited, position.start_loss = 0, math.nan
                if not position.done:
                    self._look()
                self._stand()
            while position.step < position.total and position.stopped == "finished":
                try:
                    self._epoch()
                except Diverged as trouble:
                    self._roll_back(str(trouble))

    def next_phase(self) -> None:
        """Stand at the start of the next phase, with the best weights of this one."""
        position = self.position
        if self.best:
            lay_in(self.trainee, self.best)
        position.phase, position.step, position.total, position.stopped = position.phase + 1, 0, 0, "finished"

    def finish(self) -> None:
        """Lay the best weights in, or keep the last ones where they are as good.

        They are as good to within the standard error of the held-out rows, and training came to the end of its schedule
        (see `crossing.as_good`).
        """
        position, finished = self.position, self.position.stopped == "finished"
        if self.crossing is not None:
            self.chosen = self.crossing.settle(position.done, finished)
            if finished and position.best_done:
                self._settle(self.crossing, position.curve[-1])
        if self.best:
            lay_in(self.trainee, self.best)
        self.trainee.eval()

    def _settle(self, crossing: Crossing, last: CurvePoint) -> None:
        """Keep the weights of the last look where it is as good as the best."""
        position = self.position
        if as_good(crossing.metric, last.valid_score, position.best_score, len(crossing.halves)):
            position.best_done, position.best_score, position.best_loss = last.step, last.valid_score, last.valid_loss
            self.best, self.kept_held = {}, crossing.last

    def done(self) -> None:
        """The run's result is safe elsewhere: remove its checkpoint."""
        if self._checkpoints and self.processes.first:
            self._checkpoints.clear()

    def _name_moving(self) -> None:
        """Add the phase's weights to those that are kept; until now they were what the best look saw."""
        moving = {name for name, _ in self.trainee.moving()}
        if self.best:
            now = tensors_of(self.trainee, moving - self.best.keys())
            self.best |= {name: tensor for name, tensor in now.items() if name not in self.best}
        self._names |= moving

    def _epoch(self) -> None:
        """The rest of the epoch that the position stands in."""
        position, supply, batch = self.position, self._parts.train, self._work.options.batch
        epoch, start = divmod(position.step, supply.batches(batch))
        retained = self._retained()
        began = time.perf_counter()
        for taken in supply.epoch(epoch, batch, start, self.progress):
            self._step(taken, next(retained) if retained else None)
            self._pace.stepped(time.perf_counter() - began)
            self._track.at(position.step, position.total)
            if position.step < position.total and self._pace.over:
                position.stopped, position.cut_to = "budget", self._allowed
            if position.step == _TIMED:
                self._plan()
            due = position.step - position.back[0] >= self._between or position.step >= position.total
            if due or position.stopped == "budget":
                self._look()
                self._plan()
            if position.stopped != "finished":
                break
            self._save()
            if position.step >= position.total:
                break
            began = time.perf_counter()

    def _every(self, total: int) -> int:
        """Steps from one look to the next in ``total``; where time is short, looks get no more than their share."""
        least = self._pace.least if total < self._whole else 0.0
        return look_every(total, self._parts.train.batches(self._work.options.batch), least)

    def _retained(self) -> Iterator[Taken] | None:
        """Batches of retained rows from the one for the next step on, without end."""
        supply = self._parts.retained
        if supply is None:
            return None
        size = max(1, self._work.options.batch // _KEPT_SHARE)
        epoch, start = divmod(self.position.step, supply.batches(size))

        def batches(epoch: int, start: int) -> Iterator[Taken]:
            while True:
                yield from supply.epoch(epoch, size, start, self.progress)
                epoch, start = epoch + 1, 0

        return batches(epoch, start)

    def _step(self, taken: Taken, kept: Taken | None) -> None:
        position, began = self.position, time.perf_counter()
        rate = factor(position.step, self._scheduled, self._phase.warmup) * position.factor
        position.add_loss(*self._stepper.step(position, taken, kept, rate))
        if math.isnan(position.start_loss):
            position.start_loss = position.mean_loss()
        position.step, position.done = position.step + 1, position.done + 1
        position.seen += len(taken.rows)
        position.seconds += time.perf_counter() - began

    def _plan(self) -> None:
        """Fit the schedule, over which the rate rises and falls, to the steps that the time allows.

        Where the machine turns out quicker than it seemed, steps that were taken away are given back.
        """
        position = self.position
        if position.stopped != "finished" or position.step >= position.total:
            return
        planned = self._whole
        for _ in range(2):  # fewer steps have fewer looks among them
            planned = position.step + max(1, self._pace.fitting(self._whole - position.step, self._every(planned)))
        if abs(planned - position.total) <= _SLACK * (position.total - position.step) and planned < self._whole:
            return
        if planned == position.total:
            return
        self.progress.detail(f"  time is short: {planned} steps instead of {self._whole}")
        position.total = self._scheduled = planned
        position.cut_to = self._allowed if planned < self._whole else self._cut_before
        self._between = self._every(planned)

    def _look(self) -> None:
        """Judge the weights by the held-out rows; keep the best, stop when they get no better."""
        position, began = self.position, time.perf_counter()
        train_loss = position.mean_loss()
        position.losses = (0.0, 0.0)
        starts = [position.start_loss, *(point.valid_loss for point in position.curve[:1])]
        starts = [self.trainee.objective.chance, *filter(math.isfinite, starts)]
        if position.step - position.back[0] >= _TELLING and train_loss > _DIVERGED * max(starts):
            raise Diverged(f"the loss rose to {train_loss:.3g}")
        losses = f"training loss {train_loss:.3f}" if math.isfinite(train_loss) else ""
        if self._parts.held is not None:
            self._judge(self._parts.held, train_loss)
            seen = position.curve[-1]
            scored = f"validation loss {seen.valid_loss:.3f}, {metric_name(self._work.options.metric)}"
            losses = ", ".join(filter(None, (losses, f"{scored} {seen.valid_score:.3f}")))
        if losses:
            self._track.note(losses)
        self._stand()
        self._pace.looked(time.perf_counter() - began)

    def _judge(self, held: Supply, train_loss: float) -> None:
        position = self.position
        seen = look(self._work, held)
        if position.done and not math.isfinite(seen.loss):
            raise Diverged("the held-out loss is no longer a number")
        epoch = position.seen * self.processes.count / max(1, len(self._parts.train.feed.rows))
        rate = position.factor * factor(max(0, position.step - 1), self._scheduled, self._phase.warmup)
        rate = self._phase.rate * rate if position.done else 0.0
        position.curve.append(CurvePoint(position.done, epoch, train_loss, seen.loss, seen.score, rate))
        metric = self._work.options.metric
        if self.crossing is not None:
            self.crossing.see(position.done, seen.answers, seen.halves)
        if not self.best or is_better(metric, seen.score, seen.loss, position.best_score, position.best_loss):
            position.best_score, position.best_loss, position.best_done = seen.score, seen.loss, position.done
            position.waited, self.kept_held = 0, seen.answers
            self.best = tensors_of(self.trainee, self._names)
            return
        position.waited += 1
        if position.waited >= self._work.options.patience and position.stopped == "finished":
            position.stopped = "stopped early"

    def _stand(self) -> None:
        """Take the weights as they are for what a divergence goes back to."""
        position = self.position
        is_best = bool(self.best) and position.best_done == position.done and position.waited == 0
        self._back = self.best if is_best else tensors_of(self.trainee, self._names)
        position.back = position.step, position.done

    def _roll_back(self, trouble: str) -> None:
        """Back to the last look's weights, with a fresh optimiser and a lower rate."""
        position = self.position
        position.rollbacks += 1
        lay_in(self.trainee, self._back)
        position.step, position.done = position.back
        position.losses = (0.0, 0.0)
        self._stepper.restart()
        if position.rollbacks > _MOST_ROLLBACKS:
            position.stopped = "diverged"
            self.progress.say(f"  {trouble}: training ends with the best weights so far")
            return
        position.factor *= _LOWER
        self.progress.say(f"  {trouble}: back to step {position.done} with {_LOWER:g} x the learning rate")

    def _crossing(self, held: Any = None, last: Any = None) -> Crossing | None:
        """Of the looks of a run with held-out rows, so far as the position has seen them."""
        work = self._work
        if work.halves is None:
            return None
        return Crossing(work.halves, work.options.metric, self.position.marks, held, last)

    def _answers(self) -> dict[str, Any]:
        """What a checkpoint keeps of the looks; of rows of several items, the answers of these."""
        found = {"best": self.kept_held}
        if self.crossing is not None:
            found |= {"crossed": self.crossing.held, "last": self.crossing.last}
        return {name: flat(answers) for name, answers in found.items() if answers is not None}

    def _save(self) -> None:
        """Keep a checkpoint now and then."""
        if self._checkpoints is None or time.monotonic() - self._saved < self._work.options.every:
            return
        if self.processes.first:
            self.position.spent = self._pace.spent
            model = tensors_of(self.trainee, self._names)
            saved = Saved(self.position, model, self.best, self._back, self._answers())
            self._checkpoints.save(saved, self._stepper.optimizer)
        self._saved = time.monotonic()
