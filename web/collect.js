/** Copies the files that static/libraries.js names from node_modules/ to assets/, refusing one with another hash. */

import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LIBRARIES } from "./static/libraries.js";

const HERE = import.meta.dirname;
const ASSETS = join(HERE, "assets");

await rm(ASSETS, { recursive: true, force: true });
for (const library of Object.values(LIBRARIES)) await collect(library);

async function collect({ path, integrity }) {
  const [, name, version, file] = path.match(/^(@?[^@]+)@([^/]+)\/(.+)$/);
  const source = join(HERE, "node_modules", name);
  const installed = JSON.parse(await readFile(join(source, "package.json"), "utf8")).version;
  if (installed !== version) throw new Error(`libraries.js names ${name} ${version}; ${installed} is installed`);
  const found = hash(await readFile(join(source, file)));
  if (found !== integrity) throw new Error(`${path} is ${found}; libraries.js says ${integrity}`);
  await mkdir(dirname(join(ASSETS, path)), { recursive: true });
  await cp(join(source, file), join(ASSETS, path));
}

function hash(content) {
  return `sha384-${createHash("sha384").update(content).digest("base64")}`;
}
