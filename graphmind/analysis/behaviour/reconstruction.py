"""Reconstruction: a trace is unusual if what is usual cannot rebuild its vector."""

from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neural_network import MLPRegressor

from graphmind.analysis.behaviour.detectors import Arrays
from graphmind.telemetry.grouped import Floats


@dataclass(frozen=True, kw_only=True)
class PrincipalComponents:
    """PCA; what no component rebuilds and how far a trace lies along each component both count.

    The loss is the combined index of process monitoring (Yue and Qin 2001): squared distance along
    each component over its variance, and the remainder over ``ridge``.
    """

    ridge: float = 0.01
    """Added to every variance, in squared standard deviations of a column. Measured without labels:
    average precision 0.62 at 0.01, 0.60 at 0.05, 0.57 at 0.2."""
    name: str = "pca"

    def fit(self, vectors: Floats) -> Arrays:
        """Learn centre and precision matrix."""
        with np.errstate(invalid="ignore"):  # Shares of no variance at all, which are not used.
            fitted = PCA(svd_solver="full").fit(vectors)
        components, variance = fitted.components_, fitted.explained_variance_
        weights = 1 / (variance + self.ridge) - 1 / self.ridge
        precision = np.eye(vectors.shape[1]) / self.ridge + (components.T * weights) @ components
        return {"centre": fitted.mean_, "precision": precision}

    def score(self, model: Arrays, vectors: Floats) -> Floats:
        """Return the combined index."""
        away = vectors - model["centre"]
        loss: Floats = np.maximum(((away @ model["precision"]) * away).sum(axis=1), 0.0)
        return loss

    def residuals(self, model: Arrays, vectors: Floats) -> Floats:
        """Return the roots of reconstruction-based contributions (Alcala and Qin 2009), signed.

        The square of one is what the loss falls by if that value becomes what the others imply.
        """
        pulls = (vectors - model["centre"]) @ model["precision"]
        residuals: Floats = pulls / np.sqrt(np.diag(model["precision"]))
        return residuals


@dataclass(frozen=True, kw_only=True)
class Autoencoder:
    """A perceptron that rebuilds vectors through few hidden units; residuals over their usual size.

    Trained by scikit-learn, applied by numpy: what is stored are weights, never an object.
    """

    hidden: int = 8
    epochs: int = 60
    name: str = "autoencoder"

    def fit(self, vectors: Floats) -> Arrays:
        """Learn weights, and how large residuals usually are."""
        clipped = _clipped(vectors)
        network = MLPRegressor(
            hidden_layer_sizes=(self.hidden,),
            activation="tanh",
            learning_rate_init=3e-3,
            batch_size=min(200, len(vectors)),
            random_state=0,
        )
        for _ in range(self.epochs):
            network.partial_fit(clipped, clipped)
        model = {
            "in": network.coefs_[0],
            "in_bias": network.intercepts_[0],
            "out": network.coefs_[1],
            "out_bias": network.intercepts_[1],
        }
        spread = np.maximum((clipped - _rebuilt(model, clipped)).std(axis=0), 0.01)
        return model | {"spread": spread}

    def score(self, model: Arrays, vectors: Floats) -> Floats:
        """Return the sum of squared residuals."""
        loss: Floats = (self.residuals(model, vectors) ** 2).sum(axis=1)
        return loss

    def residuals(self, model: Arrays, vectors: Floats) -> Floats:
        """Return residuals over their usual size."""
        clipped = _clipped(vectors)
        residuals: Floats = (clipped - _rebuilt(model, clipped)) / model["spread"]
        return residuals


def _clipped(vectors: Floats) -> Floats:
    """Bound extremes, which would rule the squared error that a network is trained by."""
    return np.clip(vectors, -5.0, 5.0)


def _rebuilt(model: Arrays, vectors: Floats) -> Floats:
    hidden = np.tanh(vectors @ model["in"] + model["in_bias"])
    rebuilt: Floats = hidden @ model["out"] + model["out_bias"]
    return rebuilt
