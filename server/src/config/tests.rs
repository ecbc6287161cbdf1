mod stores;

use super::*;
use rstest::rstest;
use schema::{GROUPS, Setting, settings};
use std::collections::HashSet;

type Pairs<'a> = &'a [(&'a str, &'a str)];

fn with(pairs: Pairs<'_>) -> Result<Config, ConfigError> {
    Config::from_sources(&|name| {
        pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    })
}

/// Loads a file, overridden by an environment.
fn with_file(yaml: &str, pairs: Pairs<'_>) -> Result<Config, ConfigError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("izanagi.yaml");
    std::fs::write(&path, yaml).unwrap();
    with(&[pairs, &[("IZANAGI_CONFIG", path.to_str().unwrap())]].concat())
}

fn file_path(setting: &Setting) -> String {
    let group = setting.group.map(|group| format!("{group}.")).unwrap_or_default();
    format!("{group}{}", setting.name)
}

/// Returns a file with one value.
fn yaml(path: &str, value: &str) -> String {
    let within = |value: String, name: &str| format!("{{ {name}: {value} }}");
    path.rsplit('.').fold(value.to_owned(), within)
}

/// Returns all values of a configuration in comparable form.
fn shown(config: &Config) -> String {
    format!("{config:#?}")
}

#[test]
fn listens_only_locally_by_default() {
    let config = with(&[]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:7999");
    assert_eq!(config.database().expose(), "sqlite://data/izanagi.db");
    assert_eq!(config.keys(), KeySource::DataDir);
    assert!(!config.is_https());
    assert_eq!(shown(&config), shown(&Config::default()));
}

#[test]
fn the_defaults_match_the_domain() {
    let settings: izanagi_domain::services::Settings = Config::default().settings.into();
    assert_eq!(settings, izanagi_domain::services::Settings::default());
    assert_eq!(Config::default().body_limit, 64 * 1024 * 1024);
}

#[rstest]
#[case("IZANAGI_LISTEN", "7999")]
#[case("IZANAGI_PUBLIC_URL", "docs.example.org")]
#[case("IZANAGI_PUBLIC_URL", "https://example.org/path")]
#[case("IZANAGI_PUBLIC_URL", "https://me@example.org")]
#[case("IZANAGI_TRUSTED_PROXIES", "10.0.0.0/8, everybody")]
#[case("IZANAGI_LOG", "izanagi=loud")]
#[case("IZANAGI_LOG_FORMAT", "xml")]
#[case("IZANAGI_CORS_ORIGINS", "*")]
#[case("IZANAGI_CORS_ORIGINS", "null")]
#[case("IZANAGI_CORS_ORIGINS", "app.example.org")]
#[case("IZANAGI_CORS_ORIGINS", "https://me@app.example.org")]
#[case("IZANAGI_CORS_ORIGINS", "https://a.example, https://b.example/path")]
#[case("IZANAGI_LIMITS_SIGN_IN", "10 a minute")]
#[case("IZANAGI_LIMITS_DRAIN", "soon")]
#[case("IZANAGI_LIMITS_UPDATE_BYTES", "1 MB")]
#[case("IZANAGI_LIMITS_PASSWORD_HASHES_AT_ONCE", "0")]
#[case("IZANAGI_LIMITS_CONNECTIONS", "4294967296")]
#[case("IZANAGI_LIVE_SNAPSHOT_UPDATES", "0")]
#[case("DATABASE_URL", "mysql://host/db")]
#[case("IZANAGI_STORAGE_USERS_REPLICAS", "postgres://a/b, mysql://host/db")]
#[case("IZANAGI_STORAGE_USERS_ACCEPT_DATA_LOSS", "yes")]
#[case("MONGODB_URL", "postgres://host/db")]
#[case("IZANAGI_STORAGE_DOCUMENTS_BACKEND", "redis")]
#[case("IZANAGI_STORAGE_DOCUMENTS_COLLECTION", "a.b")]
#[case("REDIS_URL", "localhost:6379")]
#[case("IZANAGI_STORAGE_CACHE_PREFIX", "a*")]
#[case("IZANAGI_STORAGE_BUS_BACKEND", "users")]
#[case("IZANAGI_STORAGE_DOCUMENTS_URL", "redis://host")]
#[case("IZANAGI_STORAGE_USERS_BACKEND", "mongo")]
#[case("IZANAGI_STORAGE_ROUTING_DOCUMENTS_STRATEGY", "double")]
#[case("IZANAGI_STORAGE_ROUTING_DOCUMENTS_READS", "all")]
#[case("IZANAGI_CONFIG", "there/is/no/such.yaml")]
fn an_invalid_variable_is_named(#[case] name: &str, #[case] value: &str) {
    let error = with(&[(name, value)]).unwrap_err();
    assert_eq!(error.name, name);
    assert!(!error.given.is_empty() && !error.allowed.is_empty(), "{error}");
}

#[rstest]
#[case("listen: 7999", "listen", "7999")]
#[case("listen: [127.0.0.1:1]", "listen", "a list")]
#[case("listen: { port: 1 }", "listen", "a group")]
#[case("dataDir: ''", "dataDir", "")]
#[case("trustedProxies: [10.0.0.0/8, everybody]", "trustedProxies", "everybody")]
#[case("trustedProxies: [[10.0.0.0/8]]", "trustedProxies", "a list")]
#[case("cors: { allowedOrigins: ['*'] }", "cors.allowedOrigins", "*")]
#[case("limits: { drain: soon }", "limits.drain", "soon")]
#[case("limits: { requestBodyBytes: -1 }", "limits.requestBodyBytes", "-1")]
#[case("limits: { passwordHashesAtOnce: 0 }", "limits.passwordHashesAtOnce", "0")]
#[case("limits: { signIn: 10 }", "limits.signIn", "10")]
#[case("limits: { signIn: { count: 10 } }", "limits.signIn", "no per")]
#[case("limits: { signIn: { count: 0, per: 1s } }", "limits.signIn.count", "0")]
#[case("limits: { signIn: { count: 1, per: soon } }", "limits.signIn.per", "soon")]
#[case("limits: { signIn: { count: 1, per: 1s, bust: 2 } }", "limits.signIn", "bust")]
#[case("limits: { signIn: { count: 4294967295, per: 1ms } }", "limits.signIn", "4294967295 in 1ms")]
#[case("limits: 5", "limits", "a single value or list")]
#[case("live: { snapshotUpdates: 0 }", "live.snapshotUpdates", "0")]
#[case("storage: 5", "storage", "a single value or list")]
#[case("storage: { users: [a] }", "storage.users", "a single value or list")]
#[case("storage: { bus: { backend: here } }", "storage.bus.backend", "here")]
#[case(
    "storage: { routing: { users: { strategy: dual-write } } }",
    "storage.routing.users.strategy",
    "dual-write"
)]
fn an_invalid_setting_in_the_file_is_named(
    #[case] yaml: &str,
    #[case] name: &str,
    #[case] given: &str,
) {
    let error = with_file(yaml, &[]).unwrap_err();
    assert_eq!((error.name.as_str(), error.given.as_str()), (name, given), "{error}");
    assert!(!error.allowed.is_empty());
}

