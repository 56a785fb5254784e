// Builds the tests and what they test, as the page is built, and runs them on Node.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = fileURLToPath(new URL("..", import.meta.url));
const tests = readdirSync(new URL("../test", import.meta.url)).filter((name) => name.endsWith(".test.ts"));
const out = mkdtempSync(`${root}node_modules/.tests-`);
let status = 1;
try {
  await build({
    root,
    logLevel: "warn",
    build: {
      ssr: true,
      outDir: out,
      emptyOutDir: true,
      minify: false,
      rollupOptions: { input: tests.map((name) => `${root}test/${name}`), output: { entryFileNames: "[name].mjs" } },
    },
    ssr: { noExternal: true },
  });
  const built = tests.map((name) => `${out}/${name.replace(/\.ts$/, "")}.mjs`);
  status = spawnSync(process.execPath, ["--test", "--test-reporter=dot", ...built], { cwd: root, stdio: "inherit" }).status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
process.exit(status);
