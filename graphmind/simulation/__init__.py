"""A seeded simulator of an agent platform that plants incidents and states the truth about them."""

from graphmind.simulation.files import write
from graphmind.simulation.incidents import INCIDENT_KINDS, Planted
from graphmind.simulation.scenario import Scenario
from graphmind.simulation.simulate import Simulation, simulate

__all__ = ["INCIDENT_KINDS", "Planted", "Scenario", "Simulation", "simulate", "write"]
