"""Workflow bodies in which an order could be that of the process, and all they decide.

`python -m tests.replay.orders` disturbs the allocator, runs every body in the sandbox to its end
and prints one line for each decision. `test_many_processes.py` compares the output of processes.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from typing import Any

from workflow.codec import Codec
from workflow.events import NewEvent
from workflow.replay.live import LiveRun, pack
from workflow.sandbox import Bundle, ModuleSource, Program

START = 1_700_000_000_000_000  # microseconds
TEXT = "the quick brown fox jumps over a lazy dog while nobody else is looking at it"
WORDS = TEXT.split()

COMMON = """
import asyncio, copy, csv, dataclasses, decimal, difflib, enum, functools, io, itertools
import json, operator
import random, re, string, typing, uuid
from collections import ChainMap, Counter, OrderedDict, UserDict, defaultdict, deque
from collections.abc import Set as AbstractSet
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pydantic import BaseModel, Field
from urllib.parse import urlencode
from workflow import create_hook, sleep
from workflow.abi.flow_v1 import step as _wfc_step

WORDS = %r

async def say(*values):
    return await _wfc_step("say", {"values": values})

async def echo(value):
    return await _wfc_step("echo", {"value": value})

class Plain: ...

class Quiet:
    def __str__(self):
        return super().__repr__()

@dataclass
class Box:
    tags: set = field(default_factory=set)
    kinds: frozenset = frozenset(WORDS[:4])

class Model(BaseModel):
    tags: set[str] = Field(default_factory=set)
    pairs: frozenset[tuple[str, int]] = frozenset()
    sets: typing.Set[typing.FrozenSet[str]] = Field(default_factory=set)
    named: dict[str, AbstractSet[str]] | None = None
    any: typing.Any = None

class Colour(enum.Flag):
    RED = 1
    GREEN = 2
    BLUE = 4
