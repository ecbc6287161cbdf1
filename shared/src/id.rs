//! Identifiers. Each entity has its own id type, so that a user id cannot be passed as a document
//! id. All ids are UUIDs; the server generates version 7 (RFC 9562).

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Error returned when parsing text that is not a UUID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID")]
pub struct InvalidId;

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// Parses the hyphenated form only, so that every id has exactly one URL.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if text.len() != 36 {
                    return Err(InvalidId);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId)
            }
        }
    };
}

id_type!(
    /// Id of an account.
    UserId
);
id_type!(
    /// Id of a session (a signed-in device).
    SessionId
);
id_type!(
    /// Id of an API key.
    ApiKeyId
);
id_type!(
    /// Id of a share link.
    ShareLinkId
);
id_type!(
    /// Id of an actor: the account, share link or job that did something. An API key acts in the
    /// name of its account. Ids are unique, so the kind of an actor follows from where its id is
    /// found.
    ActorId
);
id_type!(
    /// Id of a document.
    DocumentId
);
id_type!(
    /// Id of one attempt to commit a version. Each attempt uses a new id (DESIGN §5).
    CommitId
);

impl ActorId {
    /// The server itself, for its background jobs.
    pub const SERVER: Self = Self(Uuid::max());
}

macro_rules! actors {
    ($($id:ident),*) => {$(
        impl From<$id> for ActorId {
            fn from(id: $id) -> Self {
                Self(id.0)
            }
        }
    )*};
}

actors!(UserId, ShareLinkId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_its_own_display_output() {
        let id = DocumentId(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001));
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn rejects_other_spellings_of_a_uuid() {
        for text in [
            "",
            "abc",
            "01900000000070008000000000000001",
            "{01900000-0000-7000-8000-000000000001}",
        ] {
            assert_eq!(text.parse::<UserId>(), Err(InvalidId), "{text}");
        }
    }
}
