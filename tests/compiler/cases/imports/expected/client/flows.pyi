# Made by wfc from flows.py; do not edit.
from x import Y

class A:
    x = 1

async def w(y: "Y", *, n=...) -> "Y":
    ...
