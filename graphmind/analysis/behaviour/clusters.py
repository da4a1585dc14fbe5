"""Clusters of vectors: DBSCAN for irregular shapes, K-Means with the number by silhouette."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.spatial import KDTree
from scipy.spatial.distance import cdist
from sklearn.cluster import DBSCAN, KMeans
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # untyped library

from graphmind.analysis.behaviour.detectors import Arrays
from graphmind.telemetry.grouped import Floats
from graphmind.telemetry.tree import Ints

REACH: Final = 1.2
"""How much further than its furthest member a cluster reaches: others are to come (chosen)."""
ROUNDING: Final = 1e-5
"""Share that stored numbers may be off."""


@dataclass(frozen=True, kw_only=True)
class Density:
    """DBSCAN; a vector's loss is its distance to the nearest core vector."""

    neighbours: int = 10
    """Within ``eps`` of a core vector (chosen)."""
    vectors_max: int = 3000
    """Learnt from; more are thinned evenly, because pairs are compared (chosen)."""
    name: str = "dbscan"

    def fit(self, vectors: Floats) -> Arrays:
        """Learn core vectors and their clusters; ``eps`` is the knee of the k-distance curve."""
        vectors = vectors[:: -(-len(vectors) // self.vectors_max)]
        eps = self._knee(vectors)
        fitted = DBSCAN(eps=eps, min_samples=self.neighbours).fit(vectors)
        core = fitted.core_sample_indices_
        if not len(core):  # No place is dense: the middle stands for what is usual.
            return {"core": vectors.mean(axis=0)[None], "cluster": np.zeros(1), "eps": np.zeros(1)}
        cluster = fitted.labels_[core].astype(np.float64)
        return {"core": vectors[core], "cluster": cluster, "eps": np.array([eps])}

    def _knee(self, vectors: Floats) -> float:
        """Return the distance furthest below the chord of the sorted k-distances."""
        nearest = min(self.neighbours + 1, len(vectors))
        found, _ = KDTree(vectors).query(vectors, k=[nearest])
        distance = np.sort(np.asarray(found)[:, 0])
        chord = np.linspace(distance[0], distance[-1], len(distance))
        return max(float(distance[np.argmax(chord - distance)]), 1e-6)

    def score(self, model: Arrays, vectors: Floats) -> Floats:
        """Return the distance to the nearest core vector."""
        return _nearest(vectors, model["core"])[1]

    def label(self, model: Arrays, vectors: Floats) -> Ints:
        """Return the cluster of the nearest core vector within ``eps``."""
        core, distance = _nearest(vectors, model["core"])
        own = model["cluster"].astype(np.int64)[core]
        return np.where(distance <= model["eps"][0], own, -1)


@dataclass(frozen=True, kw_only=True)
class Centres:
    """K-Means; a vector's loss is its distance to the nearest centre."""

    clusters_max: int = 12
    silhouette_min: float = 0.25
    """Below it there is no structure (Kaufman and Rousseeuw 1990): one cluster."""
    vectors_max: int = 5000
    """Learnt from; more are thinned evenly (chosen)."""
    judged_max: int = 2000
    """Vectors whose silhouettes are compared (chosen: pairs are)."""
    radius_max: float = np.inf
    """A vector further away is in no cluster."""
    name: str = "kmeans"

    def fit(self, vectors: Floats) -> Arrays:
        """Learn centres, the largest cluster first, and how far each reaches."""
        vectors = vectors[:: -(-len(vectors) // self.vectors_max)]
        best, centres = self.silhouette_min, vectors.mean(axis=0)[None]
        distinct = len(np.unique(vectors, axis=0))
        judged = vectors[:: -(-len(vectors) // self.judged_max)]
        for number in range(2, min(self.clusters_max + 1, distinct)):
            fitted = _centres(vectors, number)
            labels = _nearest(judged, fitted)[0]
            if not 1 < len(np.unique(labels)) < len(judged):
                continue
            silhouette = float(silhouette_score(judged, labels))
            if silhouette > best:
                best, centres = silhouette, fitted
        return self._sized(centres, vectors)

    def _sized(self, centres: Floats, vectors: Floats) -> Arrays:
        label, distance = _nearest(vectors, centres)
        size = np.bincount(label, minlength=len(centres))
        order = np.lexsort((*centres.T, -size))
        order = order[size[order] > 0]
        radius = np.array([distance[label == own].max() for own in order])
        return {"centre": centres[order], "radius": np.minimum(REACH * radius, self.radius_max)}

    def score(self, model: Arrays, vectors: Floats) -> Floats:
        """Return the distance to the nearest centre."""
        return _nearest(vectors, model["centre"])[1]

    def label(self, model: Arrays, vectors: Floats) -> Ints:
        """Return the nearest cluster that reaches so far, -1 where none does."""
        distance = cdist(vectors, model["centre"])
        distance[distance > model["radius"] * (1 + ROUNDING)] = np.inf
        label: Ints = np.where(np.isinf(distance).all(axis=1), -1, distance.argmin(axis=1))
        return label


def _centres(vectors: Floats, number: int) -> Floats:
    # So few vectors are not worth threads, which wait for each other on a busy machine.
    with threadpool_limits(1):
        fitted = KMeans(number, n_init=4, random_state=0).fit(vectors)
    centres: Floats = fitted.cluster_centers_
    return centres


def _nearest(vectors: Floats, points: Floats) -> tuple[Ints, Floats]:
    """Return the nearest point of each vector, and the distance."""
    distance, nearest = KDTree(points).query(vectors)
    return np.asarray(nearest, np.int64), np.asarray(distance, np.float64)
