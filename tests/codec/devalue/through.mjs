// Reads texts of the codec with the npm package devalue, writes what it has read, and prints that.
// node through.mjs FOLDER_OF_DEVALUE TAGS_OF_OURS_AS_JSON < texts.json
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const devalue = await import(pathToFileURL(`${process.argv[2]}/src/index.js`).href);

// A tag of ours is a custom type there: an object of its own that holds the payload.
const revivers = {}, reducers = {};
for (const tag of JSON.parse(process.argv[3])) {
  const held = class {
    constructor(payload) {
      this.payload = payload;
    }
  };
  revivers[tag] = (payload) => new held(payload);
  reducers[tag] = (value) => value instanceof held && value.payload;
}
const texts = JSON.parse(readFileSync(0, "utf8"));
console.log(
  JSON.stringify(
    texts.map((text) => {
      try {
        return devalue.stringify(devalue.parse(text, revivers), reducers);
      } catch (error) {
        return `error: ${error.message}`;
      }
    }),
  ),
);
