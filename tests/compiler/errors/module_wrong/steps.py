"use step"
from contextlib import contextmanager

import requests

class Helper:
    pass

@contextmanager
def opened():
    yield 1

async def stream():
    yield 1

