//! Examines a Redis server for `izanagi doctor`. Redis is never the truth, so most is only a note.

use super::RedisPlace;
use crate::doctor::Examined;
use izanagi_domain::storage::{Clock, Ids};
use izanagi_shared::time::Timestamp;
use redis::{AsyncConnectionConfig, RedisResult, aio::MultiplexedConnection, cmd};
use std::{collections::HashMap, sync::Arc, time::Duration};

const LIMIT: Duration = Duration::from_secs(5);
/// Expiry of the probe, in seconds, should its removal fail.
const PROBE_SECONDS: u32 = 10;
const OLDEST: u32 = 6;

/// Examines a server. `store` is the first of the stores that are there.
pub(crate) async fn examine(
    store: &'static str,
    place: &RedisPlace,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
) -> Examined {
    let client = match place.client(store) {
        Ok(client) => client,
        Err(error) => {
            let mut examined = Examined::new(store, "Redis".to_owned());
            examined.bad("setting", error.to_string(), "correct the URL (REDIS_URL) or the prefix");
            return examined;
        }
    };
    let address = RedisPlace::address(&client);
    let place_shown = format!("Redis, {address}, prefix {}", place.prefix);
    let mut examined = Examined::new(store, place_shown);
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(LIMIT))
        .set_response_timeout(Some(LIMIT));
    match client.get_multiplexed_async_connection_with_config(&config).await {
        Ok(mut connection) => {
            let result = inside(&mut examined, &mut connection, place, clock, ids).await;
            if let Err(error) = result {
                examined.unknown("server", error);
            }
        }
        Err(error) => examined.bad(
            "reach",
            error.to_string(),
            "check the URL (REDIS_URL) and that the server runs; until then everything goes on, slower",
        ),
    }
    examined
}

async fn inside(
    examined: &mut Examined,
    connection: &mut MultiplexedConnection,
    place: &RedisPlace,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn Ids>,
) -> RedisResult<()> {
    let asked = clock.now();
    let (seconds, micros): (i64, i64) = cmd("TIME").query_async(connection).await?;
    let server = Timestamp::from_micros(seconds.saturating_mul(1_000_000).saturating_add(micros));
    examined.clock(server, asked, clock.now());
    rights(examined, connection, place, ids).await;
    let info: String = cmd("INFO").query_async(connection).await?;
    let info: HashMap<&str, &str> =
        info.lines().filter_map(|line| line.trim_end().split_once(':')).collect();
    let version = info.get("redis_version").copied().unwrap_or("unknown");
    let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major < OLDEST) {
        let found = format!("Redis {version}");
        examined.note("version", found, format!("upgrade to {OLDEST} or newer"));
    } else {
        examined.good("version", format!("Redis {version}"));
    }
    let number = |field: &str| info.get(field).and_then(|value| value.parse::<u64>().ok());
    let (used, most) = (number("used_memory").unwrap_or_default(), number("maxmemory"));
    let found = format!("{} MiB used", used / (1024 * 1024));
    match most {
        Some(0) | None => examined.note(
            "memory",
            format!("{found}, without a limit"),
            "set maxmemory and maxmemory-policy allkeys-lru: every key may be evicted",
        ),
        Some(most) => {
            let policy = info.get("maxmemory_policy").copied().unwrap_or("unknown");
            let found = format!("{found} of {} MiB, policy {policy}", most / (1024 * 1024));
            if policy == "noeviction" {
                let mend = "set maxmemory-policy allkeys-lru: every key may be evicted";
                examined.note("memory", found, mend);
            } else {
                examined.good("memory", found);
            }
        }
    }
    Ok(())
}

/// Tries each kind of command that the stores use.
async fn rights(
    examined: &mut Examined,
    connection: &mut MultiplexedConnection,
    place: &RedisPlace,
    ids: &Arc<dyn Ids>,
) {
    let key = place.key(format_args!("doctor:{}", ids.uuid()));
    let channel = place.key("doctor");
    let tried = async {
        let set = cmd("SET").arg(&key).arg("1").arg("EX").arg(PROBE_SECONDS).to_owned();
        set.query_async::<()>(connection).await?;
        cmd("EVAL")
            .arg("return redis.call('GET', KEYS[1])")
            .arg(1)
            .arg(&key)
            .query_async::<String>(connection)
            .await?;
        cmd("DEL").arg(&key).query_async::<u64>(connection).await?;
        cmd("PUBLISH").arg(&channel).arg("1").query_async::<u64>(connection).await
    };
    match tried.await {
        Ok(_) => examined.good("rights", "may read, write, run scripts and publish"),
        Err(error) => examined.bad(
            "rights",
            error.to_string(),
            format!("allow the account all commands on ~{0}:* and &{0}:*", place.prefix),
        ),
    }
}
