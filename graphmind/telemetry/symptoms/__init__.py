"""What went wrong in which trace, when and where (S02): one function a symptom."""

from graphmind.telemetry.symptoms.find import CHANNEL, find_symptoms, symptom_table
from graphmind.telemetry.symptoms.scene import Scene, Shown

__all__ = ["CHANNEL", "Scene", "Shown", "find_symptoms", "symptom_table"]
