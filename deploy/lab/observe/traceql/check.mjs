// Reads a JSON list of queries, and prints a list of where each is wrong: the
// positions of what the grammar does not take, none if it is right.
import { readFileSync } from "node:fs";
import { parser } from "@grafana/lezer-traceql";

const wrong = (query) => {
  const at = [];
  parser.parse(query).iterate({ enter: (node) => { if (node.type.isError) at.push(node.from); } });
  return at;
};

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(wrong)));
