"""ASGI: the flow, step and webhook handlers, and mounting them. Start reading at `mount.py`."""
