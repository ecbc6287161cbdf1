// Entry point of the editor bundle.
export type { Change, DocumentKind, EditorHandle, MountOptions, Peer, PeersOptions, PendingUpdate, KeptText } from "./contract";
export { leftBehind } from "./early";
export { keptLoad, keptMove, textDrop, textPut } from "./kept-texts";
export { mount } from "./mount";
export { pendingDrop, pendingPut } from "./pending";
export { openSocket } from "./socket";
export { begin, currentPreview, fail, startedEditor, startPreview } from "./start";
