import { fileURLToPath } from "node:url";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [svelte()],
  base: "./",
  resolve: {
    // pay/js is this repository's own x402 client. The page brings its own chain and needs
    // two small functions of the packages that it imports, not the packages.
    alias: [
      { find: /^@lodenet\/x402\/(.*)$/, replacement: at("../../pay/js/src/") + "$1" },
      { find: "@cosmjs/encoding", replacement: at("src/pay/encoding.ts") },
      { find: "@x402/core/http", replacement: at("src/pay/headers.ts") },
      { find: /^@noble\/curves\/(.*)$/, replacement: at("node_modules/@noble/curves/") + "$1" },
    ],
  },
  worker: { format: "es" },
  build: {
    outDir: "../dist",
    emptyOutDir: true,
    target: "es2023",
    modulePreload: { polyfill: false },
    cssCodeSplit: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: { fs: { allow: ["../.."] } },
});
