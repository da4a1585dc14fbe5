"""The routes there are, the simplest first."""

from graphmind.classification.hybrid import HybridRoute
from graphmind.classification.neighbours import StructureRoute
from graphmind.classification.route import Route
from graphmind.classification.rules import Rule, RulesRoute
from graphmind.classification.text_routes import BoostingRoute, SvmRoute


def all_routes(rules: tuple[Rule, ...]) -> tuple[Route, ...]:
    """Return every route; the first needs no cases and is primary while there are few."""
    return RulesRoute(rules=rules), StructureRoute(), SvmRoute(), BoostingRoute(), HybridRoute()
