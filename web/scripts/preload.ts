import type { Plugin } from "vite";

const FIRST_FONT = /ibm-plex-sans-latin-wght-normal.*\.woff2$/;

const FIRST_ROUTES = /routes\/_app(\.index)?\.tsx\?tsr-split=component$/;

/** Names the first font and the overview's scripts in the head, so that none waits for another to ask for it. */
export function preloadFirst(): Plugin {
  return {
    name: "preload-first",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle }) {
        const font = Object.keys(bundle ?? {}).find((name) => FIRST_FONT.test(name));
        if (!font) throw new Error("The dashboard's font is not in the bundle.");
        const routes = Object.values(bundle ?? {}).filter(
          (chunk) => chunk.type === "chunk" && FIRST_ROUTES.test(chunk.facadeModuleId ?? ""),
        );
        return [
          ...routes.map(({ fileName }) => ({
            tag: "link",
            attrs: { rel: "modulepreload", crossorigin: true, href: `/${fileName}` },
            injectTo: "head" as const,
          })),
          {
            tag: "link",
            attrs: { rel: "preload", as: "font", type: "font/woff2", crossorigin: "", href: `/${font}` },
            injectTo: "head",
          },
        ];
      },
    },
  };
}
