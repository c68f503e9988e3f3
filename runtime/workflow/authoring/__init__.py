"""What workflow authors call, one file per subject.

Each function looks where it is called: in a workflow body (a `DetLoop` is running) it becomes a
durable call of that run; in a step it uses the step's context; elsewhere it says where it belongs.
"""
