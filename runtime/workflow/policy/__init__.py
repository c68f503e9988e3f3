"""Pure calculations about time: durations, due times, retries. `now` is always an argument."""
