import { type Extension, RangeSetBuilder } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";

const auto = Decoration.line({ attributes: { dir: "auto" } });

/** Gives each line the direction of its own text, and cursor motion in it. */
export const textDirection: Extension[] = [
  EditorView.perLineTextDirection.of(true),
  ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;

      constructor(view: EditorView) {
        this.decorations = visibleLines(view);
      }

      update(update: ViewUpdate) {
        if (update.docChanged || update.viewportChanged) this.decorations = visibleLines(update.view);
      }
    },
    { decorations: (plugin) => plugin.decorations },
  ),
];

function visibleLines(view: EditorView): DecorationSet {
  const lines = new RangeSetBuilder<Decoration>();
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to; ) {
      const line = view.state.doc.lineAt(at);
      lines.add(line.from, line.from, auto);
      at = line.to + 1;
    }
  }
  return lines.finish();
}
