//! Bindings for the editor module, as defined by `frontend/editor/contract.ts`.

use super::open::{Session, with};
use crate::words;
use izanagi_shared::{crdt::Change, rules::MAX_CONTENT_BYTES};
use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use leptos::{prelude::Update as _, web_sys::HtmlElement};
use std::{rc::Weak, sync::Arc};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen(inline_js = "export const loadEditor = () => import('./editor.js');")]
extern "C" {
    #[wasm_bindgen(js_name = loadEditor)]
    fn load_editor() -> Promise;
}

#[wasm_bindgen]
extern "C" {
    /// The editor module.
    pub(super) type EditorModule;

    #[wasm_bindgen(method, catch)]
    fn mount(
        this: &EditorModule,
        parent: &HtmlElement,
        options: &Object,
    ) -> Result<EditorHandle, JsValue>;

    #[wasm_bindgen(method, js_name = keptLoad)]
    pub(super) fn kept_load(this: &EditorModule, document_id: &str, user_id: &str) -> Promise;

    #[wasm_bindgen(method, js_name = keptMove)]
    pub(super) fn kept_move(
        this: &EditorModule,
        document_id: &str,
        user_id: &str,
        op_ids: &Array,
        text_ids: &Array,
        updates: &Array,
    ) -> Promise;

    #[wasm_bindgen(method, js_name = textPut)]
    pub(super) fn text_put(this: &EditorModule, text: &Object) -> Promise;

    #[wasm_bindgen(method, js_name = textDrop)]
    pub(super) fn text_drop(
        this: &EditorModule,
        document_id: &str,
        user_id: &str,
        ids: &Array,
    ) -> Promise;

    #[wasm_bindgen(method, js_name = pendingPut)]
    pub(super) fn pending_put(this: &EditorModule, update: &Object) -> Promise;

    #[wasm_bindgen(method, js_name = pendingDrop)]
    pub(super) fn pending_drop(
        this: &EditorModule,
        document_id: &str,
        user_id: &str,
        op_ids: &Array,
    ) -> Promise;

    #[wasm_bindgen(method, catch, js_name = openSocket)]
    pub(super) fn open_socket(
        this: &EditorModule,
        path: &str,
        number: u32,
        tell: &JsValue,
    ) -> Result<Socket, JsValue>;

    /// A WebSocket.
    pub(super) type Socket;

    #[wasm_bindgen(method, catch)]
    pub(super) fn send(this: &Socket, message: &Uint8Array) -> Result<(), JsValue>;

    #[wasm_bindgen(method)]
    pub(super) fn close(this: &Socket);
    #[wasm_bindgen(method, js_name = startPreview)]
    pub(super) fn start_preview(this: &EditorModule, on_shown: &Closure<dyn Fn(JsValue)>);

    #[wasm_bindgen(method, js_name = currentPreview)]
    fn current_preview(this: &EditorModule) -> JsValue;

    #[wasm_bindgen(method, js_name = startedEditor)]
    pub(super) fn started_editor(this: &EditorModule) -> Option<StartedEditor>;

    #[wasm_bindgen(method, js_name = leftBehind)]
    pub(super) fn left_behind(this: &EditorModule, document_id: &str, user_id: &str) -> Promise;

    #[wasm_bindgen(method)]
    pub(super) fn fail(this: &EditorModule);

    /// Edits made before the CRDT was there.
    pub(super) type EarlyEdits;

    #[wasm_bindgen(method, getter)]
    pub(super) fn base(this: &EarlyEdits) -> String;

    #[wasm_bindgen(method, catch)]
    pub(super) fn rebase(this: &EarlyEdits, theirs: &Array) -> Result<Array, JsValue>;

    #[wasm_bindgen(method, js_name = move)]
    pub(super) fn move_to(this: &EarlyEdits, updates: &Array) -> Promise;

    /// The editor that takes keys before the CRDT is there.
    pub(super) type StartedEditor;

    #[wasm_bindgen(method, getter)]
    pub(super) fn handle(this: &StartedEditor) -> EditorHandle;

    #[wasm_bindgen(method)]
    pub(super) fn base(this: &StartedEditor) -> String;

    #[wasm_bindgen(method, catch)]
    pub(super) fn adopt(
        this: &StartedEditor,
        theirs: &Array,
        callbacks: &Object,
    ) -> Result<Array, JsValue>;

    /// A mounted editor.
    pub(super) type EditorHandle;

    #[wasm_bindgen(method, catch, js_name = applyRemote)]
    fn apply_remote(this: &EditorHandle, changes: &Array) -> Result<(), JsValue>;

    #[wasm_bindgen(method, js_name = startPeers)]
    fn start_peers(this: &EditorHandle, options: &Object);

    #[wasm_bindgen(method, js_name = showPeers)]
    pub(super) fn show_peers(this: &EditorHandle, changed: &Array, gone: &Array);

    #[wasm_bindgen(method, js_name = setReadOnly)]
    pub(super) fn set_read_only(this: &EditorHandle, on: bool);

    #[wasm_bindgen(method)]
    pub(super) fn text(this: &EditorHandle) -> String;

    #[wasm_bindgen(method)]
    pub(super) fn focus(this: &EditorHandle);

    #[wasm_bindgen(method)]
    pub(super) fn destroy(this: &EditorHandle);
}

