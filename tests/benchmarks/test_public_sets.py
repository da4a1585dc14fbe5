"""The loaders of the public sets read what is published; they skip where it is absent."""

import pytest

from benchmarks import petshop, tvdiag, whoandwhen
from benchmarks.nezha.cases import SYSTEMS, read_cases
from benchmarks.petshop.issues import LOADS, read_issues
from benchmarks.public import folder
from benchmarks.public.folder import DATA
from benchmarks.tvdiag.cases import read_cases as read_incidents
from benchmarks.whoandwhen.runs import SETS, read_runs


def require(name: str):
    if not (DATA / name).is_dir():
        pytest.skip(f"no folder {name} in shared/data beside the checkout")
    return DATA / name


@pytest.mark.parametrize(("system", "cases"), list(zip(SYSTEMS, (23, 25), strict=True)))
def test_every_case_of_injected_faults_has_its_files(system, cases):
    found = list(read_cases(require(system)))

    assert len(found) == cases
    assert all(path.exists() for case in found for path in case.window.traces)


@pytest.mark.parametrize(("load", "issues"), list(zip(LOADS, (13, 13), strict=True)))
def test_every_issue_of_the_shop_names_nodes_of_its_graph(load, issues):
    found = list(read_issues(require("petshop") / "dataset", load))

    assert len(found) == issues
    for issue in found:
        assert {issue.culprit, issue.alarmed} <= issue.callees.keys()
        assert issue.alarmed in issue.reference.keys() & issue.window.keys()
        assert {len(totals.cost) for totals in issue.window.values()} == {5}


@pytest.mark.parametrize(
    ("system", "cases"), list(zip(tvdiag.SYSTEMS, (550, 245, 100), strict=True))
)
def test_the_culprit_of_every_incident_could_be_at_fault(system, cases):
    found = read_incidents(require("tvdiag-events") / system)

    assert len(found) == cases
    assert all(case.culprit in case.incident.instances for case in found)


@pytest.mark.parametrize(("name", "runs"), list(zip(SETS, (63, 29), strict=True)))
def test_conversations_have_agents_and_few_wrong_labels(name, runs):
    found = read_runs(require("whoandwhen"), name)

    assert len(found) == runs
    said = [run.turns[run.step].speaker == run.culprit for run in found]
    assert sum(said) >= 0.95 * runs  # the labels of a few runs contradict themselves


def test_conversations_know_what_runs_code():
    turns = [turn for run in read_runs(require("whoandwhen"), SETS[0]) for turn in run.turns]

    assert len({turn.speaker for turn in turns if turn.kind == "tool"}) == 1


@pytest.mark.parametrize("benchmark", [petshop, tvdiag, whoandwhen])
def test_a_set_that_is_absent_is_skipped(benchmark, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(benchmark, "FOLDER", tmp_path / "nowhere")

    assert benchmark.main([]) == 0
    assert capsys.readouterr().out == "skipped: the folder shared/data/nowhere is absent\n"


def test_the_folder_lies_beside_the_checkout():
    assert folder.DATA.parts[-2:] == ("shared", "data")