#[test]
fn an_error_contains_name_value_and_allowed_values() {
    let error = with(&[("IZANAGI_LIVE_SNAPSHOT_AFTER", "soon")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "setting IZANAGI_LIVE_SNAPSHOT_AFTER: “soon” is not allowed; \
         use a time such as 500ms, 30s, 5m, 1h or 7d"
    );
}

#[rstest]
#[case("listem: 127.0.0.1:1", "listem")]
#[case("listem:", "listem")]
#[case("data_dir: x", "data_dir")]
#[case("limits: { signin: 10/60s }", "limits.signin")]
#[case("limits: { limits: }", "limits.limits")]
#[case("storage: { users: { uri: x } }", "storage.users.uri")]
#[case("storage: { usr: {} }", "storage.usr")]
#[case("users: { url: 'memory://' }", "users")]
#[case("live: { signIn: 10/60s }", "live.signIn")]
#[case("limits.signIn: 10/60s", "limits.signIn")]
#[case("1: 2", "1")]
fn an_unknown_key_in_the_file_is_rejected(#[case] yaml: &str, #[case] key: &str) {
    let error = with_file(yaml, &[]).unwrap_err();
    assert!(error.name.ends_with("izanagi.yaml"), "{error}");
    assert!(error.given.contains(key), "{error}");
}

#[rstest]
#[case("listen: [")]
#[case("listen: 127.0.0.1:1\nlisten: 127.0.0.1:2")]
#[case("just words")]
fn a_file_without_settings_is_rejected(#[case] text: &str) {
    assert!(with_file(text, &[]).unwrap_err().name.ends_with("izanagi.yaml"));
}

#[rstest]
#[case("")]
#[case("# nothing\n")]
#[case("publicUrl:\nlimits:\nlive: {}\n")]
fn a_file_may_be_empty(#[case] text: &str) {
    assert_eq!(shown(&with_file(text, &[]).unwrap()), shown(&Config::default()));
}

#[test]
fn origins_are_kept_as_browsers_send_them() {
    let given = "https://App.example.org:443/, http://localhost:3000,,http://a:80";
    let config = with(&[("IZANAGI_CORS_ORIGINS", given)]).unwrap();
    let origins = ["https://app.example.org", "http://localhost:3000", "http://a"];
    assert_eq!(config.cors_origins, origins);
    assert_eq!(with(&[]).unwrap().cors_origins, [""; 0]);
}

#[rstest]
#[case("DATABASE_URL", "mysql://me:hunter2@host/db")]
#[case("DATABASE_URL", "me:hunter2@host/db")]
#[case("DATABASE_URL", "hunter2")]
#[case("DATABASE_URL", "me:hunter2://host")]
#[case("MONGODB_URL", "mongo://me:hunter2@host/db")]
#[case("REDIS_URL", "redis:me:hunter2@host")]
#[case("IZANAGI_PUBLIC_URL", "https://me:hunter2@docs.example.org")]
#[case("IZANAGI_PUBLIC_URL", "me:hunter2@docs.example.org")]
#[case("IZANAGI_CORS_ORIGINS", "https://me:hunter2@docs.example.org")]
fn a_password_in_a_url_is_not_printed(#[case] name: &str, #[case] value: &str) {
    let error = with(&[(name, value)]).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    let long = storage::SHORT.iter().find(|(short, _)| *short == name);
    let path = schema::path(long.map_or(name, |(_, long)| long[0]));
    let yaml = yaml(&path, &format!("'{value}'"));
    let error = with_file(&yaml, &[]).unwrap_err();
    assert_eq!(error.name, path);
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
}

#[test]
fn https_makes_cookies_secure() {
    let config = with(&[("IZANAGI_PUBLIC_URL", "https://docs.example.org/")]).unwrap();
    assert!(config.is_https());
    assert_eq!(config.public_url.as_deref(), Some("https://docs.example.org"));
}

#[rstest]
#[case("https://Docs.example.org:443", "https://docs.example.org")]
#[case("http://docs.example.org:80/", "http://docs.example.org")]
#[case("https://docs.example.org:80", "https://docs.example.org:80")]
#[case("http://[::1]:7999", "http://[::1]:7999")]
fn the_public_url_is_kept_as_browsers_send_it(#[case] given: &str, #[case] origin: &str) {
    let config = with(&[("IZANAGI_PUBLIC_URL", given)]).unwrap();
    assert_eq!(config.public_url.as_deref(), Some(origin));
}

#[test]
fn the_environment_overrides_the_file() {
    let yaml = "listen: 127.0.0.1:1\nlimits:\n  reads: { count: 5, per: 1s, burst: 7 }\n";
    let config = with_file(yaml, &[("IZANAGI_LISTEN", "127.0.0.1:2")]).unwrap();
    assert_eq!(config.listen.port(), 2);
    assert_eq!(config.settings.limits.reads.burst.get(), 7);
    let empty = with_file(yaml, &[("IZANAGI_LISTEN", "")]).unwrap();
    assert_eq!(empty.listen.port(), 1);
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let config = Config::from_sources(&|name| match name {
        "IZANAGI_CONFIG" => None,
        _ => Some(String::new()),
    });
    assert_eq!(shown(&config.unwrap()), shown(&Config::default()));
}

#[test]
fn cors_and_patience_can_be_set() {
    let yaml = "cors: { allowedOrigins: ['https://a.example', 'http://b:1'] }\n\
                limits: { requestHead: 7s, requestIdle: 8s, requestBodyIdle: 5s, request: 1h, answerIdle: 9s, drain: 1m }\n";
    let config = with_file(yaml, &[]).unwrap();
    assert_eq!(config.cors_origins, ["https://a.example", "http://b:1"]);
    let Patience { head, idle, body_idle, request, answer_idle, drain } = config.patience;
    assert_eq!(
        [head, idle, body_idle, request, answer_idle, drain].map(|time| time.as_secs()),
        [7, 8, 5, 3_600, 9, 60]
    );
}

#[test]
fn every_setting_has_documentation_and_two_unique_names() {
    let settings = settings();
    assert!(settings.len() > 20);
    for setting in &settings {
        assert!(!setting.doc.is_empty(), "{setting:?}");
        assert!(setting.variable.starts_with("IZANAGI_"));
        assert_eq!(file_path(setting), schema::path(setting.variable));
    }
    let variables: HashSet<_> = settings.iter().map(|setting| setting.variable).collect();
    let paths: HashSet<_> = settings.iter().map(file_path).collect();
    assert_eq!((variables.len(), paths.len()), (settings.len(), settings.len()));
    assert!(GROUPS.iter().all(|group| settings.iter().any(|one| one.group == Some(*group))));
}

#[rstest]
#[case("IZANAGI_STORAGE_USERS_URL", "storage.users.url")]
#[case("IZANAGI_STORAGE_ROUTING_DOCUMENTS_READS", "storage.routing.documents.reads")]
#[case("IZANAGI_STORAGE_USERS_ACCEPT_DATA_LOSS", "storage.users.acceptDataLoss")]
#[case("IZANAGI_SITE_ROOT", "siteRoot")]
#[case("IZANAGI_CORS_ORIGINS", "cors.allowedOrigins")]
#[case("IZANAGI_LOG", "log.filter")]
#[case("IZANAGI_LOG_FORMAT", "log.format")]
#[case("IZANAGI_LIMITS_SIGN_IN", "limits.signIn")]
#[case("IZANAGI_LIVE_SNAPSHOT_UPDATES", "live.snapshotUpdates")]
fn the_name_in_the_file_follows_from_the_variable(#[case] variable: &str, #[case] path: &str) {
    assert_eq!(schema::path(variable), path);
}

#[test]
fn every_setting_is_read_from_its_path_in_the_file() {
    for setting in settings() {
        let wrong = yaml(&file_path(&setting), "{ a: b }");
        assert_eq!(with_file(&wrong, &[]).unwrap_err().name, file_path(&setting));
    }
}

#[test]
fn every_setting_is_read_from_its_variable() {
    let asked = std::cell::RefCell::new(HashSet::new());
    Config::from_sources(&|name| {
        asked.borrow_mut().insert(name.to_owned());
        None
    })
    .unwrap();
    for Setting { variable, .. } in settings() {
        assert!(asked.borrow().contains(variable), "{variable}");
    }
}

/// Returns the template with all defaults uncommented.
fn template_in_use() -> String {
    let is_set = |line: &&str| {
        let Some(setting) = line.trim_start().strip_prefix('#') else { return true };
        !setting.starts_with(' ') && !setting.ends_with(':')
    };
    let lines: Vec<_> = template().lines().map(str::to_owned).collect();
    let used =
        lines.iter().map(String::as_str).filter(is_set).map(|line| line.replacen('#', "", 1));
    used.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_template_changes_nothing_and_shows_the_defaults() {
    let defaults = shown(&Config::default());
    assert_eq!(shown(&with_file(&template(), &[]).unwrap()), defaults);
    let used = template_in_use();
    assert!(used.contains("\nlimits:\n"), "{used}");
    assert!(used.contains("\n  signIn: 10/60s\n"), "{used}");
    assert_eq!(shown(&with_file(&used, &[]).unwrap()), defaults);
}

#[test]
fn the_template_shows_every_setting_with_its_documentation() {
    let template = template();
    for Setting { variable, name, doc, .. } in settings() {
        assert!(template.contains(&format!("# Environment: {variable}\n")), "{variable}");
        assert!(template.lines().any(|line| line.trim().starts_with(&format!("#{name}:"))));
        assert!(doc.iter().all(|line| template.contains(line)), "{variable}");
    }
}

/// Returns the table of docs/operations.md.
fn table() -> String {
    let row = |setting: &Setting| {
        let default = setting.default.as_ref().filter(|default| *default != "[]");
        let default = default.map_or_else(|| "none".to_owned(), |default| format!("`{default}`"));
        let doc = setting.doc.join(" ");
        format!("| `{}` | `{}` | {default} | {doc} |\n", setting.variable, file_path(setting))
    };
    let rows: String = settings().iter().map(row).collect();
    format!("| environment | file | default | description |\n|---|---|---|---|\n{rows}")
}

#[test]
fn the_operations_guide_lists_every_setting() {
    let guide = include_str!("../../../docs/operations.md");
    let table = table();
    let is_up_to_date = guide.contains(&format!("\n\n{table}\n"));
    assert!(is_up_to_date, "update the table in docs/operations.md:\n{table}");
}