/// Callbacks for the editor; they must live as long as it does.
pub(super) struct Callbacks {
    on_change: Closure<dyn Fn(Array)>,
    on_commit: Closure<dyn Fn()>,
    on_too_long: Closure<dyn Fn()>,
}

impl Callbacks {
    pub(super) fn new(session: &Weak<Session>) -> Self {
        let (changed, commit, too_long) = (session.clone(), session.clone(), session.clone());
        Self {
            on_change: Closure::new(move |changes| {
                with(&changed, |session| session.edited(changes_from(&changes)));
            }),
            on_commit: Closure::new(move || {
                with(&commit, |session| session.view.commit.update(|asked| *asked += 1));
            }),
            on_too_long: Closure::new(move || {
                with(&too_long, |session| session.view.too_long.update(|times| *times += 1));
            }),
        }
    }

    fn properties(&self) -> [(&str, JsValue); 3] {
        let function = |closure: &JsValue| closure.unchecked_ref::<Function>().clone().into();
        [
            ("onChange", function(self.on_change.as_ref())),
            ("onCommit", function(self.on_commit.as_ref())),
            ("onTooLong", function(self.on_too_long.as_ref())),
        ]
    }

    /// Returns them as properties of an object.
    pub(super) fn object(&self) -> Object {
        object(&self.properties())
    }
}

/// Initial state of an editor.
pub(super) struct MountOptions<'a> {
    pub(super) text: &'a str,
    pub(super) kind: &'a str,
    pub(super) label: &'a str,
    pub(super) read_only: bool,
    pub(super) nonce: &'a str,
}

/// Called with the user as JSON and the selection, to announce them.
pub(super) type Announce = Closure<dyn Fn(String, Option<u32>, Option<u32>)>;

/// Another client and its selection.
pub(super) struct Peer {
    pub(super) client: u64,
    /// Its awareness state, as JSON.
    pub(super) state: Arc<str>,
    pub(super) selection: Option<(u32, u32)>,
}

impl EditorModule {
    /// Loads the module; later calls return the same one.
    pub(super) async fn load() -> Result<Self, JsValue> {
        Ok(JsFuture::from(load_editor()).await?.unchecked_into())
    }

    pub(super) fn mount_editor(
        &self,
        parent: &HtmlElement,
        options: &MountOptions<'_>,
        callbacks: &Callbacks,
    ) -> Result<EditorHandle, JsValue> {
        #[expect(clippy::cast_precision_loss, reason = "10 MiB")]
        let max_bytes = MAX_CONTENT_BYTES as f64;
        let options = [
            ("text", options.text.into()),
            ("kind", options.kind.into()),
            ("label", options.label.into()),
            ("readOnly", options.read_only.into()),
            ("nonce", options.nonce.into()),
            ("placeholder", words::editor_placeholder().into()),
            ("leaveHint", words::editor_leave_hint().into()),
            ("failure", words::editor_failed().into()),
            ("phrases", words::phrases()),
            ("maxBytes", max_bytes.into()),
            ("preview", self.current_preview()),
        ];
        let [on_change, on_commit, on_too_long] = callbacks.properties();
        let options: Vec<_> =
            options.into_iter().chain([on_change, on_commit, on_too_long]).collect();
        self.mount(parent, &object(&options))
    }
}

