import { Compartment, type Extension } from "@codemirror/state";
import { type Command, keymap } from "@codemirror/view";

const KEYS = ["Mod-f", "F3", "Mod-g", "Mod-Shift-l", "Mod-Alt-g", "Mod-d"];

/** Find and replace. Its code is fetched when one of its shortcuts is pressed first. */
export function findAndReplace(): Extension {
  const place = new Compartment();
  const fetchAndRun =
    (key: string): Command =>
    (view) => {
      import("./find-panel").then(
        ({ bindings, findPanel }) => {
          view.dispatch({ effects: place.reconfigure(findPanel) });
          bindings.find((binding) => binding.key === key)?.run?.(view);
        },
        // Without the network the editor works on, and the shortcut may be pressed again.
        (error: unknown) => console.warn(error),
      );
      return true;
    };
  return place.of(keymap.of(KEYS.map((key) => ({ key, run: fetchAndRun(key), preventDefault: true }))));
}
