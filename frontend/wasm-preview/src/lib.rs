//! WebAssembly bundle of the editor's preview. A worker renders the text in it, so that parsing never
//! delays typing (`frontend/preview/worker.ts`).

use izanagi_shared::{
    crdt::Change,
    markdown::{Labels, Parts, Place, RenderOptions, divided},
    rules::DocumentKind,
};
use std::collections::HashSet;
use wasm_bindgen::prelude::wasm_bindgen;

/// No HTML has this character.
const BETWEEN: &str = "\0";
/// Shorter HTML is in one piece. In bytes.
const SHORT: usize = 128 * 1024;

fn in_pieces(html: String) -> String {
    if html.len() < SHORT {
        return html;
    }
    let pieces: Vec<String> = divided(&html, SHORT).into_iter().map(|piece| piece.html).collect();
    pieces.join(BETWEEN)
}

/// A text that is rendered part by part.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Preview(Parts);

#[wasm_bindgen]
impl Preview {
    /// Renders a text of this kind. `labels` are those of [`Labels`], in the order of its fields.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(kind: &str, text: &str, labels: Vec<String>, outside_images: bool) -> Self {
        let kind = match kind {
            "markdown" => DocumentKind::Markdown,
            "json" => DocumentKind::Json,
            _ => DocumentKind::Text,
        };
        let labels = <[String; 5]>::try_from(labels).map_or(Labels::ENGLISH, |labels| {
            let [table, task_done, task_open, footnotes, footnote_back] = labels.map(Into::into);
            Labels { table, task_done, task_open, footnotes, footnote_back }
        });
        let options = RenderOptions { labels, outside_images, ..RenderOptions::default() };
        Self(Parts::new(kind, text, options))
    }

    /// Applies changes: start and end of each, in UTF-16 units of the text before all of them, and
    /// what it inserts. Returns `false` if one is outside the text; then nothing has changed.
    pub fn edit(&mut self, offsets: &[u32], inserts: Vec<String>) -> bool {
        let ranges = offsets.chunks_exact(2);
        let changes = ranges.zip(inserts).filter_map(|(range, insert)| {
            let &[from, to] = range else { return None };
            Some(Change { from, to, insert })
        });
        self.0.edit(&changes.collect::<Vec<_>>())
    }

    /// Returns id, approximate number of lines and length in UTF-16 units of each part, one after the
    /// other.
    #[must_use]
    pub fn list(&self) -> Vec<u32> {
        self.0.list().flat_map(|Place { id, lines, units }| [id, lines, units]).collect()
    }

    /// Returns the HTML of those of these parts that exist, in the order of the document. That of a
    /// very long block is in several pieces, with [`BETWEEN`] between them.
    #[must_use]
    pub fn html(&self, ids: &[u32]) -> Vec<String> {
        let wanted: HashSet<u32> = ids.iter().copied().collect();
        let parts = self.0.html(&wanted).into_iter();
        parts.map(|(_, html)| in_pieces(html)).collect()
    }

    /// Returns the part with this element.
    #[must_use]
    pub fn find(&self, anchor: &str) -> Option<u32> {
        self.0.find(anchor)
    }

    /// Number of words.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn words(&self) -> usize {
        self.0.counts().words
    }

    /// Number of characters.
    #[wasm_bindgen(getter)]
    #[must_use]
    pub fn characters(&self) -> usize {
        self.0.counts().characters
    }

    /// Whether images of other hosts are left out.
    #[wasm_bindgen(getter, js_name = lacksImages)]
    #[must_use]
    pub fn lacks_images(&self) -> bool {
        self.0.has_outside_images()
    }

    /// Whether something is missing, because there is too much of it to show.
    #[wasm_bindgen(getter, js_name = isCut)]
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.0.is_cut()
    }
}
