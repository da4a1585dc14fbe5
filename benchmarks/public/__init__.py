"""What the benchmarks on public data sets share: where they lie, places in rankings, tables."""
