// The editor as the page loads it: one module, on demand, beside the page's WebAssembly.
export type { Change, DocumentKind, EditorHandle, MountOptions, PendingUpdate } from "./contract";
export { mount } from "./mount";
export { pendingDrop, pendingLoad, pendingPut } from "./pending";