"""

BODIES = {
    "displays": """
    for word in {*WORDS}:
        await say(word)
    await say([*{w.upper() for w in WORDS}], list(set(WORDS)), sorted({*WORDS}, key=len))
    """,
    "operators": """
    a, b = set(WORDS[:9]), frozenset(WORDS[5:])
    await say(*map(list, (a | b, a & b, a - b, a ^ b, b | a, b - a, b ^ a)))
    a |= b; a -= {"fox"}; a ^= {"new", "dog"}; a &= set(WORDS) | {"new"}
    await say(a, b, a.pop(), a)
    """,
    "views": """
    d = dict.fromkeys(WORDS, 1)
    await say(d.keys() & set(WORDS[3:]), d.keys() - {"fox"}, d.keys() ^ ["x"], ["q"] | d.keys())
    await say(d.items() & [("fox", 1), ("dog", 1)], ChainMap(d, {"n": 1}).keys() & WORDS)
    await say(UserDict(d).keys() - {"the"}, functools.reduce(operator.or_, [d.keys(), {"z"}]))
    k = d.keys(); k &= set(WORDS[2:6]); await say(k)
    """,
    "consumers": """
    s = set(WORDS)
    await say(",".join(s), dict.fromkeys(s), min(s, key=len), max(s, key=len), Counter(s))
    await say(f"{s} {s!r}", "%s" % s, "{}".format(s), str(s), [*zip(s, s)][:3], deque(s, 3))
    first, *_ = s
    by = defaultdict(set)
    for w in s:
        by[len(w)].add(w)
    await say(first, by, [list(g) for _, g in itertools.groupby(s, key=len)], str(ValueError(s)))
    await say(json.dumps(list(s)), json.dumps({"s": s}, default=list), next(iter(s)), {1: s})
    """,
    "from_steps": """
    found = await echo({"kind": "words"})
    await say(list(found), found, [w for w in found if len(w) > 3])
    found.add("new")
    for w in found:
        await say(w)
    """,
    "records": """
    box = Box(); box.tags |= set(WORDS)
    other = Model(named={"w": WORDS}, any={*WORDS})
    await say(str(other), other.model_dump(), other.model_dump_json())
    m = Model(tags=WORDS, pairs=[(w, len(w)) for w in WORDS], sets=[WORDS[:3], WORDS[3:6]])
    await say(str(box), dataclasses.asdict(box), list(copy.deepcopy(box).tags), str(m))
    await say(m.model_dump_json(), m.model_dump(), list(m.tags), list(m.model_fields_set))
    """,
    "tasks": """
    async def work(n):
        await echo(n)
        return n
    tasks = {asyncio.create_task(work(w), name=w) for w in WORDS}
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    await say([t.get_name() for t in done], [t.get_name() for t in pending])
    for t in pending:
        t.cancel()
    await say([t.get_name() for t in (await asyncio.wait(pending))[0]])
    for next_one in asyncio.as_completed([work(w) for w in WORDS]):
        await say(await next_one)
    """,
    "groups": """
    log = []
    async def work(n):
        try:
            await echo(n)
        except asyncio.CancelledError:
            log.append(n)
            raise
    async def bad():
        await asyncio.sleep(3)
        raise ValueError("bad")
    try:
        async with asyncio.TaskGroup() as group:
            for w in WORDS:
                group.create_task(work("slow " + w))
            group.create_task(bad())
    except* ValueError as errors:
        await say(log, repr(errors))
    """,
    "races": """
    async def late(n):
        await asyncio.sleep(n % 3)
        return n
    futures = {asyncio.gather(late(n), late(n + 1)) for n in range(12)}
    done, _ = await asyncio.wait(futures)
    await say([f.result() for f in done], [f.result() for f in futures])
    plain = {asyncio.Future() for _ in range(12)}
    for number, f in enumerate(plain):
        f.set_result(number)
    await say([f.result() for f in plain], sorted(f.result() for f in set(plain)))
    try:
        async with asyncio.timeout(2):
            await echo("slow")
    except TimeoutError:
        await say("late")
    """,
    "hooks": """
    hook = create_hook(token="t-" + uuid.uuid4().hex)
    got = await hook
    await say(got, list(got["tags"]), repr(hook), str(hook))
    hook.dispose()
    """,
    "generators": """
    async def numbers(tag):
        try:
            for n in range(9):
                await asyncio.sleep(0)
                yield f"{tag}{n}"
        finally:
            await say("closed", tag)
    open_ones = {numbers(w) for w in WORDS[:5]}
    for g in open_ones:
        async for n in g:
            await say(n)
            break
    def plain():
        try:
            yield from {*WORDS}
        finally:
            pass
    await say(*itertools.islice(plain(), 5))
    """,
    "texts": """
    def f(): yield 1
    t = asyncio.create_task(asyncio.sleep(0)); lock = asyncio.Lock()
    things = [f, f(), Plain(), Plain, Quiet(), object(), lambda: 0, t, asyncio.Future(), lock,
        asyncio.gather(t), asyncio.Event(), asyncio.current_task(), asyncio, "".join, len,
        functools.partial(f, Plain()), map(f, []), iter(set(WORDS)), ContextVar("v"),
        asyncio.TaskGroup(), random.Random(1), re.compile("a"), decimal.Context(), Colour(5)]
    await say(repr(things), str(things), f"{things} {things[0]!r} {things[2]}", "%s %r" % (f, t))
    await say([str(x) for x in things], [format(x) for x in things], list(map(str, things)))
    template = "%s and %r"
    await say(template % (f, f()), "{} {!r}".format(f, t), sorted([f, Plain()], key=str) != [])
    makers = lambda: {}[f], lambda: [].remove(t), lambda: f() + 1, lambda: f.nope, lambda: f(1)
    for make in makers:
        try:
            make()
        except Exception as error:
            await say(str(error), repr(error), [a for a in error.args if isinstance(a, str)])
    out = io.StringIO()
    csv.writer(out).writerows([[f, t, lock], [1, None]])
    await say(out.getvalue(), string.Template("$a").substitute(a=f), urlencode({"f": f}), b"%a" % t)
    convert = str
    await say([*map(convert, things)])
    """,
    "collected": """
    log = []
    class Pages:
        def __init__(self, name):
            self.name, self.pages = name, self.read()
        def read(self):
            try:
                yield self.name
            finally:
                log.append((self.name, random.random()))
    for n, w in enumerate(WORDS * 40):
        pages = Pages(w)
        next(pages.pages)
        if n % 3:
            pages.pages.close()
        noise = [[] for _ in range(hash(w) % 50)]
    del pages
    await say(len(log), log[-1], random.random())
    """,
    "dispatched": """
    @functools.singledispatch
    def kind(value): return "thing"
    @kind.register
    def _(value: int | float): return "number"
    @kind.register(AbstractSet)
    def _(value): return "set " + ",".join(value)
    @kind.register(Plain)
    def _(value): return f"plain {value}"
    await say([kind(v) for v in (1, True, 2.5, {*WORDS}, frozenset(WORDS), Plain(), "a", Quiet())])
    def deep(n):
        try:
            return deep(n + 1)
        except RecursionError:
            return n
    await say(deep(0))
    """,
    "failing": """
    [].index(lambda: 0)
    """,
    "libraries": """
    graph = {w: {*WORDS[:n]} for n, w in enumerate(WORDS)}
    await say(list(TopologicalSorter(graph).static_order()))
    await say([c.name for c in Colour(7)], str(Colour(6)))
    vowel = lambda c: c in "aeiou"
    matcher = difflib.SequenceMatcher(vowel, "", "".join(WORDS), autojunk=False)
    await say(matcher.bjunk, difflib.get_close_matches("lasy", set(WORDS)), random.sample(WORDS, 4))
    await say(random.choice(WORDS), random.Random("seed").random(), random.Random().random())
    await say(set().union(*graph.values()), set.intersection(*[set(WORDS)] * 2))
    class Unready(random.Random):
        def __init__(self, label):
            self.label = label
    await say(Unready("label").random())
    """,
    "contexts": """
    v = ContextVar("v", default=frozenset(WORDS))
    async def child(n):
        v.set(v.get() | {n})
        await asyncio.sleep(0)
        return v.get()
    await say(await asyncio.gather(child("1"), child("2")), v.get())
    await say(str(decimal.Decimal(1) / 3), f"{12345:n}")
    """,
    "abandoned": """
    async def forgotten(n):
        try:
            await asyncio.sleep(500)
        finally:
            await say("never recorded", n)
    keep = [asyncio.create_task(forgotten(w)) for w in {*WORDS}]
    await asyncio.sleep(1)
    raise RuntimeError({*WORDS}, [t.get_name() for t in keep], Plain(), forgotten)
    """,
}


def bundle() -> Bundle:
    """All bodies as the workflow functions of one module."""
    bodies = "".join(f"async def {name}():{text.rstrip()}\n" for name, text in BODIES.items())
    source = COMMON % WORDS + bodies
    places = {name: ("orders", name) for name in BODIES}
    return Bundle((ModuleSource("orders", "orders.py", source),), workflows=places)


def decisions(program: Program, name: str) -> Iterator[NewEvent]:
    """Run a body to its end and yield what it decides. Steps answer in an order of ours."""
    instance = program.instantiate()
    outside = Codec(instance.classes)
    codec = Codec(instance.classes, functions=instance.functions, ordered_sets=True)
    live = LiveRun(f"wrun_{name}", name, instance.workflow(name), codec)
    chance, now = random.Random(name), START
    calls: dict[str, NewEvent] = {}

    def feed(type: str, ref: str = "", **fields: Any) -> list[NewEvent]:
        made = live.feed(NewEvent(type=type, at=now, ref=ref, **fields))
        calls.update((event.ref, event) for event in made)
        return made

    meta = pack({"seed": "0" * 31 + "7", "base_url": "http://app"})
    yield from feed("run_created", payload=outside.encode({}), meta=meta)
    while not live.ended:
        now += 1000
        ready = [ref for ref in live.steps if not _is_slow(calls[ref])]
        waiting = [ref for ref, hook in live.hooks.items() if not hook.settled]
        if waiting:
            yield from feed("hook_created", waiting[0])
            # A built-in set: its order here is that of this process.
            payload = outside.encode({"tags": set(WORDS)})
            yield from feed("hook_received", waiting[0], payload=payload)
        elif ready:
            ref = chance.choice(ready)
            yield from feed("step_completed", ref, payload=outside.encode(set(WORDS)))
        else:
            due = live.next_timer()
            assert due is not None, f"{name} is blocked"
            now = max(now, due)
            found = live.first_due(now)
            assert found is not None
            yield from feed("wait_completed", found[0])


def _is_slow(call: NewEvent) -> bool:
    return call.name == "echo" and b"slow" in (call.payload or b"")


def main() -> None:
    noise = [bytearray(random.randrange(1, 5000)) for _ in range(random.randrange(3000))]
    del noise[:: random.randrange(2, 5)]
    program = Program(bundle())
    for name in BODIES:
        for event in decisions(program, name):
            payload = (event.payload or b"").decode()
            sys.stdout.write(f"{name} {event.type} {event.ref} {event.name} {payload}\n")


if __name__ == "__main__":
    main()
