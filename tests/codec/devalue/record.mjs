// Records what the npm package devalue writes, and how it reads what the codec writes.
// Run in this folder: npm install devalue@6 && node record.mjs
// ours.json holds texts written by the codec; theirs.json and read.json are made here.
import { readFileSync, writeFileSync } from "node:fs";
import { inspect } from "node:util";
import * as devalue from "devalue";

const shared = { n: 1 };
const cycle = [];
cycle.push(cycle, "end");
const circle = { name: "root" };
circle.self = circle;
// Node has no Temporal yet. devalue goes by the name that an object gives itself, and by its text.
const temporal = (name, text) => ({ [Symbol.toStringTag]: `Temporal.${name}`, toString: () => text });
const values = {
  undefined: undefined,
  null: null,
  "not a number": NaN,
  "minus infinity": -Infinity,
  "minus zero": [-0],
  text: 'a "quoted" \u2028 <tag> \u{1f600}',
  "half character": "\ud800x",
  numbers: [0, -1, 1.5, 2 ** 53, 1e21],
  "big integer": 2n ** 70n,
  object: { a: 1, b: [true, false, null, undefined] },
  "shared object": [shared, shared],
  "cyclic array": cycle,
  "cyclic object": circle,
  holes: [1, , 3],
  "sparse array": Object.assign([], { 50: "x" }),
  date: new Date(Date.UTC(2026, 6, 1, 10, 0, 0, 123)),
  set: new Set([1, "a"]),
  map: new Map([[1, "one"], ["two", { n: 2 }]]),
  "regular expression": /a+[b-z]/gi,
  url: new URL("https://example.com/a?b=1"),
  "search params": new URLSearchParams([["a", "1 2"], ["b", "~*é"], ["a", "3"]]),
  bytes: new Uint8Array([0, 1, 255]),
  "part of a buffer": new Uint8Array([0, 1, 2, 3]).subarray(1, 3),
  floats: new Float64Array([1.5, -2]),
  "small integers": new Int16Array([1, -2]),
  "big integers": new BigInt64Array([1n, -2n]),
  buffer: new Uint8Array([7, 8]).buffer,
  "object without prototype": Object.assign(Object.create(null), { a: 1 }),
  "boxed number": Object(3),
  instant: temporal("Instant", "2026-07-01T10:00:00.123456789Z"),
  "zoned date and time": temporal(
    "ZonedDateTime",
    "2026-10-25T02:30:00+01:00[Europe/Vienna][u-ca=gregory]",
  ),
  "date and time of an offset": temporal("ZonedDateTime", "2026-07-01T12:00:00+02:00[+02:00]"),
  "plain date and time": temporal("PlainDateTime", "2026-07-01T10:00:00.1"),
  "plain date": temporal("PlainDate", "2026-07-01[u-ca=hebrew]"),
  "plain time": temporal("PlainTime", "10:00:00.123456"),
  duration: temporal("Duration", "-P1W2DT3H4M5.006S"),
  "duration of months": temporal("Duration", "P1Y2M"),
  "day of a year": temporal("PlainMonthDay", "07-01"),
  "month of a year": temporal("PlainYearMonth", "2026-07"),
};
const theirs = Object.fromEntries(
  Object.entries(values).map(([name, value]) => [name, devalue.stringify(value)]),
);
writeFileSync("theirs.json", JSON.stringify(theirs, null, 1) + "\n");

// Tags of ours are custom types for devalue: show them with what they hold.
const tags = ["tuple", "frozenset", "Decimal", "UUID", "datetime", "Instance", "Error", "Path"];
const revivers = Object.fromEntries(tags.map((tag) => [tag, (held) => ({ [tag]: held })]));
const ours = JSON.parse(readFileSync("ours.json", "utf8"));
const read = Object.fromEntries(
  Object.entries(ours).map(([name, text]) => [
    name,
    inspect(devalue.parse(text, revivers), { depth: 9, breakLength: Infinity }),
  ]),
);
writeFileSync("read.json", JSON.stringify(read, null, 1) + "\n");
