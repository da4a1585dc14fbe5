"""The questions of ``cypher/questions/``, asked over HTTP. Read-only."""

from dataclasses import asdict

from fastapi import APIRouter

from graphmind.graph import questions as catalogue
from graphmind_api.context import API, OpenStores
from graphmind_api.models import Answer, Asked, Column, Parameter, Question, Questions
from graphmind_api.problems import REFUSED, UNKNOWN

router = APIRouter(prefix=f"{API}/questions", tags=["questions"])


@router.get("", summary="List the questions", responses=UNKNOWN)
def read_questions(category: str = "") -> Questions:
    """Return each question, of one category or all, with its parameters and columns."""
    return Questions(items=tuple(map(_question, catalogue.list_questions(category))))


@router.post("/{name}", summary="Ask the graph a question", responses=UNKNOWN | REFUSED)
def ask(name: str, asked: Asked, stores: OpenStores) -> Answer:
    """Parameters not given take their defaults; text is read as the parameter's type."""
    columns = _columns(catalogue.question(name))
    rows = stores.graph.read(name, **asked.parameters)
    return Answer(question=name, columns=columns, rows=tuple(rows))


def _question(question: catalogue.Question) -> Question:
    return Question(
        name=question.name,
        category=question.category,
        title=question.title,
        asks=question.asks,
        parameters=tuple(Parameter(**asdict(parameter)) for parameter in question.parameters),
        columns=_columns(question),
    )


def _columns(question: catalogue.Question) -> tuple[Column, ...]:
    return tuple(Column(name=name, meaning=meaning) for name, meaning in question.columns)
