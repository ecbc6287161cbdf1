import { EditorView } from "@codemirror/view";

/**
 * Editor theme based on the custom properties of style/tokens, so that it follows the page's light or dark theme.
 * It is not a style sheet because CodeMirror's own rules are outside any cascade layer and would override it.
 */
export const theme = EditorView.theme({
  "&": {
    flex: "1",
    minHeight: "0",
    color: "var(--color-ink)",
    backgroundColor: "transparent",
    fontSize: "0.9375rem",
  },
  // The surrounding pane shows the focus ring.
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.7" },
  ".cm-content": { padding: "var(--space-5) 0 var(--space-8)", caretColor: "var(--color-accent-strong)" },
  // Centre the text and limit the line length.
  // A line with nothing but a carriage return would have no height.
  ".cm-line": { padding: "0 max(var(--gutter), calc((100% - 78ch) / 2))", minHeight: "1lh" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--color-ink) 4%, transparent)" },
  ".cm-placeholder": { color: "var(--color-ink-soft)" },
  ".cm-dropCursor": { borderLeftColor: "var(--color-ink)" },
  ".cm-gutters": {
    backgroundColor: "transparent",
    border: "0",
    color: "var(--color-ink-soft)",
    paddingInlineStart: "var(--space-2)",
  },
  ".cm-gutters + .cm-content .cm-line": { paddingBlock: "0", paddingInline: "var(--space-3) var(--gutter)" },
  "&.cm-focused .cm-matchingBracket": {
    backgroundColor: "var(--color-selection)",
    outline: "1px solid var(--color-edge)",
  },
  "&.cm-focused .cm-nonmatchingBracket": {
    backgroundColor: "transparent",
    textDecoration: "underline wavy var(--color-bad) 1px",
  },
  ".cm-searchMatch": { backgroundColor: "var(--color-mark)", outline: "1px solid var(--color-warn)" },
  ".cm-searchMatch-selected": { outline: "2px solid var(--color-focus)" },

  ".cm-panels": {
    containerType: "inline-size",
    backgroundColor: "var(--color-sunken)",
    color: "var(--color-ink)",
  },
  ".cm-panels-top": { borderBottom: "1px solid var(--color-rule)" },
  ".cm-panel.cm-search": {
    display: "flex",
    flexWrap: "wrap",
    alignItems: "center",
    gap: "var(--space-1) var(--space-2)",
    padding: "var(--space-2) var(--gutter)",
    fontFamily: "var(--font-ui)",
    fontSize: "var(--text-s)",
    "& input, & button, & label": { margin: "0", fontSize: "inherit" },
    "& br": { display: "none" },
    // Three rows, as their groups are read: what to find, how, and what to replace it with. Each pseudo-element ends one.
    "&::before, &::after": { content: "''", flexBasis: "100%", marginTop: "calc(-1 * var(--space-1))" },
    "&::before": { order: "1" },
    "& label": {
      order: "2",
      display: "inline-flex",
      alignItems: "center",
      gap: "var(--space-1)",
      minHeight: "1.75rem",
    },
    "&::after": { order: "3" },
    "& :is([name=replace], [name=replaceAll])": { order: "4" },
    "& [name=close]": {
      position: "static",
      marginInlineStart: "auto",
      minWidth: "1.75rem",
      minHeight: "1.75rem",
      fontSize: "var(--text-l)",
      lineHeight: "1",
      color: "var(--color-ink)",
      cursor: "pointer",
    },
  },
  // The first two rows fit side by side.
  "@container (width >= 52rem)": {
    ".cm-panel.cm-search::before": { display: "none" },
    ".cm-panel.cm-search [name=close]": { order: "2" },
  },
  ".cm-textfield, .cm-button": {
    minHeight: "1.75rem",
    padding: "0 var(--space-2)",
    border: "1px solid var(--color-edge)",
    borderRadius: "var(--radius)",
    background: "var(--color-surface)",
    color: "var(--color-ink)",
  },
  ".cm-textfield": {
    flex: "1 1 4rem",
    minWidth: "4rem",
    maxWidth: "20rem",
    "&::placeholder": { color: "var(--color-ink-soft)", opacity: "1" },
  },
  ".cm-button": {
    cursor: "pointer",
    "&:hover": { background: "var(--color-paper)" },
    "&:active": { background: "var(--color-rule)" },
  },
});
