// The registry publishes types that are generated of its JSON schemas: a file of ours
// that names a field that there is not, lacks one that must be, or gives another kind of
// value, does not compile. What is wrong on purpose must not compile, either.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import ts from "typescript";

const folder = new URL("../../docs/chain-registry/lode/", import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(name, folder), "utf8"));

// In the types fields are called typeAsset where the schemas say type_asset.
const camel = (v) =>
  Array.isArray(v) ? v.map(camel)
  : v && typeof v === "object" ? Object.fromEntries(Object.entries(v).map(([k, x]) => [k.replace(/_([a-z0-9])/g, (_, c) => c.toUpperCase()), camel(x)]))
  : v;

const cases = [
  { title: "chain.json is a Chain of the registry", type: "Chain", value: read("chain.json") },
  { title: "assetlist.json is an AssetList of the registry", type: "AssetList", value: read("assetlist.json") },
  ...[
    ["a field that there is not", "Chain", (c) => (c.slip45 = 1), /slip45/],
    ["a field that must be", "Chain", (c) => delete c.chain_type, /chainType/],
    ["a word that there is not", "Chain", (c) => (c.status = "soon"), /soon/],
    ["a number as text", "Chain", (c) => (c.fees.fee_tokens[0].low_gas_price = "0.01"), /string/],
    ["an asset without units", "AssetList", (a) => delete a.assets[0].denom_units, /denomUnits/],
    ["a kind of asset that there is not", "AssetList", (a) => (a.assets[0].type_asset = "coin"), /coin/],
  ].map(([what, type, change, says]) => {
    const value = read(type === "Chain" ? "chain.json" : "assetlist.json");
    change(value);
    return { title: `${what} is found`, type, value, says };
  }),
];

// faults compiles all values, each as the registry's type, and returns what is wrong
// with each.
function faults() {
  const names = cases.map((_, i) => new URL(`value${i}.ts`, import.meta.url).pathname);
  const text = ({ type, value }) =>
    `import type { ${type} } from "@chain-registry/types";\nexport const value: ${type} = ${JSON.stringify(camel(value))};\n`;
  const files = new Map(cases.map((c, i) => [names[i], text(c)]));
  const options = {
    strict: true, noEmit: true, skipLibCheck: true, types: [], lib: ["lib.es5.d.ts"],
    module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext,
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (f) => files.has(f) || fileExists.call(host, f);
  host.readFile = (f) => files.get(f) ?? readFile.call(host, f);
  const program = ts.createProgram(names, options, host);
  return names.map((n) => ts.getPreEmitDiagnostics(program, program.getSourceFile(n)).map((d) => ts.flattenDiagnosticMessageText(d.messageText, "\n")));
}

const found = faults();
cases.forEach(({ title, says }, i) =>
  test(title, () => (says ? assert.match(found[i].join("\n"), says) : assert.deepEqual(found[i], []))));
