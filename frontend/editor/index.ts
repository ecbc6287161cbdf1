// Entry point of the editor bundle.
export type { Change, DocumentKind, EditorHandle, MountOptions, Peer, PeersOptions, PendingUpdate } from "./contract";
export { leftBehind } from "./early";
export { mount } from "./mount";
export { pendingDrop, pendingLoad, pendingPut } from "./pending";
export { openSocket } from "./socket";
export { begin, currentPreview, fail, startedEditor, startPreview } from "./start";
