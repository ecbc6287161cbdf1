//! The two sources, file and environment, each parsed to a layer of settings.

use super::{Config, ConfigError, schema, storage::SHORT, values::check_mongodb_url};
use confique::{
    Config as _,
    meta::{FieldKind, Meta},
};
use serde::{
    Deserialize as _, Deserializer,
    de::{
        IntoDeserializer, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};
use serde_norway::Value;
use std::{env::VarError, io::ErrorKind};

const FILE_VARIABLE: &str = "IZANAGI_CONFIG";
const DEFAULT_FILE: &str = "izanagi.yaml";

type Layer = <Config as confique::Config>::Layer;

/// Rejects variables that are not valid Unicode; they would otherwise count as unset.
pub(super) fn require_unicode() -> Result<(), ConfigError> {
    let settings = schema::settings();
    let variables = settings.iter().map(|setting| setting.variable).chain([FILE_VARIABLE]);
    let variables = variables.chain(SHORT.map(|(short, _)| short));
    for variable in variables {
        if let Err(VarError::NotUnicode(_)) = std::env::var(variable) {
            return Err(ConfigError::new(variable, "bytes", "use text in UTF-8"));
        }
    }
    Ok(())
}

/// Reads the environment. An empty variable counts as unset, because Compose files pass unset
/// variables that way.
pub(super) fn read_environment(env: &dyn Fn(&str) -> Option<String>) -> Result<Layer, ConfigError> {
    let set = |variable: &str| env(variable).filter(|text| !text.is_empty());
    if let Some(url) = set("MONGODB_URL") {
        check_mongodb_url(&url)
            .map_err(|(shown, allowed)| ConfigError::new("MONGODB_URL", shown, allowed))?;
    }
    let given = arrange(&Config::META, &mut |variable| {
        let short = || SHORT.iter().find(|(_, long)| long.contains(&variable));
        let name = match set(variable) {
            Some(_) => variable,
            None => short()?.0,
        };
        Some(Given::new(name, Kind::Text(set(name)?)))
    });
    Layer::deserialize(given)
}

/// Reads the file named by `IZANAGI_CONFIG`, or `izanagi.yaml` if it exists.
pub(super) fn read_file(env: &dyn Fn(&str) -> Option<String>) -> Result<Layer, ConfigError> {
    let named = env(FILE_VARIABLE).filter(|path| !path.is_empty());
    let path = named.as_deref().unwrap_or(DEFAULT_FILE);
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => {
            let name = if named.is_some() { FILE_VARIABLE } else { DEFAULT_FILE };
            let allowed = format!("use the path of a readable file ({error})");
            return Err(ConfigError::new(name, path, allowed));
        }
    };
    let yaml: Value = serde_norway::from_str(&text).map_err(|error| {
        ConfigError::new(path, error.to_string(), "write YAML as “izanagi config” prints it")
    })?;
    let mut entries = match Given::from_yaml("", yaml).kind {
        Kind::Group(entries) => entries,
        Kind::Null => Vec::new(),
        Kind::Text(_) | Kind::List(_) => {
            let allowed = "write “name: value” lines as “izanagi config” prints them";
            return Err(ConfigError::new(path, "no settings", allowed));
        }
    };
    let given = arrange(&Config::META, &mut |variable| {
        take(&mut entries, &schema::path(variable))
            .filter(|given| !matches!(given.kind, Kind::Null))
    });
    refuse_unknown(path, entries)?;
    Layer::deserialize(given)
}

/// Arranges the values that `take` returns for each variable in the nesting of the settings
/// structs.
fn arrange(meta: &Meta, take: &mut dyn FnMut(&'static str) -> Option<Given>) -> Given {
    let mut entries = Vec::new();
    for field in meta.fields {
        let found = match &field.kind {
            FieldKind::Nested { meta } => Some(arrange(meta, take)),
            FieldKind::Leaf { env, .. } => env.and_then(&mut *take),
        };
        entries.extend(found.map(|given| (field.name.to_owned(), given)));
    }
    Given::new("", Kind::Group(entries))
}

/// Removes and returns the value at a path such as `limits.signIn`.
fn take(entries: &mut Vec<(String, Given)>, path: &str) -> Option<Given> {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    let index = entries.iter().position(|(key, _)| key == first)?;
    match (&mut entries.get_mut(index)?.1.kind, rest) {
        (_, "") => Some(entries.remove(index).1),
        (Kind::Group(inner), rest) => take(inner, rest),
        _ => None,
    }
}

/// Rejects entries that remain after all known settings were taken.
fn refuse_unknown(file: &str, entries: Vec<(String, Given)>) -> Result<(), ConfigError> {
    for (key, Given { name, kind }) in entries {
        // The name is the whole path.
        let is_group = name.rsplit('.').next() == Some(&key) && is_group(&name);
        match kind {
            Kind::Null if is_group => {}
            Kind::Group(inner) if is_group => refuse_unknown(file, inner)?,
            _ if is_group => {
                let allowed = "write “name: value” lines under it, as “izanagi config” prints them";
                return Err(ConfigError::new(&name, "a single value or list", allowed));
            }
            _ => {
                let allowed = "no setting has this name; “izanagi config” prints all of them";
                return Err(ConfigError::new(file, name, allowed));
            }
        }
    }
    Ok(())
}

/// Whether there is a group at this path, or groups in it.
fn is_group(path: &str) -> bool {
    let is_in = |group: &&str| group.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
    schema::GROUPS.iter().any(|group| *group == path || is_in(group))
}

/// Value that a source provides for a setting or a group of settings.
struct Given {
    /// Name of the setting: an environment variable, or a path in the file.
    name: String,
    kind: Kind,
}

enum Kind {
    Null,
    Text(String),
    List(Vec<Given>),
    Group(Vec<(String, Given)>),
}

impl Given {
    fn new(name: &str, kind: Kind) -> Self {
        Self { name: name.to_owned(), kind }
    }

    fn from_yaml(name: &str, yaml: Value) -> Self {
        let kind = match yaml {
            Value::Null => Kind::Null,
            Value::Bool(value) => Kind::Text(value.to_string()),
            Value::Number(value) => Kind::Text(value.to_string()),
            Value::String(value) => Kind::Text(value),
            Value::Sequence(values) => {
                Kind::List(values.into_iter().map(|value| Self::from_yaml(name, value)).collect())
            }
            Value::Mapping(entries) => {
                let entry = |(key, value): (Value, Value)| {
                    let key = key.as_str().map_or_else(|| format!("{key:?}"), str::to_owned);
                    let path = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                    (key, Self::from_yaml(&path, value))
                };
                Kind::Group(entries.into_iter().map(entry).collect())
            }
            Value::Tagged(tagged) => return Self::from_yaml(name, tagged.value),
        };
        Self::new(name, kind)
    }
}

impl IntoDeserializer<'_, ConfigError> for Given {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// All scalars become strings, because only the setting knows whether to parse a number or a time.
impl<'de> Deserializer<'de> for Given {
    type Error = ConfigError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ConfigError> {
        let read = match self.kind {
            Kind::Null => visitor.visit_unit(),
            Kind::Text(text) => visitor.visit_string(text),
            Kind::List(values) => visitor.visit_seq(SeqDeserializer::new(values.into_iter())),
            Kind::Group(entries) => visitor.visit_map(MapDeserializer::new(entries.into_iter())),
        };
        read.map_err(|error| error.named(&self.name))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}
