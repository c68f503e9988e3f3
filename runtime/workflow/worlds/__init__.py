"""The storages that come with the runtime: `memory` and `local`. Both speak `workflow.world`."""
