//! Permission table for documents. The page uses it to decide what to show, the server to authorise
//! requests (DESIGN §1). The caller's [`Standing`] is determined by the server.

use serde::{Deserialize, Serialize};

/// A caller's relation to a document, in ascending order of rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not signed in, or no access to the document.
    Stranger,
    /// May read: the document is public.
    Reader,
    /// May read and edit the text.
    Editor,
    /// May do everything.
    Owner,
}

/// An operation on a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Read and download the text, its versions and comparisons.
    Read,
    /// Edit the text and receive its live updates.
    Edit,
    /// Create a version by commit or restore.
    Commit,
    /// Name a version.
    NameVersion,
    /// Change the title, the description, and the public and template flags.
    ChangeDetails,
    /// Add and remove owners.
    ManageOwners,
    /// Move to trash and restore from it.
    Trash,
    /// Delete permanently.
    Purge,
}

impl Action {
    /// All actions.
    pub const ALL: [Self; 8] = [
        Self::Read,
        Self::Edit,
        Self::Commit,
        Self::NameVersion,
        Self::ChangeDetails,
        Self::ManageOwners,
        Self::Trash,
        Self::Purge,
    ];

    /// Returns the minimum standing required for this action.
    #[must_use]
    pub const fn needs(self) -> Standing {
        match self {
            Self::Read => Standing::Reader,
            Self::Edit | Self::Commit | Self::NameVersion => Standing::Editor,
            Self::ChangeDetails | Self::ManageOwners | Self::Trash | Self::Purge => Standing::Owner,
        }
    }
}

/// Result of an authorisation check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The action is allowed.
    Allowed,
    /// The caller may see the document but not do this: 403.
    Forbidden,
    /// The caller may not know that the document exists: 404.
    Hidden,
}

/// Decides whether a caller with this standing may perform the action.
#[must_use]
pub fn decide(standing: Standing, action: Action) -> Verdict {
    if standing >= action.needs() {
        Verdict::Allowed
    } else if standing >= Standing::Reader {
        Verdict::Forbidden
    } else {
        Verdict::Hidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_everything_from_a_stranger() {
        for action in Action::ALL {
            assert_eq!(decide(Standing::Stranger, action), Verdict::Hidden);
        }
    }

    #[test]
    fn allows_a_reader_only_to_read() {
        for action in Action::ALL {
            let expected =
                if action == Action::Read { Verdict::Allowed } else { Verdict::Forbidden };
            assert_eq!(decide(Standing::Reader, action), expected);
        }
    }

    #[test]
    fn forbids_an_editor_owner_actions() {
        assert_eq!(decide(Standing::Editor, Action::Commit), Verdict::Allowed);
        assert_eq!(decide(Standing::Editor, Action::Purge), Verdict::Forbidden);
        assert_eq!(decide(Standing::Editor, Action::ManageOwners), Verdict::Forbidden);
    }

    #[test]
    fn allows_an_owner_every_action() {
        for action in Action::ALL {
            assert_eq!(decide(Standing::Owner, action), Verdict::Allowed);
        }
    }
}
