//! Settings that are one of a few words.

use super::{Refused, read};
use serde::de::Deserializer;

/// Defines a type whose values are words, and the function that reads one.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident by $read:ident: $allowed:literal {
        $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl $name {
            /// Returns the word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        pub(in super::super) fn $read<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<$name, D::Error> {
            read(from, |given| match given {
                $($word => Ok($name::$variant),)*
                _ => Err(Refused::new(given, $allowed)),
            })
        }
    };
}

choice! {
    /// Kind of the relational database.
    UsersBackend by users_backend: "use sqlite, memory or postgres" {
        /// A SQLite file.
        Sqlite = "sqlite",
        /// SQLite in memory.
        Memory = "memory",
        /// PostgreSQL.
        Postgres = "postgres",
    }
}

choice! {
    /// Kind of the document store.
    DocumentsBackend by documents_backend: "use users, sqlite, postgres or mongo" {
        /// The relational database.
        Users = "users",
        /// A SQLite file of its own.
        Sqlite = "sqlite",
        /// A PostgreSQL database of its own.
        Postgres = "postgres",
        /// MongoDB.
        Mongo = "mongo",
    }
}

choice! {
    /// Where ended sessions are looked up.
    RevocationsBackend by revocations_backend: "use users or redis" {
        /// In the relational database.
        Users = "users",
        /// In Redis too.
        Redis = "redis",
    }
}

choice! {
    /// Where something is that nodes may share.
    SharedBackend by shared_backend: "use process or redis" {
        /// In each process.
        Process = "process",
        /// In Redis.
        Redis = "redis",
    }
}

choice! {
    /// How the document store uses two places.
    DocumentsStrategy by documents_strategy: "use single, dual-write or read-replica" {
        /// One place.
        Single = "single",
        /// Two; the first decides.
        DualWrite = "dual-write",
        /// One, of which copies may be read from replicas.
        ReadReplica = "read-replica",
    }
}

choice! {
    /// How the relational database is used.
    UsersStrategy by users_strategy: "use single or read-replica" {
        /// One server.
        Single = "single",
        /// Lists may be read from replicas.
        ReadReplica = "read-replica",
    }
}

choice! {
    /// A place of documents.
    PlaceName by place_name: "use users, documents, sqlite, postgres or mongo" {
        /// The relational database.
        Users = "users",
        /// The database of the documents.
        Documents = "documents",
        /// That of the two which is SQLite.
        Sqlite = "sqlite",
        /// That of the two which is PostgreSQL.
        Postgres = "postgres",
        /// That of the two which is MongoDB.
        Mongo = "mongo",
    }
}

choice! {
    /// Which of two places answers.
    ReadsFrom by reads_from: "use primary, shadow or both" {
        /// The first.
        Primary = "primary",
        /// The second, where a copy is good enough.
        Shadow = "shadow",
        /// The first, compared with the second.
        Both = "both",
    }
}

choice! {
    /// Which of two places is written.
    WritesTo by writes_to: "use primary or both" {
        /// The first.
        Primary = "primary",
        /// Both.
        Both = "both",
    }
}
