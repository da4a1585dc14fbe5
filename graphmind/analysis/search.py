"""Which causes explain the failures of a channel: greedy search, then polish."""

from dataclasses import replace
from itertools import islice

import numpy as np

from graphmind.analysis.candidates import rank_candidates, single
from graphmind.analysis.evidence import Tally
from graphmind.analysis.model import Candidate, Model, refit, tally, trial
from graphmind.analysis.ties import tied_items

# Measured: the loose bound while the base rate still holds unexplained failures; the polish's
# rounds; what a replacement must gain; and the rivals a cause is held against.
STRENGTH_LOW_SEARCH = 0.02
POLISH_ROUNDS = 3
REPLACEMENT_NATS = 1.0
RIVALS = 8
RIVAL_OVERLAP = 0.5
CHAIN_OVERLAP = 0.9  # Chosen.
# Measured: parts of a cause that may be several are nested in it and this much stronger.
PART_OVERLAP = 0.9
PART_STRENGTH_RATIO = 1.25
GATE_ROWS_MIN = 3
# Chosen: fewer traces at the same time say little about it.
CONTEMPORARIES_MIN = 10
GATE_STRENGTH_SHARE = 0.5


def search(model: Model) -> Model:
    """Add causes while each gains more than chance would, then polish."""
    while len(model.causes) < model.options.causes_max:
        best, objective, _ = best_addition(model)
        if best is None or objective < model.objective + model.options.gain_min:
            break
        model = refit(model, (*model.causes, best))
    for _ in range(POLISH_ROUNDS):
        merged = _merge_pairs(model)
        polished = _leave_each_out(merged)
        changed = {c.key for c in polished.causes} != {c.key for c in model.causes}
        model = polished
        if not changed:
            break
    return model


def best_addition(model: Model) -> tuple[Candidate | None, float, list[Candidate]]:
    """Candidate with the best objective once refitted, that objective, and all candidates.

    One too weak to report comes last: what nearly all traces touch would shut out, by the gate,
    the stronger cause that it stands in for.
    """
    known = {cause.key for cause in model.causes}
    ranked = [candidate for candidate in rank_candidates(model) if candidate.key not in known]
    admitted = (c for c in ranked if _significant(model, c) and _plausible(model, c.tally))
    local = (c for c in admitted if _stands_out_in_its_time(model, c))
    fresh = (c for c in local if _holds_on_fresh_traces(model, c))
    tried = [(trial(model, c), c) for c in islice(fresh, model.options.beam)]
    if not tried:
        return None, -np.inf, ranked
    enough = model.objective + model.options.gain_min
    strong = [
        (objective, candidate)
        for objective, candidate in tried
        if objective >= enough and candidate.tally.strength_low >= model.options.strength_min
    ]
    objective, best = max(strong or tried, key=lambda pair: pair[0])
    return best, objective, ranked


def _significant(model: Model, candidate: Candidate) -> bool:
    required = model.columns.search_nats_of(candidate.key) + model.options.gain_min
    return candidate.gain >= required


def _plausible(model: Model, outcome: Tally) -> bool:
    return (
        outcome.excess >= model.options.failures_min and outcome.strength_low >= STRENGTH_LOW_SEARCH
    )


def _stands_out_in_its_time(model: Model, candidate: Candidate) -> bool:
    """Whether a candidate limited to an interval also beats the other traces of that interval.

    What hits everybody for a while is no item's doing, though every item seems to fail just then;
    and an item that everybody touches all along is but another name for that time.
    """
    if not candidate.bounded:
        return True
    sample = model.sample
    first, last = sample.start_ns[candidate.rows[[0, -1]]]
    start = int(np.searchsorted(sample.start_ns, first, side="left"))
    stop = int(np.searchsorted(sample.start_ns, last, side="right"))
    others = np.setdiff1d(np.arange(start, stop), candidate.exposed, assume_unique=True)
    others = others[~model.active[others]]
    if len(others) < CONTEMPORARIES_MIN:
        return False
    weight = sample.weight[others]
    rate = float(weight[sample.failing[others]].sum() / weight.sum())
    if rate <= model.base_rate:
        return True
    survival = model.survival[candidate.rows] * (1 - rate) / (1 - model.base_rate)
    outcome = tally(model, candidate.rows, survival=survival)
    required = candidate.price + model.options.gain_min
    return outcome.gain >= required and _plausible(model, outcome)


