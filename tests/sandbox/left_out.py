"""The public names of emulated and listed modules that workflow code does not get, and why.

A name that is neither listed in its facade nor here is one that a new version of Python has added:
`test_surface.py` fails until someone has decided.
"""

from __future__ import annotations

__all__ = ["LEFT_OUT"]

_OUTSIDE = "reaches outside of the run: files, network, processes, terminal"
_SHARED = "writes to, or hands out, what all runs of the process share"
_MACHINE = "tells about this machine, process or interpreter"
_TEXT = "reads attributes or evaluates types by text"
_CLASSES = "makes or changes classes behind the policy's back"
_LOOP = "replaces the event loop, which is that of the run"
_RARE = "nobody has asked for it, and an equal exists among the listed names"
_BUFFER = "the inside of streams of bytes; BytesIO and StringIO are listed"
_PARTS = "the class of results; workflow code gets instances and needs no name for it"
_OLD = "deprecated, or gone from newer versions of Python"
_THREAD = "a workflow has no threads"
_CHECKER = "for type checkers, without use at run time"
_LOCALE = "depends on the language settings of the machine"

LEFT_OUT: dict[str, dict[str, str]] = {
    "abc": {
        _CLASSES: "ABCMeta update_abstractmethods",
        _OLD: "abstractclassmethod abstractproperty abstractstaticmethod",
        _MACHINE: "get_cache_token",
    },
    "asyncio": {
        _LOOP: """
            AbstractEventLoop AbstractEventLoopPolicy BaseEventLoop DefaultEventLoopPolicy EventLoop
            Runner SelectorEventLoop create_eager_task_factory eager_task_factory
            get_event_loop_policy new_event_loop run set_event_loop set_event_loop_policy
        """,
        _OUTSIDE: """
            AbstractServer BaseProtocol BaseTransport BufferedProtocol DatagramProtocol
            DatagramTransport IncompleteReadError LimitOverrunError Protocol ReadTransport
            SendfileNotAvailableError Server StreamReader StreamReaderProtocol StreamWriter
            SubprocessProtocol SubprocessTransport Transport WriteTransport create_subprocess_exec
            create_subprocess_shell open_connection open_unix_connection start_server
            start_unix_server
        """,
        _OLD: """
            AbstractChildWatcher FastChildWatcher MultiLoopChildWatcher PidfdChildWatcher
            SafeChildWatcher ThreadedChildWatcher get_child_watcher set_child_watcher
        """,
        _THREAD: "run_coroutine_threadsafe to_thread wrap_future",
        _PARTS: "Handle TimerHandle",
        _SHARED: "all_tasks",
    },
    "base64": {
        _OLD: "decodebytes encodebytes",
        _OUTSIDE: "decode encode",
        _RARE: "b32hexdecode b32hexencode z85decode z85encode",
    },
    "binascii": {
        _RARE: """
            Incomplete a2b_base64 a2b_hex a2b_qp a2b_uu b2a_base64 b2a_hex b2a_qp b2a_uu crc_hqx
        """
    },
    "calendar": {
        _LOCALE: """
            HTMLCalendar LocaleHTMLCalendar LocaleTextCalendar TextCalendar calendar
            day_abbr day_name month month_abbr month_name monthcalendar weekheader
        """,
        _SHARED: "firstweekday setfirstweekday",
        _OUTSIDE: "prcal prmonth",
        _RARE: """
            APRIL AUGUST DECEMBER FEBRUARY JANUARY JULY JUNE MARCH MAY NOVEMBER OCTOBER SEPTEMBER
        """,
    },
    "collections": {_TEXT: "UserString"},
    "collections.abc": {_OLD: "ByteString"},
    "contextlib": {_OUTSIDE: "chdir redirect_stderr redirect_stdout"},
    "csv": {
        _SHARED: "field_size_limit register_dialect unregister_dialect",
        _RARE: """
            Dialect QUOTE_NOTNULL QUOTE_STRINGS Sniffer excel excel_tab get_dialect list_dialects
            unix_dialect
        """,
    },
    "dataclasses": {_CLASSES: "make_dataclass", _PARTS: "Field"},
    "decimal": {
        _SHARED: "BasicContext DefaultContext ExtendedContext getcontext setcontext",
        _MACHINE: "HAVE_CONTEXTVAR HAVE_THREADS MAX_EMAX MAX_PREC MIN_EMIN MIN_ETINY",
        _PARTS: "DecimalTuple",
        _RARE: """
            Clamped ConversionSyntax DivisionImpossible DivisionUndefined FloatOperation
            InvalidContext Subnormal
        """,
    },
    "difflib": {
        _PARTS: "Match",
        _RARE: "Differ HtmlDiff IS_CHARACTER_JUNK IS_LINE_JUNK diff_bytes restore",
    },
    "enum": {
        _CLASSES: """
            EnumDict EnumMeta EnumType ReprEnum global_enum global_enum_repr global_flag_repr
            global_str pickle_by_enum_name pickle_by_global_name property
        """,
    },
    "fnmatch": {_MACHINE: "filter fnmatch"},
    "functools": {
        _RARE: "WRAPPER_ASSIGNMENTS WRAPPER_UPDATES",
    },
    "hashlib": {_MACHINE: "algorithms_available algorithms_guaranteed", _OUTSIDE: "file_digest"},
    "hmac": {_PARTS: "HMAC", _RARE: "digest_size trans_36 trans_5C"},
    "io": {
        _OUTSIDE: "FileIO open open_code",
        _BUFFER: """
            BlockingIOError BufferedIOBase BufferedRWPair BufferedRandom BufferedReader
            BufferedWriter DEFAULT_BUFFER_SIZE IOBase IncrementalNewlineDecoder RawIOBase SEEK_CUR
            SEEK_END SEEK_SET TextIOBase TextIOWrapper UnsupportedOperation text_encoding
        """,
    },
    "ipaddress": {
        _RARE: "IPV4LENGTH IPV6LENGTH get_mixed_type_key v4_int_to_packed v6_int_to_packed"
    },
    "json": {_OUTSIDE: "dump load"},
    "logging": {
        _SHARED: """
            BASIC_FORMAT BufferingFormatter FileHandler Filter Formatter Handler LogRecord
            NullHandler StreamHandler addLevelName basicConfig captureWarnings disable
            getHandlerByName getHandlerNames getLevelNamesMapping getLogRecordFactory getLoggerClass
            lastResort makeLogRecord raiseExceptions setLogRecordFactory setLoggerClass shutdown
        """,
        _OLD: "fatal warn",
    },
    "operator": {_TEXT: "call", _RARE: "delitem setitem"},
    "pprint": {
        _OUTSIDE: "pp pprint",
        _MACHINE: "PrettyPrinter isreadable isrecursive saferepr",
    },
    "random": {_SHARED: "getstate setstate"},
    "re": {_LOCALE: "L LOCALE", _SHARED: "purge", _OLD: "template"},
    "statistics": {_MACHINE: "kde_random", _RARE: "NormalDist kde"},
    "string": {_TEXT: "Formatter"},
    "struct": {_RARE: "Struct pack_into"},
    "time": {
        _MACHINE: """
            CLOCK_BOOTTIME CLOCK_MONOTONIC CLOCK_MONOTONIC_RAW CLOCK_PROCESS_CPUTIME_ID
            CLOCK_REALTIME CLOCK_TAI CLOCK_THREAD_CPUTIME_ID clock_getres clock_gettime
            clock_gettime_ns clock_settime clock_settime_ns get_clock_info process_time
            process_time_ns pthread_getcpuclockid thread_time thread_time_ns tzset
        """
    },
    "typing": {
        _TEXT: "ForwardRef get_type_hints",
        _SHARED: "clear_overloads get_overloads no_type_check no_type_check_decorator",
        _OLD: "ByteString",
        _CHECKER: """
            NoDefault ParamSpecArgs ParamSpecKwargs dataclass_transform get_protocol_members
            is_protocol reveal_type
        """,
        _OUTSIDE: "BinaryIO IO TextIO",
    },
    "types": {
        _CLASSES: """
            CellType ClassMethodDescriptorType CodeType DynamicClassAttribute FrameType FunctionType
            GenericAlias GetSetDescriptorType LambdaType MemberDescriptorType MethodType ModuleType
            coroutine get_original_bases new_class prepare_class resolve_bases
        """,
        _PARTS: """
            AsyncGeneratorType BuiltinFunctionType BuiltinMethodType CapsuleType CoroutineType
            GeneratorType MethodDescriptorType MethodWrapperType WrapperDescriptorType
        """,
    },
    "unicodedata": {
        _MACHINE: "UCD ucd_3_2_0 unidata_version",
        _RARE: "decomposition east_asian_width mirrored",
    },
    "urllib": {},
    "urllib.parse": {_PARTS: "DefragResult DefragResultBytes ParseResultBytes SplitResultBytes"},
    "uuid": {
        _MACHINE: "getnode main",
        _RARE: "RESERVED_FUTURE RESERVED_MICROSOFT RESERVED_NCS RFC_4122",
        _PARTS: "Enum bytes_ int_",  # of other modules: uuid has no __all__
    },
    "workflow.api": {
        _OUTSIDE: """
            HookPage HookRecord PendingAction Readable RunPage get_hook_by_token get_hooks get_run
            get_runs get_world list_hooks list_runs resume_hook resume_run resume_webhook set_world
            with_workflow
        """
    },
    "zlib": {
        # What another version of the library makes of the same bytes may be other bytes.
        _MACHINE: """
            DEFLATED DEF_BUF_SIZE DEF_MEM_LEVEL MAX_WBITS ZLIB_RUNTIME_VERSION ZLIB_VERSION
            Z_BEST_COMPRESSION Z_BEST_SPEED Z_BLOCK Z_DEFAULT_COMPRESSION Z_DEFAULT_STRATEGY
            Z_FILTERED Z_FINISH Z_FIXED Z_FULL_FLUSH Z_HUFFMAN_ONLY Z_NO_COMPRESSION Z_NO_FLUSH
            Z_PARTIAL_FLUSH Z_RLE Z_SYNC_FLUSH Z_TREES compress compressobj decompress
            decompressobj error
        """,
    },
    "zoneinfo": {_MACHINE: "InvalidTZPathWarning TZPATH available_timezones reset_tzpath"},
}
"""Module name to reason to names."""
