//! Who may do what with a document: the one table. The page reads it to know what to show, the
//! server to decide (DESIGN §1). How somebody stands to a document is found out elsewhere.

use serde::{Deserialize, Serialize};

/// How somebody stands to a document, from nothing to everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Not signed in, or signed in and unrelated to the document.
    Stranger,
    /// May read: the document is public.
    Reader,
    /// May read and write its text.
    Editor,
    /// May do everything with it.
    Owner,
}

/// Something that can be done with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// See the text, its versions and comparisons, and download them.
    Read,
    /// Change the text; see live updates of it.
    Edit,
    /// Make a version, by commit or restore.
    Commit,
    /// Name a version.
    NameVersion,
    /// Change title, description, whether it is public, a template.
    ChangeDetails,
    /// Add and remove owners.
    ManageOwners,
    /// Move to trash and back.
    Trash,
    /// Delete for ever.
    Purge,
}

impl Action {
    /// Every action, for tables and tests.
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

    /// The least standing that may do this.
    #[must_use]
    pub const fn needs(self) -> Standing {
        match self {
            Self::Read => Standing::Reader,
            Self::Edit | Self::Commit | Self::NameVersion => Standing::Editor,
            Self::ChangeDetails | Self::ManageOwners | Self::Trash | Self::Purge => Standing::Owner,
        }
    }
}

/// The answer to "may they?".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Allowed,
    /// They know it exists but may not do this: 403.
    Forbidden,
    /// They may not even know that it exists: 404.
    Hidden,
}

/// Decides whether somebody who stands so may do this.
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
    fn a_stranger_may_know_nothing() {
        for action in Action::ALL {
            assert_eq!(decide(Standing::Stranger, action), Verdict::Hidden);
        }
    }

    #[test]
    fn a_reader_may_only_read() {
        for action in Action::ALL {
            let expected =
                if action == Action::Read { Verdict::Allowed } else { Verdict::Forbidden };
            assert_eq!(decide(Standing::Reader, action), expected);
        }
    }

    #[test]
    fn an_editor_writes_but_does_not_own() {
        assert_eq!(decide(Standing::Editor, Action::Commit), Verdict::Allowed);
        assert_eq!(decide(Standing::Editor, Action::Purge), Verdict::Forbidden);
        assert_eq!(decide(Standing::Editor, Action::ManageOwners), Verdict::Forbidden);
    }

    #[test]
    fn an_owner_may_do_everything() {
        for action in Action::ALL {
            assert_eq!(decide(Standing::Owner, action), Verdict::Allowed);
        }
    }
}