/// Texts about people, with the names of their arguments in them.
fn peer_texts() -> JsValue {
    let texts = [
        ("here", "people_here"),
        ("all", "people_all"),
        ("now", "people_now"),
        ("unnamed", "person_unnamed"),
        ("you", "person_you"),
        ("follow", "person_follow"),
        ("came", "person_came"),
        ("left", "person_left"),
        ("showCursors", "cursors_shown"),
        ("following", "following"),
        ("stop", "follow_stop"),
    ];
    let texts = texts.map(|(name, key)| (name, words::text(key).unwrap_or_default().into()));
    object(&texts).into()
}

impl EditorHandle {
    /// Applies remote changes.
    pub(super) fn take_over(&self, changes: &[Change]) -> Result<(), JsValue> {
        self.apply_remote(&changes_array(changes))
    }

    /// Starts to show other people in `host`, and to announce the user: id and name.
    pub(super) fn start(&self, host: &HtmlElement, user: (&str, &str), announce: &Announce) {
        let (id, name) = user;
        self.start_peers(&object(&[
            ("host", host.into()),
            ("user", object(&[("id", id.into()), ("name", name.into())]).into()),
            ("texts", peer_texts()),
            ("onPresence", announce.as_ref().clone()),
        ]));
    }

    /// Shows clients whose states have changed, and removes clients that are gone.
    pub(super) fn show(&self, changed: &[Peer], gone: &[u64]) {
        let offset = |offset: Option<u32>| offset.map_or(JsValue::NULL, JsValue::from);
        let changed = changed.iter().map(|Peer { client, state, selection }| {
            object(&[
                ("client", number(*client)),
                ("state", JsValue::from_str(state)),
                ("anchor", offset(selection.map(|(anchor, _)| anchor))),
                ("head", offset(selection.map(|(_, head)| head))),
            ])
        });
        let gone = gone.iter().map(|client| number(*client));
        self.show_peers(&changed.collect::<Array>(), &gone.collect::<Array>());
    }
}

/// A client id as JavaScript has it: Yjs draws 32 bits.
#[expect(clippy::cast_precision_loss, reason = "as JavaScript reads it")]
fn number(client: u64) -> JsValue {
    JsValue::from_f64(client as f64)
}

/// Changes as the editor takes them.
pub(super) fn changes_array(changes: &[Change]) -> Array {
    let changes = changes.iter().map(|change| {
        object(&[
            ("from", change.from.into()),
            ("to", change.to.into()),
            ("insert", change.insert.as_str().into()),
        ])
    });
    changes.collect()
}

/// Local changes as the editor reports them.
pub(super) fn changes_from(array: &Array) -> Vec<Change> {
    let offset = |value: &JsValue, name: &str| {
        let number = get(value, name).as_f64().unwrap_or_default();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "offsets of a text of 10 MiB"
        )]
        let number = number as u32;
        number
    };
    let change = |value: JsValue| Change {
        from: offset(&value, "from"),
        to: offset(&value, "to"),
        insert: get(&value, "insert").as_string().unwrap_or_default(),
    };
    array.iter().map(change).collect()
}

/// Returns a plain object with these properties.
pub(super) fn object(properties: &[(&str, JsValue)]) -> Object {
    let object = Object::new();
    for (name, value) in properties {
        // Setting a property of a plain object cannot fail.
        let _ = Reflect::set(&object, &JsValue::from_str(name), value);
    }
    object
}

/// Returns a property, or `undefined` if it is missing.
pub(super) fn get(value: &JsValue, name: &str) -> JsValue {
    Reflect::get(value, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

/// Copies bytes for JavaScript, because WebAssembly memory may be reallocated.
pub(super) fn bytes(bytes: &[u8]) -> Uint8Array {
    Uint8Array::from(bytes)
}
