// Hands each island of the page to the function that hydrates it. scripts/site.mjs writes around this what starts a
// WebAssembly bundle.

type Hydrate = (island: HTMLElement) => void;

/** `islands` has the functions that wasm-bindgen exports, by their names. */
export function hydrate(islands: Record<string, Hydrate>): void {
  const functions = new Map(Object.entries(islands).map(([name, hydrateIsland]) => [bareName(name), hydrateIsland]));
  for (const island of document.querySelectorAll<HTMLElement>("leptos-island")) {
    const name = bareName(island.dataset["component"] ?? "");
    const hydrateIsland = functions.get(name);
    if (hydrateIsland) hydrateIsland(island);
    else console.error(`The bundle of this page has no island ${name}`);
  }
}

/** Without the hash of the source, which two compilers may write differently. */
function bareName(name: string): string {
  return name.replace(/_\d+$/, "");
}
