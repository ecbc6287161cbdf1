// Passes each island of the page to its hydration function. scripts/site.mjs adds the code that loads a WebAssembly
// bundle.

type Hydrate = (island: HTMLElement) => void;

/** `islands` contains the functions exported by wasm-bindgen, by name. */
export function hydrate(islands: Record<string, Hydrate>): void {
  const functions = new Map(Object.entries(islands).map(([name, hydrateIsland]) => [bareName(name), hydrateIsland]));
  for (const island of document.querySelectorAll<HTMLElement>("leptos-island")) {
    const name = bareName(island.dataset["component"] ?? "");
    const hydrateIsland = functions.get(name);
    if (hydrateIsland) hydrateIsland(island);
    else console.error(`The bundle of this page has no island ${name}`);
  }
}

/** Strips the hash of the source, which may differ between two compilers. */
function bareName(name: string): string {
  return name.replace(/_\d+$/, "");
}
