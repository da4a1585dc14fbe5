"""The property graph, declared once.

Docstrings and ``Doc`` texts are the user documentation: constraints, upserts, the schema page and
the Browser style are generated from here, and every question is checked against it. Node instances
are what an inventory yields: ``Agent(key="shop/router", region="eu")``.
"""

from graphmind.graph.schema import edges, nodes, verdicts
from graphmind.graph.schema.declare import (
    Edge,
    Node,
    Property,
    Ref,
    Shared,
    SharedEdge,
    declared,
    key_of,
    label,
    properties,
    relationship,
)
from graphmind.graph.schema.edges import RESOURCES
from graphmind.graph.schema.nodes import (
    Agent,
    AgentInstance,
    Change,
    Endpoint,
    ErrorCode,
    KvKey,
    LogPattern,
    Model,
    ModelVersion,
    Module,
    PromptVersion,
    Region,
    Service,
    Span,
    Task,
    Tool,
    Trace,
)
from graphmind.graph.schema.verdicts import (
    Approval,
    AuditEntry,
    Cause,
    Fingerprint,
    Incident,
    JournalHead,
    Lease,
    Repair,
    RepairStep,
    Strategy,
    Switch,
)

NODES: dict[str, type[Node]] = {
    label(cls): cls
    for module in (nodes, verdicts)
    for cls in vars(module).values()
    if isinstance(cls, type) and issubclass(cls, Node) and cls.__module__ == module.__name__
}
"""Node types by label, in the order of their declaration."""

EDGES: dict[str, type[Edge]] = {
    relationship(cls): cls
    for cls in vars(edges).values()
    if isinstance(cls, type) and issubclass(cls, Edge) and cls.__module__ == edges.__name__
}
"""Relationship types by stored name, in the order of their declaration."""

__all__ = [
    "EDGES",
    "NODES",
    "RESOURCES",
    "Agent",
    "AgentInstance",
    "Approval",
    "AuditEntry",
    "Cause",
    "Change",
    "Edge",
    "Endpoint",
    "ErrorCode",
    "Fingerprint",
    "Incident",
    "JournalHead",
    "KvKey",
    "Lease",
    "LogPattern",
    "Model",
    "ModelVersion",
    "Module",
    "Node",
    "PromptVersion",
    "Property",
    "Ref",
    "Region",
    "Repair",
    "RepairStep",
    "Service",
    "Shared",
    "SharedEdge",
    "Span",
    "Strategy",
    "Switch",
    "Task",
    "Tool",
    "Trace",
    "declared",
    "key_of",
    "label",
    "properties",
    "relationship",
]