def _holds_on_fresh_traces(model: Model, candidate: Candidate) -> bool:
    """Whether the evidence also holds on traces that no accepted cause touches.

    Else a candidate may only restate that an accepted cause hits some kinds of traces harder than
    others: without this gate precision falls from .92 to .71. Where a candidate is nested in an
    accepted cause's items, it must be as strong where that cause is not active.
    """
    if not model.causes:
        return True
    least = 0.0, GATE_STRENGTH_SHARE * float(candidate.strength[0])
    for taken, strength_low in zip((model.touched, model.active), least, strict=True):
        rows = candidate.rows[~taken[candidate.rows]]
        failures = model.sample.failing[rows].sum()
        if len(rows) < GATE_ROWS_MIN or failures < model.options.failures_min:
            continue
        outcome = tally(model, rows, survival=1.0)
        enough = outcome.gain >= candidate.price + model.options.gain_min
        if enough and _plausible(model, outcome) and outcome.strength_low >= strength_low:
            return True
    return False


def _merge_pairs(model: Model) -> Model:
    """Replace pairs that share an item by that item alone, where the objective is no lower."""
    shared = dict.fromkeys(
        column for cause in model.causes if len(cause.key) == 2 for column in cause.key
    )
    for column in shared:
        rest = tuple(cause for cause in model.causes if not _absorbed(cause, column))
        without = refit(model, rest)
        alone = single(without, column)
        merged = refit(without, (*without.causes, alone))
        if _plausible(without, alone.tally) and merged.objective > model.objective + 1e-6:
            return merged
    return model


def _absorbed(cause: Candidate, column: int) -> bool:
    """Whether the column alone would stand for the cause."""
    return cause.key == (column,) or (len(cause.key) == 2 and column in cause.key)


def _leave_each_out(model: Model) -> Model:
    """Take each cause out in turn: drop, replace or part it, or price its rivals.

    A cause is parted once: to stay, a part must gain more than parting asks for, so one that is
    dropped would come back without end.
    """
    place, parted = 0, set[tuple[int, ...]]()
    while place < len(model.causes):
        cause = model.causes[place]
        rest = refit(model, model.causes[:place] + model.causes[place + 1 :])
        best, objective, ranked = best_addition(rest)
        better = best if objective > model.objective + REPLACEMENT_NATS else None
        if better is None and model.objective < rest.objective + model.options.gain_min:
            model = rest
            continue
        kept = better or cause
        reached = objective if better else model.objective
        parts = None if kept.key in parted else _in_parts(rest, kept, ranked, reached)
        if parts:
            parted.add(kept.key)
            model = parts
            continue
        chosen = _against_rivals(rest, kept, ranked)
        if better:
            model = refit(rest, (*rest.causes[:place], chosen, *rest.causes[place:]))
        else:
            causes = (*model.causes[:place], chosen, *model.causes[place + 1 :])
            model = replace(model, causes=causes)
        place += 1
    return model


def _in_parts(
    rest: Model, cause: Candidate, ranked: list[Candidate], objective: float
) -> Model | None:
    """Put two causes in the place of one that only holds them together, where that is better.

    Two agents of a module make the module the best single step, and no single step leads back.
    """
    strength = tally(rest, cause.rows).strength
    for part in ranked:
        inside = np.isin(part.rows, cause.rows, assume_unique=True).mean()
        stronger = part.strength[0] > PART_STRENGTH_RATIO * strength
        if part.key != cause.key and stronger and inside >= PART_OVERLAP:
            one = refit(rest, (*rest.causes, part))
            other, reached, _ = best_addition(one)
            if other is not None and reached > objective + REPLACEMENT_NATS:
                return refit(one, (*one.causes, other))
            return None
    return None


def _against_rivals(rest: Model, cause: Candidate, ranked: list[Candidate]) -> Candidate:
    """Weigh a cause, left out of the model, against the candidates for the same failures."""
    objective = trial(rest, cause)
    rivals = sorted(
        ((trial(rest, rival) - objective, rival.key) for rival in _rivals(rest, cause, ranked)),
        key=lambda rival: (-rival[0], rival[1]),
    )
    odds = sum(np.exp(min(difference, 50.0)) for difference, _ in rivals)
    return replace(cause, posterior=float(1 / (1 + odds)), rivals=tuple(rivals))


def _rivals(rest: Model, cause: Candidate, ranked: list[Candidate]) -> list[Candidate]:
    """Other candidates with more than half of the failures in common.

    Tied ones excepted, and another name of the same written value: the key, and who wrote it, may
    differ by a few healthy readers and are one cause all the same.
    """
    failing = rest.sample.failing
    tied = set(tied_items(rest, cause))
    own = cause.rows[failing[cause.rows]]
    rivals = []
    for rival in ranked[:RIVALS]:
        theirs = rival.rows[failing[rival.rows]]
        common = np.isin(theirs, own, assume_unique=True).sum()
        named = {int(rest.columns.item[column]) for column in rival.key}
        other = rival.key != cause.key and rival.gain > 0 and not named <= tied
        fewer = min(len(theirs), len(own))
        chained = (
            rest.columns.in_one_chain(cause.key, rival.key) and common >= CHAIN_OVERLAP * fewer
        )
        if other and common > RIVAL_OVERLAP * fewer and not chained:
            rivals.append(rival)
    return rivals
