import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching } from "@codemirror/language";
import { Compartment, EditorState, type Extension, Transaction } from "@codemirror/state";
import { dropCursor, EditorView, highlightActiveLine, keymap } from "@codemirror/view";
import { toChanges } from "./changes";
import { cleanPastedText } from "./clean-input";
import type { EditorHandle, MountOptions } from "./contract";
import { keepLineBreaksWhole } from "./crlf";
import { textDirection } from "./direction";
import { findAndReplace } from "./find";
import { languageOf } from "./language";
import { leaveByKeyboard, leaveHint } from "./leave";
import { withinBytes } from "./limit";
import type { Peers } from "./peers/peers";
import { ScrollFraction } from "./scroll";
import { theme } from "./theme";

let mounted = 0;

/** Appends an editor to `parent`. */
export function mount(parent: HTMLElement, options: MountOptions): EditorHandle {
  mounted += 1;
  const hint = leaveHint(`editor-hint-${mounted}`, options.leaveHint);
  const readOnly = new Compartment();
  let peers: Promise<Peers | undefined> = Promise.resolve(undefined);
  const view = new EditorView({
    doc: options.text,
    extensions: [
      // First, because the first filter runs last and must see the changes that the others make.
      withinBytes(options.maxBytes, () => options.onTooLong()),
      // Treats "\r" as an ordinary character, so that offsets agree with those of the CRDT.
      EditorState.lineSeparator.of("\n"),
      EditorState.phrases.of(options.phrases),
      EditorView.cspNonce.of(options.nonce),
      // Redundant for focus, but tells accessibility checkers that the scroll container is reachable.
      EditorView.contentAttributes.of({ "aria-label": options.label, tabindex: "0" }),
      readOnly.of(EditorState.readOnly.of(options.readOnly)),
      localChanges(options, () => stop(view, readOnly, options.failure)),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) options.preview?.changed(update);
      }),
      leaveByKeyboard(hint.id),
      keepLineBreaksWhole(options.text),
      languageOf(options.kind, options.placeholder),
      commitKey(options),
      findAndReplace(),
      ...editing,
      theme,
    ],
    parent,
  });
  parent.append(hint);
  const { preview } = options;
  const scroll = new ScrollFraction(view.dom, view.scrollDOM, (fraction) => {
    options.onScroll?.(fraction);
    preview?.scrollTo(fraction, textAtTop(view));
  });
  preview?.onScroll((fraction, at) => {
    if (fraction <= 0 || fraction >= 1) scroll.set(fraction);
    else scroll.setTop(topOf(view, at));
  });
  preview?.attach(view);

  return {
    view,
    applyRemote(changes) {
      if (changes.length === 0) return;
      view.dispatch({
        changes,
        annotations: [Transaction.remote.of(true), Transaction.addToHistory.of(false)],
        // Remote changes must not be modified or rejected.
        filter: false,
      });
    },
    startPeers(options) {
      peers = import("./peers/peers").then(
        ({ Peers }) => (view.dom.isConnected ? new Peers(view, parent, options) : undefined),
        // Without the network the editor works on alone.
        (error: unknown) => void console.warn(error),
      );
    },
    showPeers: (changed, gone) => void peers.then((peers) => peers?.show(changed, gone)),
    setReadOnly(on) {
      view.dispatch({ effects: readOnly.reconfigure(EditorState.readOnly.of(on)) });
    },
    text: () => view.state.doc.toString(),
    focus: () => view.focus(),
    scrollTo: (fraction) => scroll.set(fraction),
    destroy() {
      peers.then((peers) => peers?.destroy());
      scroll.destroy();
      view.destroy();
      hint.remove();
    },
  };
}

/** Returns the offset of the text at the upper edge, with the share of its line that is above it. */
function textAtTop(view: EditorView): number {
  const height = view.scrollDOM.scrollTop - view.documentPadding.top;
  const line = view.lineBlockAtHeight(height);
  const share = Math.min(1, Math.max(0, (height - line.top) / line.height));
  return line.from + share * line.length;
}

/** Returns how far to scroll so that the text at this offset is at the upper edge. */
function topOf(view: EditorView, at: number): number {
  const offset = Math.min(view.state.doc.length, Math.floor(at));
  const line = view.lineBlockAt(offset);
  const share = line.length > 0 ? (at - line.from) / line.length : 0;
  return view.documentPadding.top + line.top + Math.min(1, share) * line.height;
}

const editing: Extension[] = [
  ...textDirection,
  EditorView.lineWrapping,
  history(),
  bracketMatching(),
  highlightActiveLine(),
  dropCursor(),
  cleanPastedText,
  keymap.of([...defaultKeymap, ...historyKeymap]),
];

/** Makes the editor read-only after the page has failed, because further edits would be lost. */
function stop(view: EditorView, readOnly: Compartment, words: string): void {
  view.dispatch({ effects: readOnly.reconfigure(EditorState.readOnly.of(true)) });
  const notice = document.createElement("div");
  notice.className = "alert";
  notice.dataset["variant"] = "danger";
  notice.setAttribute("role", "alert");
  notice.textContent = words;
  view.dom.before(notice);
}

/** Reports each update as one list of changes, so that the page sees the same states of the text as the editor. */
function localChanges(options: MountOptions, onBroken: () => void): Extension {
  return EditorView.updateListener.of((update) => {
    if (!update.docChanged) return;
    if (update.transactions.some((transaction) => transaction.annotation(Transaction.remote))) return;
    try {
      options.onChange(toChanges(update.changes, update.startState.doc), update.changes);
    } catch (error) {
      // CodeMirror would only log the error. `onBroken` must run after the update has finished.
      console.error(error);
      queueMicrotask(onBroken);
    }
  });
}

function commitKey(options: MountOptions): Extension {
  return keymap.of([
    {
      key: "Mod-s",
      scope: "editor search-panel",
      preventDefault: true,
      // The page handles the same shortcut outside the editor; one press must be one commit.
      stopPropagation: true,
      run() {
        options.onCommit();
        return true;
      },
    },
  ]);
}
