"""Searches as jobs of a Ray cluster: submitted, watched, stopped and fetched through HTTP."""

from xortune.cluster.jobs.connection import default_address
from xortune.cluster.jobs.entrypoint import cluster_folder
from xortune.cluster.jobs.job import Job
from xortune.cluster.jobs.server import JobServer

__all__ = ["Job", "JobServer", "cluster_folder", "default_address"]
