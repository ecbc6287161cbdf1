//! What is true of a document beside its text, as both protocols tell it.

use izanagi_domain::{
    live::{DocumentEvent, DocumentNews},
    storage::Restored,
};
use izanagi_shared::sync::{DocumentNotice, Happening};

/// Converts an event of the domain.
pub(super) fn notice(event: &DocumentEvent) -> DocumentNotice {
    let happening = |kind: &str, by: &str, number| Happening {
        kind: kind.to_owned(),
        by: Some(by.to_owned()),
        number,
        restored_version: None,
        restored_edit: None,
    };
    let change = event.news.as_ref().map(|news| match news {
        DocumentNews::Committed { number, by } => {
            happening("committed", &by.display_name, Some(*number))
        }
        DocumentNews::Restored { what, number, by } => {
            let restored = happening("restored", &by.display_name, Some(*number));
            match *what {
                Restored::Version(number) => {
                    Happening { restored_version: Some(number), ..restored }
                }
                Restored::Edit(seq) => Happening { restored_edit: Some(seq), ..restored },
            }
        }
        DocumentNews::Changed { by } => happening("changed", &by.display_name, None),
    });
    DocumentNotice {
        title: event.title.clone(),
        head_version: event.head_version,
        is_public: event.is_public,
        published_version: event.published_version,
        deleted_at: event.deleted_at,
        standing: event.standing,
        lineage: None,
        change,
    }
}
