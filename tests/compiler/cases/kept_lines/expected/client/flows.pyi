# Made by wfc from flows.py; do not edit.

async def main(x: int) -> int:
    '''Use
    all of them.'''
    ...
