from graphmind_loaders.pull.remembered import AGAIN_NS, NOTICED_MAX, Remembered

from graphmind.graph.schema.nodes import Change, Model, Service


def fresh(remembered, *nodes, now_ns=0):
    return list(remembered.fresh(nodes, now_ns))


def test_only_what_is_new_or_differs_is_handed_on():
    remembered = Remembered()
    old, new = Model(name="m", provider="a"), Model(name="m", provider="b")

    assert fresh(remembered, old) == [old]
    assert fresh(remembered, old) == []
    assert fresh(remembered, new, Service(name="m")) == [new, Service(name="m")]


def test_what_was_gone_and_is_back_is_handed_on_again():
    remembered, node = Remembered(), Model(name="m")
    fresh(remembered, node)
    fresh(remembered)

    assert fresh(remembered, node) == [node]


def test_all_is_handed_on_again_after_a_while_noticed_changes_too():
    remembered, node, change = Remembered(), Model(name="m"), Change(key="c")
    remembered.notice([change])

    assert fresh(remembered, node) == [node, change]
    assert fresh(remembered, node, now_ns=AGAIN_NS - 1) == []
    assert fresh(remembered, node, now_ns=AGAIN_NS) == [node, change]


def test_what_a_store_did_not_get_to_comes_with_the_next_pull():
    remembered, nodes = Remembered(), (Model(name="a"), Model(name="b"))
    broken_off = remembered.fresh(nodes, 0)
    next(broken_off)
    del broken_off

    assert fresh(remembered, *nodes) == [nodes[1]]


def test_noticed_changes_are_bounded():
    remembered = Remembered()
    remembered.notice(Change(key=str(n)) for n in range(NOTICED_MAX + 5))

    assert [one.key for one in fresh(remembered)][:1] == ["5"]
