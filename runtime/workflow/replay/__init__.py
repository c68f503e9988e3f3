"""The deterministic core: facts in, decisions out.

`live.LiveRun.feed(fact)` gives one fact to a workflow body and returns the decisions it caused.
`catch_up.catch_up` brings a fresh body to the end of a log and compares every decision on the way.
`loop.DetLoop` is the event loop in between. Nothing here reads a clock, draws random numbers or
touches a network; time and randomness come out of the facts.
"""
