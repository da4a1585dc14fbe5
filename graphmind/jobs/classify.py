"""The class of an incident's root cause, by rules and by the cases confirmed (S06)."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from graphmind.archive.port import Archive
from graphmind.classification.case import Case
from graphmind.classification.choice import Choice, choice_from, choose
from graphmind.classification.folds import learnable
from graphmind.classification.judge import Judge, fit_judge
from graphmind.classification.route import Route
from graphmind.classification.routes import all_routes
from graphmind.classification.rules_file import rules_from
from graphmind.classification.verdict import Classification, classification_of, confirmed
from graphmind.jobs.cases import CASE, case_in, confirmed_cases
from graphmind.settings import Settings

CLASSIFIER: Final = "classifier"
"""Kind of the document that the choice of the primary route is archived as, and its id."""


def classify(archive: Archive, settings: Settings, incident_id: str) -> Classification:
    """Say of which class the root cause of an incident is, or why nothing can be said.

    The primary route is chosen again when the confirmed cases have changed enough. Models are not
    stored: they are fitted to the cases again, and kept in memory until a case changes. Raises
    UnknownName where there is no such incident, SettingsError where the rules cannot be read.
    """
    incident = archive.incident(incident_id)
    routes, cases = all_routes(rules_from(settings.rules)), confirmed_cases(archive)
    choice = _current_choice(archive, routes, cases)
    known = archive.documents(CASE).get(incident_id)
    if known:
        return confirmed(incident, known, choice, cases=len(cases))
    primary = next(route for route in routes if route.name == choice.route)
    weighed = _fitted(primary, learnable(cases)).weigh(case_in(archive, incident))
    return classification_of(incident, weighed, choice, cases=len(cases))


def _current_choice(archive: Archive, routes: Sequence[Route], cases: Sequence[Case]) -> Choice:
    """Return the choice archived if it still holds for the cases, else make it and archive it."""
    stored = archive.documents(CLASSIFIER).get(CLASSIFIER)
    choice = choice_from(stored) if stored else None
    if choice is None or not choice.holds_for(cases, routes):
        choice = choose(routes, cases)
        archive.replace_documents(CLASSIFIER, {CLASSIFIER: choice.document()})
    return choice


@lru_cache(maxsize=2)
def _fitted(route: Route, cases: tuple[Case, ...]) -> Judge:
    """Fit a route, once for the same cases and rules."""
    return fit_judge(route, cases)
