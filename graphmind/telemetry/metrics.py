"""The schemas of metric samples: as every source hands them over, and as points are archived."""

from typing import Final

import pyarrow as pa

from graphmind.telemetry.spans import ATTRIBUTES

SAMPLES: Final = pa.schema(
    [
        # Name of the signal, as `metric_signals` of the source's settings calls it.
        pa.field("name", pa.string()),
        pa.field("time_ns", pa.int64()),
        # Never NaN or infinite: such a sample is counted as rejected.
        pa.field("value", pa.float64()),
        pa.field("labels", ATTRIBUTES),
        # Exemplar: a trace that this value was observed in; null for plain samples.
        pa.field("trace_id", pa.string()),
    ]
)

POINTS: Final = pa.schema(
    [
        pa.field("name", pa.string()),
        pa.field("time_ns", pa.int64()),
        pa.field("value", pa.float64()),
        pa.field("service", pa.string()),
        pa.field("agent", pa.string()),
        pa.field("module", pa.string()),
        pa.field("region", pa.string()),
        pa.field("model_version", pa.string()),
        # All labels as sorted JSON: with name and time they identify a point.
        pa.field("labels", pa.string()),
        pa.field("trace_id", pa.string()),
    ]
)
