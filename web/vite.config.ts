import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import { tanstackRouter } from "@tanstack/router-plugin/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { precompress } from "./scripts/precompress.ts";
import { preloadFirst } from "./scripts/preload.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const api = process.env.AMARKTAI_DEV_API ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [
    tanstackRouter({ target: "react", autoCodeSplitting: true }),
    react(),
    tailwindcss(),
    preloadFirst(),
    precompress(),
  ],
  resolve: { alias: { "@": here("./src") } },
  define: { __BUILD_SHA__: JSON.stringify(process.env.BUILD_SHA ?? "unknown") },
  build: {
    outDir: process.env.UI_OUT_DIR ?? "dist",
    emptyOutDir: true,
    manifest: true,
    // Inlined data: URLs would need `data:` in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        // Fewer, larger files compress better than dozens of small ones, and cost fewer requests.
        codeSplitting: {
          groups: [
            {
              name: "base",
              test: /\/src\/(ui\/(?!field|state|dialog|notice-list|scroll-region|row-window|sparkline|menu|link-tabs|copy-button)|fmt\/(?!decimal)|api\/(?!book|account|key-))|createLucideIcon|zustand|clsx|\/react\/|useNavigate|\/@tanstack\/react-query\/(?!.*[iI]nfinite)/,
              minShareCount: 3,
            },
          ],
        },
      },
    },
    reportCompressedSize: false,
  },
  server: { proxy: { "/api": { target: api, ws: true } } },
});
