"""Cases for tests, written by what tells them apart."""

from graphmind.classification.case import Case, features_of, lines_of


def case(
    label="",
    *lines,
    case_id="inc-1",
    symptom="error",
    cause=("tool",),
    codes=None,
    tree=(),
    numbers=None,
):
    """Return a case whose failing spans say these lines and hold these tokens, in all traces."""
    return Case(
        case_id=case_id,
        symptom=symptom,
        cause_kinds=cause,
        codes=lines_of(codes or {}),
        lines=lines_of(dict.fromkeys(lines, 1.0)),
        structure=features_of(dict.fromkeys(tree, 1.0)),
        numbers=features_of(numbers or {}),
        label=label,
    )


def crowd(label, count, *lines, tree=(), first=0):
    """Return cases of one class: the same lines and tokens, and one of their own in each."""
    return [
        case(
            label,
            *lines,
            f"{'abcdefghijklmnopqrstuvwxyz'[n]} spoke",
            case_id=f"{label}-{n}",
            tree=tree,
            numbers={"traces": float(n)},
        )
        for n in range(first, first + count)
    ]


def three_classes(count=6):
    """Return cases of three classes that differ in text, and two of them in structure."""
    return [
        *crowd("dns_failed", count, "no such host", tree=("tool error", "step ok")),
        *crowd("out_of_memory", count, "heap exhausted", tree=("tool error", "step ok")),
        *crowd("model_hang", count, "still waiting", tree=("model hang", "step ok")),
    ]
