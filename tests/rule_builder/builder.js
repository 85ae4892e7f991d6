// What react-querybuilder makes of rules, for each tree on standard input: its MongoDB filter, and the tree that its own
// parser reads back from what it wrote as JsonLogic.
import { formatQuery } from '@react-querybuilder/core/formatQuery';
import { parseJsonLogic } from '@react-querybuilder/core/parseJsonLogic';
import { text } from 'node:stream/consumers';

const readings = JSON.parse(await text(process.stdin)).map((tree) => ({
  filter: formatQuery(tree, 'mongodb_query'),
  tree: parseJsonLogic(formatQuery(tree, 'jsonlogic')),
}));
console.log(JSON.stringify(readings));
