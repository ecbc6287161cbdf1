// Entry point of the editor bundle.
export type { Change, DocumentKind, EditorHandle, MountOptions, PendingUpdate } from "./contract";
export { leftBehind } from "./early";
export { mount } from "./mount";
export { pendingDrop, pendingLoad, pendingPut } from "./pending";
export { begin, currentPreview, fail, startedEditor, startPreview } from "./start";
