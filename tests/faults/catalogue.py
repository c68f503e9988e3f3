"""What docs/faults.md lists, in its order: what goes wrong, and what follows. The tests are found
by their marks. A third entry says why there is no test, or what the tests leave out.
"""

from __future__ import annotations

__all__ = ["SECTIONS"]

Row = tuple[str, str] | tuple[str, str, str]

SECTIONS: dict[str, dict[str, Row]] = {
    "Processes that die or stop": {
        "F1": (
            "A worker is killed before the body of a step begins",
            "Another worker begins it: on SQLite at its next sign of life, on PostgreSQL when the "
            "lease has run out.",
        ),
        "F2": (
            "A worker is killed between the end of a body and the commit of its result",
            "The body runs once more, under the same step id; one result is recorded.",
        ),
        "F3": (
            "A worker is killed just after a commit, before anybody hears of it",
            "What is recorded is not done again, and the run goes on from there.",
        ),
        "F4": (
            "A worker is killed while it replays a log",
            "The next one replays it again. No step is called twice, and nothing is recorded "
            "meanwhile.",
        ),
        "F5": (
            "Workers are killed at random for a minute while 200 runs are at work",
            "All runs end, each result is recorded once, and no log has a gap.",
        ),
        "F6": (
            "A worker is stopped (SIGSTOP) for longer than its lease and then goes on",
            "Another one has taken over. What the first one wants to record is refused; after that "
            "it is of use again.",
        ),
        "F7": (
            "Such a worker writes to a stream",
            "The write is refused. Readers get each value of the attempt that counts once.",
        ),
        "F8": (
            "Two workers finish the same attempt at the same moment",
            "One of them wins, and the other one is told.",
        ),
        "F20": (
            "A step or a workflow kills its process whenever it runs: exit, crash, out of memory",
            "Attempts are counted when they are handed out. The run fails with a reason, and what "
            "runs beside it completes. A MemoryError that Python raises is an error of the step.",
        ),
        "F38": (
            "A worker gets SIGTERM in the middle of steps",
            "It finishes what finishes in time and hands the rest over at once, uncounted: what "
            "was claimed a moment ago as well, and what had written to a stream or answered a "
            "request. Where its database is down, the lease runs out instead.",
        ),
        "F50": (
            "A worker is killed between a commit and the word to the parent or child it concerns",
            "The word is part of the commit, so there is nothing to lose: no child is orphaned or "
            "started twice.",
        ),
    },
    "The database and the way to it": {
        "F9": (
            "PostgreSQL is stopped with `immediate` under load, and started again",
            "Nothing that was acknowledged is lost, and workers are back within five seconds.",
        ),
        "F10": (
            "The database is down, or its name unknown, when a process starts",
            "`wfc worker` says so and waits. A web application does not come up, and says why.",
        ),
        "F11": (
            "The server ends one of our connections, whichever it is",
            "It is made again, the one that listens included; the next run goes through.",
        ),
        "F12": (
            "A connection is cut after COMMIT was sent and before the answer",
            "What happened is read again. Nothing is recorded twice.",
        ),
        "F13": (
            "A connection swallows everything without being closed",
            "Time-outs end it; another worker takes over when the lease has run out.",
        ),
        "F14": (
            "Answers come late, and some never",
            "Everything is slower, and as correct as ever.",
        ),
        "F15": (
            "The server ends a transaction of ours because of a deadlock",
            "It is run again, and nobody notices.",
        ),
        "F16": (
            "All connections of the pool are in use",
            "Whoever comes waits. The sign of life has a connection of its own.",
        ),
        "F17": (
            "A notification is lost",
            "A poll finds the work within some two seconds.",
        ),
        "F18": (
            "A pooler hands out connections by transaction",
            "It is noticed, also where nothing is said of it. Nothing is prepared or heard, so "
            "work is found by polling, four times a second.",
        ),
        "F19": (
            "Somebody keeps a row of ours locked, or a transaction open for long",
            "What concerns a locked run fails by name, all else goes on. While a transaction is "
            "open, PostgreSQL removes none of the rows that we delete, so that every look for "
            "work takes longer; work is done all the same, and the end of that transaction is the "
            "end of it. Set `idle_in_transaction_session_timeout` for whoever does this.",
        ),
        "F26": (
            "A run is started in the caller's transaction, which commits, rolls back, or dies",
            "The run shares its fate and that of a savepoint, whatever cursors are used.",
            "psycopg connections; other drivers have no `start` in a transaction",
        ),
    },
    "Everything twice, out of order, or at once": {
        "F24": (
            "Every delivery comes three times and in any order",
            "It is as if it had come once.",
        ),
        "F25": (
            "One idempotency key, fifty starts at once, and one more after the end",
            "One run.",
        ),
        "F27": (
            "A hook is resumed too early, twice, by many at once, or after the end of its run; two "
            "runs ask for one token",
            "Too early and too late are errors with a name. What was taken is received once. The "
            "second run that asks for a token is told who has it.",
        ),
        "F28": (
            "A payload and a timer come at the same instant",
            "One of them is first, and every replay agrees.",
        ),
        "F49": (
            "A run with a child is cancelled at any point of its life",
            "It ends as cancelled, once, after its `finally` has been done once; so does the child "
            "that it cancels.",
        ),
    },
    "Clocks": {
        "F29": (
            "The clocks of hosts differ by an hour, or a clock jumps ahead",
            "With PostgreSQL the server's clock counts. Leases and results are not affected.",
        ),
        "F30": (
            "The clock that counts is set back",
            "Nothing fires early by it, and events keep their order.",
        ),
        "F31": (
            "Timers fall due while no worker is up",
            "All fire when one is: each once, those of one run in order.",
        ),
        "F51": (
            "Summer time ends, or a run goes on in another time zone",
            "The hour that comes twice is the one that was meant; a day is 24 hours.",
        ),
    },
    "Disks and files (SQLite)": {
        "F32": (
            "The disk is full",
            "Calls fail with advice, all that was acknowledged can be read, and the same process "
            "goes on when there is room.",
        ),
        "F33": (
            "The end of the log is torn, or the file damaged",
            "What was acknowledged before the tear is there, whole. Damage is an error that says "
            "so, or is without effect on what is read.",
        ),
        "F34": (
            "The disk reports that it cannot sync",
            "Nothing is acknowledged.",
        ),
        "F35": (
            "Several processes use one file, and one of them dies with its locks",
            "They share it. The kernel lets go of the locks of the dead one, and the others take "
            "over at once. One that is only stopped, in the very middle of a commit, keeps them: "
            "the others wait until it goes on or is killed.",
        ),
        "F36": (
            "The folder is read-only, cannot be made, or is deleted while in use",
            "An error that names it; nothing is acknowledged that would be nowhere.",
        ),
        "F37": (
            "A process can open no more files",
            "What needs one fails by name or is tried again; with files to be had, every run goes "
            "on. No run is parked for it.",
        ),
        "F40": (
            "A database of an older or newer version, or a migration that fails half way",
            "Older ones are brought up to date, whole or not at all; newer ones are left alone.",
        ),
    },
    "Code": {
        "F21": (
            "A workflow body never waits",
            "It is stopped after a fixed number of rounds, and the run fails; the worker lives.",
        ),
        "F22": (
            "A step ignores that its run was cancelled",
            "The run does not wait for it, and its late result is dropped.",
        ),
        "F23": (
            "A step blocks the event loop of its worker",
            "A thread keeps the lease alive for a while; after that others take over.",
        ),
        "F39": (
            "Code changes while runs are under way",
            "Runs go on under the code that they were begun with; where that is not possible they "
            "are parked with the line that disagrees.",
        ),
        "F41": (
            "A workflow reads the clock, random numbers, a set's order, the environment",
            "It is the same at every replay, or refused.",
        ),
        "F42": (
            "A value cannot be recorded",
            "An error that names the place in the value, where it was given.",
        ),
        "F43": (
            "A log has grown very long",
            "Replaying it gives the event loop back in between, and memory is bounded.",
        ),
    },
    "HTTP": {
        "F44": (
            "A reader hangs up",
            "What it read is not repeated when it comes back.",
            "thousands of readers that come and go are not tried",
        ),
        "F45": (
            "A server restarts while it sends a stream",
            "Each value has a number, and the client goes on behind the last one it had.",
        ),
        "F46": (
            "A signature is missing, wrong, too old, or of another request",
            "One and the same refusal, and nothing runs.",
        ),
        "F47": (
            "A body is too large, too slow, or breaks off",
            "It is refused before it is read, or given up; it reaches nobody.",
        ),
        "F48": (
            "Somebody guesses tokens",
            "All misses have the same answer.",
            "how many guesses a caller has is for the server in front to say",
        ),
    },
    "What users of such systems complain about": {
        "C1": (
            "A hook that races with a sleep leaves a log that cannot be replayed",
            "The order in which both were recorded decides, also when they came at one instant.",
        ),
        "C2": (
            "A step that is under way is begun a second time",
            "As long as its worker renews its lease, nobody else gets it, whatever is delivered.",
        ),
        "C3": (
            "Every step takes longer than the one before it",
            "A run that goes on reads nothing of its log again.",
        ),
        "C4": (
            "Every step waits for a queue",
            "A sequential step is one commit, and nothing is polled.",
        ),
        "C5": (
            "Sleeps are lost, or nothing goes on, after all processes were down",
            "Timers and work are rows. The first worker that comes does what is due.",
        ),
        "C6": (
            "Things come up in the wrong order, and every restart piles up work",
            "Steps need no HTTP server. A restart adds nothing to what there is to do.",
        ),
        "C7": (
            "A backlog is read into memory",
            "A worker takes what it has room for.",
        ),
        "C8": (
            "A hook is not there yet when it is resumed, or gets in its own way in a loop",
            "`get_conflict()` registers it; a disposed token can be used again.",
        ),
        "C9": (
            "Runs stay pending for ever",
            "A start that has returned is on disk, and any worker finds it.",
        ),
        "C10": (
            "A start that is tried again is a second run",
            "Not with an idempotency key.",
        ),
        "C11": (
            "Applications that share a database get each other's work",
            "A schema is a world of its own.",
        ),
        "C12": (
            "A deploy breaks the runs that are under way",
            "Their code is kept with them.",
        ),
        "C13": (
            "A worker takes on more than it can do",
            "`WORKFLOW_WORKER_CONCURRENCY` bodies at a time.",
        ),
    },
}
