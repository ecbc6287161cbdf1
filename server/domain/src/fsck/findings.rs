//! Collection of findings.

use super::{Fault, FaultKind};
use crate::{
    error::Result,
    storage::{StoreError, StoreResult},
};
use izanagi_shared::id::DocumentId;

/// Collects the findings of one document, or those without a document.
pub(super) struct Findings {
    document: Option<DocumentId>,
    pub(super) faults: Vec<Fault>,
    pub(super) notes: Vec<String>,
}

impl Findings {
    pub(super) const fn new(document: Option<DocumentId>) -> Self {
        Self { document, faults: Vec::new(), notes: Vec::new() }
    }

    /// The document of these findings.
    pub(super) fn document_id(&self) -> DocumentId {
        self.document.unwrap_or(DocumentId(uuid::Uuid::nil()))
    }

    pub(super) fn add(&mut self, kind: FaultKind, detail: impl Into<String>) {
        self.faults.push(Fault { document: self.document, kind, detail: detail.into() });
    }

    pub(super) fn note(&mut self, what: &str) {
        let about = self.document.map(|id| format!("document {id}: ")).unwrap_or_default();
        self.notes.push(format!("{about}{what}"));
    }

    /// Unwraps a store's answer; `None` and a fault if it is corrupt.
    ///
    /// # Errors
    /// The store did not answer.
    pub(super) fn sound<T>(
        &mut self,
        kind: FaultKind,
        answer: StoreResult<T>,
    ) -> Result<Option<T>> {
        match answer {
            Ok(value) => Ok(Some(value)),
            Err(StoreError::Corrupt(what)) => {
                self.add(kind, what);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Keeps only faults that an earlier check has found as well.
    pub(super) fn keep_what_was_in(&mut self, earlier: &Self) {
        self.faults.retain(|fault| earlier.faults.contains(fault));
    }
}
