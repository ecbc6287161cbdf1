//! The relational database moves to PostgreSQL and back while clients write to the real binary. No
//! request is refused, and everything that was acknowledged is there exactly once.

use crate::{
    Meter, all,
    binary::{Binary, Home},
    services::Services,
    socket::Page,
    writer::{Account, Writer},
};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

const WRITERS: usize = 4;
const PAGES: usize = 2;
/// How long a move may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_relational_database_moves_to_postgres_and_back_while_people_write() {
    let Some(services) = Services::start() else { return };
    let postgres = services.variables().into_iter().find(|(name, _)| name == "DATABASE_URL");
    let (_, postgres) = postgres.unwrap();
    let home = Home::new();
    let sqlite = format!("sqlite://{}", home.file("izanagi.db").display());
    let mut server = Binary::start(&home).await;
    let account = Account::sign_up(&server.url).await;
    let document = account.create_document(&server.url, "Shared").await;
    let mut writers = Vec::new();
    for number in 0..WRITERS {
        writers.push(Writer::new(&server.url, &account, number, number as u64).await);
    }
    let mut pages = Vec::new();
    for number in 0..PAGES {
        pages.push(Page::open(&server.url, &account, &document, number, number as u64).await);
    }
    for to in [&postgres, &sqlite] {
        let (meter, stop) = (Arc::new(Meter::default()), CancellationToken::new());
        let url = server.url.clone();
        let write = |writer: Writer| {
            tokio::spawn(writer.write_until_killed(url.clone(), Arc::clone(&meter)))
        };
        let writing: Vec<_> = writers.into_iter().map(write).collect();
        let type_on =
            |page: Page| tokio::spawn(page.type_on(url.clone(), Arc::clone(&meter), stop.clone()));
        let typing: Vec<_> = pages.into_iter().map(type_on).collect();
        meter.reaches(50).await;
        let said = timeout(PATIENCE, home.migrate(to)).await.unwrap();
        println!("{said}");
        let answered = meter.answered.load(std::sync::atomic::Ordering::SeqCst);
        timeout(PATIENCE, meter.reaches(answered + 50)).await.unwrap();
        stop.cancel();
        pages = all(typing).await;
        // The settings still name the file that was left.
        server.kill().await;
        writers = all(writing).await;
        server = Binary::start(&home).await;
        for writer in &mut writers {
            writer.settle(&server.url).await;
            writer.check(&server.url).await;
        }
        for page in &mut pages {
            page.settle(&server.url).await;
        }
        let text = account.text(&server.url, &document).await;
        for page in &pages {
            page.check(&text);
        }
    }
    server.kill().await;
    Binary::fsck(&home).await;
}
