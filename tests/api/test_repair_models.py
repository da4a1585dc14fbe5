"""The API's bodies are the records of repair, field by field."""

from dataclasses import fields

import pytest
from graphmind_api import repair_models as models

from graphmind.repair import model, record


@pytest.mark.parametrize(
    ("described", "documented"),
    [
        (model.Call, models.RepairCall),
        (model.Step, models.RepairStep),
        (model.Impact, models.Impact),
        (model.Plan, models.Plan),
        (record.Approval, models.Approval),
        (record.StepRun, models.StepRun),
    ],
)
def test_the_api_describes_every_field_of_a_repair(described, documented):
    assert {field.name for field in fields(described)} == set(documented.model_fields)


def test_a_repair_is_its_record_and_the_hash_of_its_plan():
    own = {field.name for field in fields(record.Repair)}

    assert own | {"plan_hash"} == set(models.Repair.model_fields)
