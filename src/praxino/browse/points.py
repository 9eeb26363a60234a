"""Where each clip of an index lies on a map of two dimensions: PCA, or UMAP where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from praxino.errors import UserError, nearest
from praxino.printable import printable
from praxino.search.exact import BLOCK_BYTES, forget

How = Literal["pca", "umap"]
Vectors = NDArray[np.float32]

NEIGHBOURS = 15  # that UMAP looks at, its own default
LEAST = 5  # clips of which UMAP makes a map
SEED = 0
ROUNDING = 1e-6  # of the largest spread


def points_of(vectors: Vectors, how: How = "pca") -> NDArray[np.float32]:
    """A map of vectors.

    Args:
        vectors: [rows, d], as they lie on the disk, or in memory. PCA holds a block of them at a time; UMAP all.
        how: pca: the two directions in which they differ most; umap: a map that keeps neighbours together.

    Returns:
        float32 [rows, 2] from -1 to 1, both axes in one scale. The same vectors give the same map.

    Raises:
        UserError: if there is no such map, UMAP is not installed, or fails, or there are too few clips for it.
        ValueError: if there are vectors that are no finite numbers.
    """
    if how not in get_args(How):
        raise UserError(f"--map: there is no '{how}'.{nearest(str(how), get_args(How))}")
    return within_one(umap(vectors) if how == "umap" else pca(vectors))


def blocks(vectors: Vectors) -> Iterator[tuple[int, Vectors]]:
    """The first row of each block, and the block; the system may take back the memory of those that were seen."""
    step = max(1, BLOCK_BYTES // (4 * max(vectors.shape[1], 1)))
    for first in range(0, len(vectors), step):
        block = vectors[first : first + step]
        yield first, block
        forget(vectors, first, first + len(block))


def pca(vectors: Vectors) -> NDArray[np.float64]:
    """The two principal components, exact, in double precision.

    Of many vectors by sums of all and of their products; of fewer than they have dimensions, by the dot products of
    each with each, so that neither time nor memory grows with more than the smaller number.

    The number of each direction that is largest in size is positive, so that no map comes out in a mirror.

    Returns:
        float64 [rows, 2]; zeros where the vectors have fewer dimensions.

    Raises:
        ValueError: if there are vectors that are no finite numbers.
    """
    rows, dim = vectors.shape
    middle, directions = _of_few(vectors) if rows < dim else _of_many(vectors)
    largest = directions[np.abs(directions).argmax(0), np.arange(directions.shape[1])]
    directions = directions * np.where(largest < 0, -1, 1)
    found = np.zeros((rows, 2))
    for first, block in blocks(vectors):
        found[first : first + len(block), : directions.shape[1]] = (block - middle) @ directions
    return found


def _of_many(vectors: Vectors) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The middle [d] and the directions [d, 2 at most] in which vectors differ most; a block of them at a time."""
    rows, dim = vectors.shape
    total, products = np.zeros(dim), np.zeros((dim, dim))
    for _, block in blocks(vectors):
        wide = np.asarray(block, np.float64)
        total += wide.sum(0)
        products += wide.T @ wide
    middle = total / rows
    return middle, _first_two(products / rows - np.outer(middle, middle))[1]


def _of_few(vectors: Vectors) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """As `_of_many`: directions are sums of vectors, weighted by the eigenvectors of their dot products."""
    wide = np.asarray(vectors, np.float64)
    middle = wide.mean(0)
    wide = wide - middle
    squares, weights = _first_two(wide @ wide.T)
    lengths = np.sqrt(np.maximum(squares, 0))
    # What is left of a direction in which they do not differ is rounding, which must not be scaled to the length 1.
    return middle, wide.T @ (weights / np.where(lengths > ROUNDING * lengths[0], lengths, np.inf))


def _first_two(symmetric: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The largest eigenvalues, two at most, and their eigenvectors as columns."""
    if not np.isfinite(symmetric).all():
        raise ValueError("there are vectors that are no finite numbers")
    values, own = np.linalg.eigh(symmetric)
    return values[::-1][:2], own[:, ::-1][:, :2]


def umap(vectors: Vectors) -> NDArray[np.float64]:
    """UMAP by cosine similarity with a fixed seed, on one core.

    Raises:
        UserError: if it is not installed, or fails, or there are too few clips.
    """
    try:
        from umap import UMAP
    except ImportError:
        raise UserError("--map umap needs umap-learn: pip install 'praxino[umap]'") from None
    if len(vectors) < LEAST:
        raise UserError(f"--map umap needs {LEAST} clips or more, and the index has {len(vectors)}: pass --map pca")
    near = min(NEIGHBOURS, len(vectors) - 1)
    # What it begins with by default is computed of eigenvectors that very few clips do not have.
    begin = "spectral" if len(vectors) > NEIGHBOURS else "random"
    try:
        made = UMAP(n_neighbors=near, metric="cosine", init=begin, random_state=SEED, n_jobs=1).fit_transform(
            np.array(vectors)
        )
    except Exception as error:
        said = printable(f"{type(error).__name__}: {error}")
        raise UserError(f"umap-learn could not make the map ({said}): pass --map pca") from None
    found: NDArray[np.float64] = np.asarray(made, np.float64)
    if not np.isfinite(found).all():
        raise UserError("umap-learn left clips without a place on the map: pass --map pca")
    return found


def within_one(points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Points moved and scaled, by one factor for both axes, so that they just reach from -1 to 1."""
    low, high = points.min(0), points.max(0)
    reach = float((high - low).max()) / 2
    scaled: NDArray[np.float32] = ((points - (low + high) / 2) / (reach or 1.0)).astype(np.float32)
    return np.clip(scaled, -1, 1)
