import type { Plugin } from "vite";

const FIRST_FONT = /ibm-plex-sans-latin-wght-normal.*\.woff2$/;

/** Asks for the one font of the first paint in the document's head, so that text never jumps. */
export function preloadFont(): Plugin {
  return {
    name: "preload-font",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle }) {
        const font = Object.keys(bundle ?? {}).find((name) => FIRST_FONT.test(name));
        if (!font) throw new Error("The dashboard's font is not in the bundle.");
        return [
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
