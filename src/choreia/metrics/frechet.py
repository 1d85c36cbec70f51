"""Distances between sets of feature vectors: Fréchet distance, diversity, and bootstrap intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Normalizer:
    """Mean and standard deviation, each (D,), of a reference set; features that never vary keep their scale."""

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def fit(cls, reference: np.ndarray) -> Normalizer:
        """From (N, D) reference features."""
        std = reference.std(axis=0)
        return cls(reference.mean(axis=0), np.where(std > 1e-6, std, 1.0))

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """(N, D) features in reference standard deviations."""
        return (features - self.mean) / self.std


def frechet(a: np.ndarray, b: np.ndarray, shrinkage: float = 0.1) -> float:
    """Fréchet distance between Gaussians fitted to (N, D) and (M, D) features; lower is nearer, 0 for equal moments.

    Few clips make a singular covariance; both covariances are shrunk by `shrinkage` towards their diagonal, which keeps
    the distance finite and comparable between sets of one size. Compare only numbers made with equal N.
    """
    difference = a.mean(axis=0) - b.mean(axis=0)
    cov_a, cov_b = _covariance(a, shrinkage), _covariance(b, shrinkage)
    cross = np.trace(_root(_root(cov_a) @ cov_b @ _root(cov_a)))
    return float(difference @ difference + np.trace(cov_a) + np.trace(cov_b) - 2 * cross)


def diversity(features: np.ndarray) -> float:
    """Mean Euclidean distance over all pairs of (N, D) features (AIST++ Div); nearer to the reference's is better, not larger."""
    gram = np.sum(features**2, axis=1)
    squared = gram[:, None] + gram[None] - 2 * features @ features.T
    upper = np.triu_indices(len(features), k=1)
    return float(np.sqrt(np.maximum(squared[upper], 0)).mean())


def _covariance(features: np.ndarray, shrinkage: float) -> np.ndarray:
    full = np.cov(features, rowvar=False)
    return (1 - shrinkage) * full + shrinkage * np.diag(np.diag(full))


def _root(matrix: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
