//! The caller of a service (DESIGN §1).

use crate::{
    accounts::Caller,
    error::{Error, Result},
};
use izanagi_shared::{
    id::{ActorId, ApiKeyId, DocumentId, SessionId, ShareLinkId, UserId},
    permission::{Scope, Standing},
};

/// The caller of a service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Principal {
    /// Not signed in.
    #[default]
    Anonymous,
    /// A signed-in device.
    Session(Caller),
    /// A program with an API key.
    ApiKey(ApiKeyCaller),
    /// The bearer of a share link.
    ShareLink(LinkCaller),
    /// A visitor in open mode: not signed in, trusted by configuration.
    Visitor(UserId),
    /// A background job of the server, with its name for the log.
    Job(&'static str),
}

/// The bearer of an API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyCaller {
    /// The owner of the key.
    pub user: UserId,
    /// The key.
    pub key: ApiKeyId,
    /// The granted scopes.
    pub scopes: Vec<Scope>,
}

/// The bearer of a share link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkCaller {
    /// The link.
    pub link: ShareLinkId,
    /// The document it opens.
    pub document: DocumentId,
}

/// The parts of a caller that determine its rights to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Viewer {
    /// The account, if any.
    pub user: Option<UserId>,
    /// The share link, if the caller presented one for this document.
    pub link: Option<ShareLinkId>,
}

impl From<Caller> for Principal {
    fn from(caller: Caller) -> Self {
        Self::Session(caller)
    }
}

impl Principal {
    /// Returns the account the caller acts for.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::Session(caller) => Some(caller.user),
            Self::ApiKey(caller) => Some(caller.user),
            Self::Visitor(user) => Some(*user),
            Self::Anonymous | Self::ShareLink(_) | Self::Job(_) => None,
        }
    }

    /// Returns the actor that changes are attributed to; `None` for an anonymous caller, who cannot
    /// change anything. An API key acts in the name of its owner.
    #[must_use]
    pub fn actor(&self) -> Option<ActorId> {
        match self {
            Self::Anonymous => None,
            Self::ShareLink(caller) => Some(caller.link.into()),
            Self::Job(_) => Some(ActorId::SERVER),
            Self::Session(_) | Self::ApiKey(_) | Self::Visitor(_) => self.user().map(ActorId::from),
        }
    }

    /// Returns the account, or an error for callers without one.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub fn require_user(&self) -> Result<UserId> {
        self.user().ok_or(Error::Unauthenticated)
    }

    /// Returns the session, or an error for callers without one.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub const fn require_session(&self) -> Result<Caller> {
        match self {
            Self::Session(caller) => Ok(*caller),
            _ => Err(Error::Unauthenticated),
        }
    }

    /// Returns the session, if any.
    #[must_use]
    pub const fn session(&self) -> Option<SessionId> {
        match self {
            Self::Session(caller) => Some(caller.session),
            _ => None,
        }
    }

    /// Returns the viewer used to query a document.
    #[must_use]
    pub fn viewer(&self, document: DocumentId) -> Viewer {
        let link = match self {
            Self::ShareLink(caller) if caller.document == document => Some(caller.link),
            _ => None,
        };
        Viewer { user: self.user(), link }
    }

    /// Returns the caller's rights to every document, regardless of ownership.
    #[must_use]
    pub const fn own_standing(&self) -> Standing {
        match self {
            Self::Job(_) => Standing::Owner,
            Self::Visitor(_) => Standing::Editor,
            Self::Anonymous | Self::Session(_) | Self::ApiKey(_) | Self::ShareLink(_) => {
                Standing::Stranger
            }
        }
    }

    /// Checks that the caller's API key has this scope.
    ///
    /// # Errors
    /// `ScopeMissing`.
    pub fn require_scope(&self, scope: Scope) -> Result<()> {
        match self {
            Self::ApiKey(caller) if !caller.scopes.contains(&scope) => {
                Err(Error::ScopeMissing(scope))
            }
            _ => Ok(()),
        }
    }

    /// Whether signing in could grant more rights. If so, a hidden document is reported as
    /// `Unauthenticated` rather than `NotFound`.
    #[must_use]
    pub const fn is_anonymous(&self) -> bool {
        matches!(self, Self::Anonymous)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn key(scopes: &[Scope]) -> Principal {
        let (user, key) = (UserId(Uuid::from_u128(1)), ApiKeyId(Uuid::from_u128(2)));
        Principal::ApiKey(ApiKeyCaller { user, key, scopes: scopes.to_vec() })
    }

    #[test]
    fn a_key_allows_only_its_scopes() {
        let reader = key(&[Scope::Read]);
        assert!(reader.require_scope(Scope::Read).is_ok());
        assert!(matches!(reader.require_scope(Scope::Write), Err(Error::ScopeMissing(_))));
        assert!(Principal::Job("search").require_scope(Scope::Admin).is_ok());
    }

    #[test]
    fn a_link_opens_its_own_document_only() {
        let document = DocumentId(Uuid::from_u128(1));
        let link = ShareLinkId(Uuid::from_u128(2));
        let caller = Principal::ShareLink(LinkCaller { link, document });
        assert_eq!(caller.viewer(document).link, Some(link));
        assert_eq!(caller.viewer(DocumentId(Uuid::from_u128(3))).link, None);
        assert_eq!(caller.user(), None);
        assert_eq!(caller.actor(), Some(link.into()));
    }

    #[test]
    fn only_sessions_count_as_sessions() {
        assert!(key(&[Scope::Admin]).require_session().is_err());
        assert!(key(&[]).require_user().is_ok());
        assert!(Principal::Anonymous.require_user().is_err());
    }
}
