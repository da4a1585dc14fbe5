"""Tables of accuracy: ours, trivial methods, and what others published, in one."""

from collections.abc import Mapping, Sequence

from benchmarks.public.places import Place, figures, wilson

_WIDTH = 44


def print_places(
    title: str,
    methods: Mapping[str, Sequence[Place]],
    published: Mapping[str, float] | None = None,
    seconds: Mapping[str, float] | None = None,
) -> None:
    """Print a line a method. What is published are Acc@1 alone, on these cases or on more."""
    head = "".join(f"{name:>7}" for name in ("Acc@1", "Acc@3", "Acc@5", "MRR"))
    print(f"\n{title:{_WIDTH}}{'cases':>6}{head}   95 % of Acc@1  CPU s")
    for name, places in methods.items():
        values = figures(places)
        low, high = wilson(values["Acc@1"], len(places))
        row = "".join(f"{value:7.3f}" for value in values.values())
        took = f"{seconds[name]:9.2f}" if seconds and name in seconds else ""
        print(f"{name:{_WIDTH}}{len(places):6}{row}   {low:.3f}-{high:.3f}{took}")
    for name, share in (published or {}).items():
        print(f"{f'published: {name}':{_WIDTH + 6}}{share:7.3f}")


def print_shares(
    title: str, columns: Sequence[str], rows: Mapping[str, Sequence[Sequence[bool | float]]]
) -> None:
    """Print the mean of each column with its interval; a row holds the cases of each column."""
    print(f"\n{title:{_WIDTH}}{'cases':>6}" + "".join(f"{name:>24}" for name in columns))
    for name, cells in rows.items():
        row = ""
        for cases in cells:
            share = sum(cases) / len(cases)
            low, high = wilson(share, len(cases))
            row += f"{f'{share:.3f} ({low:.3f}-{high:.3f})':>24}"
        print(f"{name:{_WIDTH}}{len(cells[0]):6}{row}")
