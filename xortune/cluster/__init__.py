"""Searches on Ray: workers that train packs, and Ray Tune that drives them."""

from xortune.cluster.runner import ray_runner

__all__ = ["ray_runner"]
