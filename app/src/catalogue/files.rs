//! Files with the texts of scripts: JSON, one for each language and bundle. Their paths contain a
//! hash of the contents, so that browsers keep them.

use super::{Language, language};
use crate::{
    components::Bundle,
    words::{
        COMMON_TEXTS, EDITOR_TEXTS, Entry, PAGE_TEXTS, PHRASE_TEXTS, PHRASES, PROBLEM_TEXTS,
        TIMELINE_TEXTS,
    },
};
use serde_json::{Map, Value};
use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::LazyLock,
};

struct File {
    language: Language,
    bundle: Bundle,
    path: String,
    text: String,
}

static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
    let languages = Language::ALL.into_iter();
    languages
        .flat_map(|language| {
            [Bundle::Pages, Bundle::Editor, Bundle::Timeline].map(|bundle| file(language, bundle))
        })
        .collect()
});

fn file(language: Language, bundle: Bundle) -> File {
    let object = |tables: &[&[Entry]]| -> Map<String, Value> {
        let entries = tables.iter().copied().flatten();
        let texts =
            entries.map(|entry| (entry.key.to_owned(), entry.texts[language.index()].into()));
        texts.collect()
    };
    let (name, own) = match bundle {
        Bundle::None | Bundle::Pages => ("pages", PAGE_TEXTS),
        Bundle::Editor => ("editor", EDITOR_TEXTS),
        Bundle::Timeline => ("timeline", TIMELINE_TEXTS),
    };
    let mut texts = object(&[COMMON_TEXTS, PROBLEM_TEXTS, own]);
    if bundle == Bundle::Editor {
        texts.insert(PHRASES.to_owned(), object(&[PHRASE_TEXTS]).into());
    }
    let text = Value::from(texts).to_string();
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    let path = format!("/words/{:016x}/{}-{name}.json", hasher.finish(), language.code());
    File { language, bundle, path, text }
}

/// Returns the path of the texts of a bundle in the request's language.
pub(crate) fn words_path(bundle: Bundle) -> &'static str {
    // A page without a bundle may have a message to show.
    let bundle = if bundle == Bundle::None { Bundle::Pages } else { bundle };
    let language = language();
    let is_it = |file: &&File| file.language == language && file.bundle == bundle;
    FILES.iter().find(is_it).map_or("", |file| file.path.as_str())
}

/// Returns the contents of such a path, if it is one of this build.
#[must_use]
pub fn words_file(path: &str) -> Option<&'static str> {
    FILES.iter().find(|file| file.path == path).map(|file| file.text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_the_texts_of_its_language_and_bundle() {
        assert_eq!(FILES.len(), 9);
        for file in FILES.iter() {
            let texts: Value = serde_json::from_str(words_file(&file.path).unwrap()).unwrap();
            let dismiss = ["Dismiss", "閉じる", "关闭"][file.language.index()];
            assert_eq!(texts["dismiss"], dismiss);
            assert_eq!(texts["phrases"]["Find"].is_string(), file.bundle == Bundle::Editor);
            assert_eq!(texts["upload"].is_string(), file.bundle == Bundle::Pages);
            assert_eq!(texts["timeline_play"].is_string(), file.bundle == Bundle::Timeline);
        }
        assert_eq!(words_file("/words/0/en-pages.json"), None);
    }
}
