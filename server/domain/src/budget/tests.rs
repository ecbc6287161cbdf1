#![allow(clippy::significant_drop_tightening, reason = "tests hold budgets on purpose")]

use super::*;
use izanagi_shared::id::UserId;
use uuid::Uuid;

fn small() -> Budget {
    let settings = BudgetSettings {
        threads: 1,
        queue: 0,
        wait: Duration::from_millis(20),
        work_bytes: 4 * SMALL,
        ..BudgetSettings::default()
    };
    Budget::new(settings).unwrap()
}

#[tokio::test(start_paused = true)]
async fn refuses_what_exceeds_the_budget() {
    let budget = small();
    let held = budget.work(3 * SMALL).await.unwrap();
    let refused = budget.work(2 * SMALL).await;
    assert!(matches!(refused, Err(Error::Overloaded(_))), "{refused:?}");
    assert!(budget.work(SMALL).await.is_ok());
    drop(held);
    assert!(budget.work(2 * SMALL).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_caller_whose_share_is_taken_keeps_no_others_waiting() {
    let budget =
        Budget::new(BudgetSettings { body_bytes: 30 * SMALL, ..BudgetSettings::default() });
    let budget = budget.unwrap();
    let [ann, ben] = [1, 2].map(|number| Caller::User(UserId(Uuid::from_u128(number))));
    let held = budget.receive(ann, 20 * SMALL).await.unwrap();
    let refused = budget.receive(ann, SMALL).await;
    assert!(matches!(refused, Err(Error::Overloaded(_))), "{refused:?}");
    assert!(budget.receive(ann, SMALL - 1).await.is_ok());
    assert!(budget.receive(ben, 10 * SMALL).await.is_ok());
    drop(held);
    assert!(budget.receive(ann, SMALL).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn one_request_may_take_the_whole_budget() {
    let budget = small();
    let held = budget.work(100 * SMALL).await.unwrap();
    assert!(budget.work(SMALL).await.is_err());
    assert!(budget.work(SMALL - 1).await.is_ok(), "small work needs no budget");
    drop(held);
    assert!(budget.work(SMALL).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_request_reserves_what_it_lacks() {
    let budget = small();
    let handler = async {
        let _first = budget.work(SMALL).await.unwrap();
        let _same = budget.work(SMALL).await.unwrap();
        budget.work(100 * SMALL).await.unwrap()
    };
    let (_, held) = in_request(handler).await;
    assert!(budget.work(SMALL).await.is_err(), "the request holds everything");
    drop(held);
    assert!(budget.work(4 * SMALL).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_task_of_a_request_shares_its_reservation() {
    let budget = small();
    let handler = async {
        let _reserved = budget.work(3 * SMALL).await.unwrap();
        let inner = budget.clone();
        let task = in_task(async move { inner.work(4 * SMALL).await.map(drop) });
        tokio::spawn(task).await.unwrap()
    };
    let (done, held) = in_request(handler).await;
    assert!(done.is_ok(), "{done:?}");
    assert_eq!(held.work_bytes(), 4 * SMALL);
}

#[tokio::test(start_paused = true)]
async fn requests_that_need_more_do_not_wait_for_each_other() {
    let budget = Budget::new(BudgetSettings {
        wait: Duration::from_secs(5),
        work_bytes: 4 * SMALL,
        ..BudgetSettings::default()
    });
    let budget = budget.unwrap();
    let request = || {
        let budget = budget.clone();
        async move {
            let handler = async {
                let _reserved = budget.work(2 * SMALL).await.unwrap();
                tokio::task::yield_now().await;
                budget.work(3 * SMALL).await.map(drop)
            };
            in_request(handler).await.0
        }
    };
    // One waits for the other, which is refused at once.
    let (one, other) = tokio::join!(request(), request());
    let (done, refused) = if one.is_ok() { (one, other) } else { (other, one) };
    assert!(done.is_ok(), "{done:?}");
    assert!(matches!(refused, Err(Error::Overloaded(_))), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_handled_request_holds_its_response() {
    let budget = small();
    let (_, held) = in_request(async { drop(budget.work(3 * SMALL).await.unwrap()) }).await;
    assert!(budget.work(2 * SMALL).await.is_err());
    budget.respond(&held, SMALL).await.unwrap();
    let other = budget.work(2 * SMALL).await.unwrap();
    let refused = budget.respond(&held, 3 * SMALL).await;
    assert!(matches!(refused, Err(Error::Overloaded(_))), "{refused:?}");
    drop(other);
    budget.respond(&held, 3 * SMALL).await.unwrap();
    assert!(budget.work(2 * SMALL).await.is_err());
    budget.respond(&held, 0).await.unwrap();
    assert!(held.is_empty() && budget.work(4 * SMALL).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn work_that_outlives_its_request_stays_reserved() {
    let budget = small();
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let handler = async {
        let _reserved = budget.work(4 * SMALL).await.unwrap();
        let inner = budget.clone();
        let task = tokio::spawn(covered(async move {
            let _covered = inner.work(2 * SMALL).await.unwrap();
            wait.await.unwrap();
        }));
        Some(task)
    };
    let (task, held) = in_request(handler).await;
    drop(held);
    assert!(budget.work(SMALL).await.is_err(), "the task still works");
    go.send(()).unwrap();
    task.unwrap().await.unwrap();
    assert!(budget.work(4 * SMALL).await.is_ok());
}

#[tokio::test]
async fn a_full_pool_refuses_more_jobs() {
    let budget = small();
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let busy = budget.clone();
    let job = tokio::spawn(async move { busy.run(move || wait.blocking_recv()).await });
    while budget.0.pool.free_places() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(matches!(budget.run(|| ()).await, Err(Error::Overloaded(_))));
    go.send(()).unwrap();
    assert!(job.await.unwrap().is_ok());
    assert!(budget.run(|| ()).await.is_ok());
}
