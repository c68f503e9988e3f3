"""Steps with `run_in="process"`: a pool of processes beside the worker."""

from workflow.engine.processes.pool import Processes, size_of

__all__ = ["Processes", "size_of"]
