"""Why a value cannot be recorded, in words that say what to do instead."""

from __future__ import annotations

import enum
import io
import threading
import types
import weakref
from typing import Any

__all__ = ["Refused", "advice_for", "failed_code", "join_path", "segment"]

_FUNCTIONS = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodWrapperType,
)
_LOCKS = (
    type(threading.Lock()),
    type(threading.RLock()),
    threading.Event,
    threading.Condition,
    threading.Semaphore,
    threading.local,
)
_ITERATORS: tuple[type, ...] = (
    type({}.keys()),
    type({}.values()),
    type({}.items()),
    map,
    filter,
    zip,
    enumerate,
)
# Values of ours that live where they were made, and what goes on from there in their place.
_OURS = {
    "Run": "a run's handle cannot be recorded. Pass its run_id; get_run(run_id) finds it again",
    "Hook": "a hook belongs to the body that opened it. Pass its token, or what it has given",
    "Webhook": "a webhook belongs to the body that opened it. Pass its url, or what it has given",
    "HookRecord": "what is known of an open hook cannot be recorded. Pass its token; "
    "get_hook_by_token(token) finds it again",
}
_LONGEST = 60  # characters of a key in a path
_PLAIN = (str, bytes, int, float, dict, list, tuple, set, frozenset)


class Refused(Exception):
    """A value that cannot be recorded; every container on the way out adds where it was."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.trail: list[str] = []

    def at(self, step: object) -> None:
        """Add the key or index at which the value was found."""
        self.trail.append(segment(step))


def segment(step: object) -> str:
    """One step of a path: a field, a key or an index."""
    if type(step) is str and len(step) <= 200 and step.isidentifier():
        return f".{step}"
    try:
        shown = repr(step)
    except Exception:  # code of the key's class, or an integer of too many digits
        shown = f"a {type(step).__name__}"
    return f"[{shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + '...'}]"


def join_path(start: str, refused: Refused) -> str:
    """The whole path to the refused value, such as `args.order.items[3].callback`."""
    return start + "".join(reversed(refused.trail))


def failed_code(kind: type, wrong: Exception) -> str:
    """What is said when code of a value's class raises while the value is recorded."""
    try:
        text = str(wrong)
    except Exception:
        text = ""
    found = f"{type(wrong).__name__}: {text}" if text else type(wrong).__name__
    return (
        f"code of {type.__getattribute__(kind, '__module__')}."
        f"{type.__getattribute__(kind, '__qualname__')} failed while its value was recorded: "
        f"{found}. Pass the data it holds."
    )


def advice_for(value: Any) -> str:
    """One or two sentences: what was found, why it cannot be recorded, what to write instead."""
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if kind.__module__.startswith("workflow.") and kind.__name__ in _OURS:
        return f"{_OURS[kind.__name__]}."
    if isinstance(value, type):
        return (
            f"the class {value.__module__}.{value.__qualname__} is not in the build's manifest. "
            "Pass an instance's data, or define the class in a module that `wfc build` reads."
        )
    if isinstance(value, _FUNCTIONS):
        return _advice_for_function(value)
    if hasattr(kind, "__await__"):
        return "something awaitable cannot be recorded. Await it first and pass its result."
    if isinstance(value, types.GeneratorType):
        return (
            "a generator cannot be recorded. Collect it with list(...), or write it with "
            "`async def`: an asynchronous one that a step returns becomes a stream."
        )
    if isinstance(value, types.ModuleType):
        return f"the module {value.__name__} cannot be recorded. Import it where it is used."
    if isinstance(value, io.IOBase):
        return (
            "an open file cannot be recorded. Pass its path and open it inside a step, "
            "or pass the bytes it holds."
        )
    if isinstance(value, _LOCKS) or kind.__module__ == "asyncio.locks":
        return (
            "a lock or other synchronisation object cannot be recorded: it only means something "
            "in this process. Create it where it is used."
        )
    if isinstance(value, _ITERATORS) or hasattr(kind, "__next__"):
        return f"{name} is a view or iterator, not a value. Wrap it in list(...)."
    if isinstance(value, weakref.ReferenceType):
        return "a weak reference cannot be recorded. Pass the object itself."
    return _advice_for_class(value, kind, name)


def _advice_for_function(value: Any) -> str:
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    if name.endswith("<lambda>"):
        return (
            'a lambda cannot be recorded. Write it with def, mark that "use step" and build again; '
            "or pass the data it needs and call it inside a step."
        )
    if not isinstance(value, (types.FunctionType, types.MethodType)):
        return (
            f"a function such as {name} cannot be recorded. Pass a name and look the function up "
            "inside a step."
        )
    return (
        f"a function can only be recorded when it is a step or workflow of the build, and "
        f'{module}.{name} is none. Mark it "use step" and run `wfc build`; or pass the data it '
        "needs and call it inside a step."
    )


def _advice_for_class(value: Any, kind: type, name: str) -> str:
    modelled = (
        isinstance(value, enum.Enum)
        or hasattr(kind, "__dataclass_fields__")
        or hasattr(kind, "__pydantic_fields__")
        or hasattr(kind, "_fields")
        or hasattr(kind, "__workflow_serialize__")
    )
    if modelled and kind.__module__.startswith("workflow."):
        return (
            f"a {kind.__name__} of workflow cannot be recorded. Pass what you need of its fields."
        )
    if modelled:
        return (
            f"the class {name} is not in the build's manifest, so its values could not be read "
            "back. Define it at the top level of a module that `wfc build` reads, and build again."
        )
    for plain in _PLAIN:
        if isinstance(value, plain):
            return (
                f"{name} is a subclass of {plain.__name__} and would come back as another type. "
                f"Convert it first: {plain.__name__}(value)."
            )
    if kind.__module__ == "pydantic.types" and kind.__name__.startswith("Secret"):
        return (
            f"a {kind.__name__} hides its value, and a log would show it. Pass a name, and look "
            "the secret up inside a step."
        )
    if kind.__module__.partition(".")[0] == "numpy":
        return f"{name} is a numpy value. Convert it first: value.tolist()."
    return (
        f"{name} cannot be recorded. Pass its data, make the class a dataclass, "
        "or give it __workflow_serialize__ and __workflow_deserialize__."
    )
