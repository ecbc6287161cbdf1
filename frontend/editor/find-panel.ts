import { search, searchKeymap } from "@codemirror/search";
import type { Extension } from "@codemirror/state";
import { keymap } from "@codemirror/view";

export { searchKeymap as bindings };

export const findPanel: Extension = [search({ top: true }), keymap.of(searchKeymap)];
