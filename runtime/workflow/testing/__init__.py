"""What tests of worlds and of workflows are made of."""

from workflow.testing.clock import VirtualClock
from workflow.testing.conformance import WorldConformance
from workflow.testing.finish import finish, settle

__all__ = ["VirtualClock", "WorldConformance", "finish", "settle"]
