

from workflow import FatalError, sleep


async def charge(order: str, amount: int = 0) -> int:
    return await _wfc_step("step//flows.py//charge", {"order": order, "amount": amount})



async def ship(item: str) -> str:
    return await _wfc_step("step//flows.py//ship", {"item": item})



async def refund(order: str) -> None:
    return await _wfc_step("step//flows.py//refund", {"order": order})


async def release(order: str) -> None:
    return await _wfc_step("step//flows.py//release", {"order": order})


async def stock(item: str) -> int:
    return await _wfc_step("step//flows.py//stock", {"item": item})



async def branches(order: str, total: int, vip: bool = False) -> str:
    """Every way to branch."""
    "use workflow"
    if total == 0:
        return "free"
    if total < 0:
        raise FatalError("negative")
    elif total > 1000:
        await charge(order, total)
    elif total > 100 and await stock(order):
        await ship(order)
    else:
        label = "small"
    paid = await charge(order) if vip else await stock(order)
    match paid:
        case 0 | 1:
            await ship("one")
        case int(n) if n > 10:
            await ship(f"{await stock('many')}")
        case _:
            pass
    assert paid, "nothing paid"
    return "done" if paid else "free"


async def loops(items: list[str], tries: int = 3) -> list[str]:
    """Loops in loops, with every way out."""
    "use workflow"
    done = []
    for item in items:
        if not item:
            continue
        while await stock(item) < 1:
            tries -= 1
            if tries < 0:
                break
            await sleep("5m")
        else:
            done.append(await ship(item))
    for number in range(3):
        tries += number
    sizes = [await stock(item) for item in done if item]
    while True:
        if sum(sizes) > 10:
            break
        await sleep(60)
    return done


async def errors(order: str) -> str:
    """A try in a loop, which jumps pass on their way out."""
    "use workflow"
    for attempt in range(3):
        try:
            await charge(order)
            if attempt == 2:
                raise ValueError("too late")
            if attempt == 1:
                return "second"
        except ValueError:
            await refund(order)
            continue
        except (KeyError, LookupError) as error:
            raise
        else:
            await ship(order)
            break
        finally:
            await release(order)
    return "done"
from workflow.abi.flow_v1 import step as _wfc_step
