//! Permission table for documents. The page uses it to decide what to show, the server to authorise
//! requests (DESIGN §1). The caller's [`Standing`] is determined by the server.

use serde::{Deserialize, Serialize};

/// A caller's relation to a document, in ascending order of rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not signed in, or no access to the document.
    Stranger,
    /// May read the text alone: the document is public.
    Public,
    /// May read the text and its history.
    Reader,
    /// May read and edit the text.
    Editor,
    /// May do everything.
    Owner,
}

/// Everything that gives a caller rights to a document, as one query finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Access {
    /// The caller owns the document.
    pub is_owner: bool,
    /// What the caller's role in the document's workspace gives.
    pub workspace: Option<Standing>,
    /// What the share link gives that the caller came with.
    pub link: Option<Standing>,
    /// Everyone may read the document.
    pub is_public: bool,
    /// The document is in the trash: only its owners and those of its workspace see it.
    pub is_trashed: bool,
}

impl Access {
    /// The caller's standing: the highest of all that gives rights.
    #[must_use]
    pub fn standing(self) -> Standing {
        let owner = self.is_owner.then_some(Standing::Owner);
        let public = self.is_public.then_some(Standing::Public);
        let highest = [owner, self.workspace, self.link, public].into_iter().flatten().max();
        match highest.unwrap_or(Standing::Stranger) {
            standing if self.is_trashed && standing < Standing::Owner => Standing::Stranger,
            standing => standing,
        }
    }
}

/// What an API key allows its bearer to do, at most what its user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Read documents and versions.
    Read,
    /// Change them.
    Write,
    /// Change accounts and what others may do.
    Admin,
}

/// An operation on a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Read and download the text as it is now.
    Read,
    /// Read and download versions and comparisons, which may contain what the text no longer does.
    ReadHistory,
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
    pub const ALL: [Self; 9] = [
        Self::Read,
        Self::ReadHistory,
        Self::Edit,
        Self::Commit,
        Self::NameVersion,
        Self::ChangeDetails,
        Self::ManageOwners,
        Self::Trash,
        Self::Purge,
    ];

    /// Returns the scope that an API key needs for this action.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self {
            Self::Read | Self::ReadHistory => Scope::Read,
            Self::Edit
            | Self::Commit
            | Self::NameVersion
            | Self::ChangeDetails
            | Self::Trash
            | Self::Purge => Scope::Write,
            Self::ManageOwners => Scope::Admin,
        }
    }

    /// Returns the minimum standing required for this action.
    #[must_use]
    pub const fn needs(self) -> Standing {
        match self {
            Self::Read => Standing::Public,
            Self::ReadHistory => Standing::Reader,
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
    } else if standing >= Standing::Public {
        Verdict::Forbidden
    } else {
        Verdict::Hidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_right_counts() {
        let none = Access::default();
        assert_eq!(none.standing(), Standing::Stranger);
        let public = Access { is_public: true, ..none };
        assert_eq!(public.standing(), Standing::Public);
        let linked = Access { link: Some(Standing::Editor), ..public };
        assert_eq!(linked.standing(), Standing::Editor);
        let member = Access { workspace: Some(Standing::Reader), ..linked };
        assert_eq!(member.standing(), Standing::Editor);
        assert_eq!(Access { is_owner: true, ..member }.standing(), Standing::Owner);
    }

    #[test]
    fn trash_is_visible_to_owners_only() {
        let trashed = Access { is_trashed: true, is_public: true, ..Access::default() };
        let linked = Access { link: Some(Standing::Editor), ..trashed };
        assert_eq!(linked.standing(), Standing::Stranger);
        let manager = Access { workspace: Some(Standing::Owner), ..linked };
        assert_eq!(manager.standing(), Standing::Owner);
    }

    #[test]
    fn the_table_is_complete() {
        use Verdict::{Allowed, Forbidden, Hidden};
        const STANDINGS: [Standing; 5] = [
            Standing::Stranger,
            Standing::Public,
            Standing::Reader,
            Standing::Editor,
            Standing::Owner,
        ];
        let of_all = [Hidden, Allowed, Allowed, Allowed, Allowed];
        let of_readers = [Hidden, Forbidden, Allowed, Allowed, Allowed];
        let of_editors = [Hidden, Forbidden, Forbidden, Allowed, Allowed];
        let of_owners = [Hidden, Forbidden, Forbidden, Forbidden, Allowed];
        for action in Action::ALL {
            let expected = match action {
                Action::Read => of_all,
                Action::ReadHistory => of_readers,
                Action::Edit | Action::Commit | Action::NameVersion => of_editors,
                Action::ChangeDetails | Action::ManageOwners | Action::Trash | Action::Purge => {
                    of_owners
                }
            };
            assert_eq!(STANDINGS.map(|standing| decide(standing, action)), expected, "{action:?}");
        }
    }
}
