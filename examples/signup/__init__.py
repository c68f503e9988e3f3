"""A user signs up: `flows.py` is the workflow, `app.py` the web application around it."""
