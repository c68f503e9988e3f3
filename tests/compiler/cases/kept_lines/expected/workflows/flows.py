



import asyncio
from workflow import create_hook





LIMIT = 3
TABLE = {
    "a": 1,

    "b": 2,
}


async def one_line(x: int) -> int: return await _wfc_step("step//flows.py//one_line", {"x": x})


async def only_a_docstring(x: int) -> None:
    """Does nothing.

    use of this: none."""
    return await _wfc_step("step//flows.py//only_a_docstring", {"x": x})







# A comment that belongs to the workflow.
async def main(x: int) -> int:
    '''Use
    all of them.'''

    "use workflow"  # with a comment

    for _ in range(LIMIT):
        x = await one_line(x)  # tab	inside
    await only_a_docstring(x)

    async def inner(y: int) -> int:
        json = y
        return json

    text = f"""
{x}
  # not a comment
"""
    await asyncio.gather(inner(len(text)), inner(TABLE["a"]))
    await create_hook(token="t")
    return x
    # the end





from workflow.abi.flow_v1 import step as _wfc_step
