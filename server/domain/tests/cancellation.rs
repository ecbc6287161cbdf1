//! Callers who go away: every call of a service that writes is dropped at each of its awaits, over
//! PostgreSQL with a pool of one connection and MongoDB. The connection works afterwards, and all
//! invariants hold. Without servers, the tests say so and pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

#[path = "support/servers.rs"]
mod servers;
#[path = "../../storage/tests/contract/services.rs"]
mod services;

use izanagi_domain::{
    accounts::{Caller, Device, RefreshSecret},
    documents::{Editor, IfMatch, Owner, RequestKey, Upload},
    error::Result,
    versions::{Base, CommitInput},
};
use izanagi_shared::{
    id::DocumentId,
    rules::Secret,
    wire::{
        CreateDocumentRequest, LoginRequest, PatchDocumentRequest, SignupRequest, UpdateMeRequest,
        VersionNote,
    },
};
use rstest::rstest;
use servers::Servers;
use std::{future::poll_fn, pin::pin, task::Poll, time::Duration};
use support::World;
use uuid::Uuid;

const PASSWORD: &str = "correct horse battery";
/// No call may keep the connection longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// More awaits than any call has.
const MOST: usize = 200;

/// A call of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Create,
    Upload,
    Submit,
    Replace,
    AddBack,
    Persist,
    Commit,
    CommitContent,
    Restore,
    Name,
    Rename,
    Trash,
    Untrash,
    Purge,
    AddOwner,
    RemoveOwner,
    SignUp,
    SignIn,
    Refresh,
    SignOut,
    SignOutEverywhere,
    RevokeSession,
    UpdateMe,
    DeleteMe,
    Deactivate,
    Jobs,
    Collect,
}

/// What a call is about: fresh for each.
struct Scene {
    id: DocumentId,
    editor: Editor,
    owner: Owner,
    /// An edit that was not sent yet.
    delta: Vec<u8>,
    name: String,
    caller: Caller,
    refresh: RefreshSecret,
}

fn create(title: &str) -> CreateDocumentRequest {
    CreateDocumentRequest {
        title: title.to_owned(),
        content: Some("one\n".to_owned()),
        ..CreateDocumentRequest::default()
    }
}

fn sign_up(name: &str) -> SignupRequest {
    SignupRequest {
        email: format!("{name}@example.org"),
        password: Secret::new(PASSWORD),
        username: Some(name.to_owned()),
        display_name: None,
    }
}

/// A device that was not seen before, so that no limit counts for it.
fn device() -> Device {
    let [.., a, b, c] = Uuid::new_v4().into_bytes();
    Device { ip: format!("10.{a}.{b}.{c}"), ..Device::default() }
}

async fn scene(world: &World, call: Call) -> Scene {
    // Limits of an account.
    world.clock.advance(Duration::from_secs(60 * 60));
    let accounts = &world.services.accounts;
    let name = format!("u{}", &Uuid::new_v4().simple().to_string()[..12]);
    let device = device();
    let turn = accounts.take_sign_up_turn(&device).await.unwrap();
    let signed_in = accounts.sign_up(turn, &sign_up(&name), &device).await.unwrap();
    let id = world.create("one\n").await;
    world.write(id, "two\n").await;
    world.commit(id, "first").await.unwrap();
    world.write(id, "three\n").await;
    let mut replica = world.replica(id).await;
    let delta = replica.replace_with("four\n").unwrap();
    let owner = world.owner(id).await;
    if call == Call::RemoveOwner {
        world.services.documents.add_owner(&owner, world.bob.user).await.unwrap();
    }
    if matches!(call, Call::Untrash | Call::Purge) {
        world.services.documents.trash(&owner).await.unwrap();
    }
    let editor = world.services.documents.for_editor(&world.ada.into(), id).await;
    let editor = match editor {
        Ok(editor) => editor,
        // It is in the trash; its call needs only the owner.
        Err(_) => world.editor(world.create("one\n").await).await,
    };
    let owner = world.owner(id).await;
    Scene { id, editor, owner, delta, name, caller: signed_in.caller, refresh: signed_in.refresh }
}

impl Call {
    async fn run(self, world: &World, scene: &Scene) -> Result<()> {
        let (documents, versions) = (&world.services.documents, &world.services.versions);
        let (accounts, jobs) = (&world.services.accounts, &world.services.jobs);
        let Scene { id, editor, owner, caller, .. } = scene;
        let (key, who) = (RequestKey::none, world.ada.into());
        let note = VersionNote::new("why");
        match self {
            Self::Create => documents.create(&who, create("Plan"), key()).await.map(drop),
            Self::Upload => {
                let upload = Upload { file_name: "a.md".to_owned(), bytes: b"text".to_vec() };
                documents.upload(&who, vec![upload], "Untitled", key()).await.map(drop)
            }
            Self::Submit => {
                documents.submit(editor, &scene.name, scene.delta.clone()).await.map(drop)
            }
            Self::Replace => {
                let content = "all new\n".to_owned();
                documents.replace(editor, content, Some("New"), IfMatch::Any).await.map(drop)
            }
            Self::AddBack => documents.add_back(editor, None, "lost words\n".to_owned()).await,
            Self::Persist => documents.persist(*id).await,
            Self::Commit => {
                let input = CommitInput { note, content: None, key: key() };
                versions.commit(editor, input).await.map(drop)
            }
            Self::CommitContent => {
                let content = Some(("with content\n".to_owned(), Base::Text(IfMatch::Any)));
                let input = CommitInput { note, content, key: key() };
                versions.commit(editor, input).await.map(drop)
            }
            Self::Restore => versions.restore(editor, 1, None, key()).await.map(drop),
            Self::Name => versions.name(editor, 1, Some("release")).await.map(drop),
            Self::Rename | Self::Untrash => {
                let title = (self == Self::Rename).then(|| "Another".to_owned());
                let deleted = (self == Self::Untrash).then_some(false);
                let request =
                    PatchDocumentRequest { title, deleted, ..PatchDocumentRequest::default() };
                documents.change(owner, &request).await.map(drop)
            }
            Self::Trash => documents.trash(owner).await,
            Self::Purge => documents.purge(owner).await,
            Self::AddOwner => documents.add_owner(owner, world.bob.user).await,
            Self::RemoveOwner => documents.remove_owner(owner, world.bob.user).await,
            Self::SignUp => {
                let (device, name) = (device(), format!("{}x", scene.name));
                let turn = accounts.take_sign_up_turn(&device).await?;
                accounts.sign_up(turn, &sign_up(&name), &device).await.map(drop)
            }
            Self::SignIn => {
                let (login, password) = (Some(scene.name.clone()), Secret::new(PASSWORD));
                let request = LoginRequest { login, password };
                accounts.sign_in(&request, &device()).await.map(drop)
            }
            Self::Refresh => accounts.refresh(&scene.refresh, &device()).await.map(drop),
            Self::SignOut => accounts.sign_out(caller).await,
            Self::SignOutEverywhere => accounts.sign_out_everywhere(caller.user).await,
            Self::RevokeSession => accounts.revoke_session(caller, caller.session).await,
            Self::UpdateMe => {
                let request =
                    UpdateMeRequest { bio: Some("new".to_owned()), ..UpdateMeRequest::default() };
                accounts.update_me(caller, &request).await.map(drop)
            }
            Self::DeleteMe => accounts.delete_me(caller).await,
            Self::Deactivate => accounts.set_active(&scene.name, false).await.map(drop),
            Self::Jobs => jobs.work_off().await.map(drop),
            Self::Collect => versions.collect_garbage().await.map(drop),
        }
    }
}

/// Runs a call until it has waited so often, then drops it. `None` if it did not come to an end.
async fn drop_after<T>(waits: usize, call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    let mut waited = 0;
    poll_fn(move |context| match call.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if waited == waits => Poll::Ready(None),
        Poll::Pending => {
            waited += 1;
            Poll::Pending
        }
    })
    .await
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_goes_away_leaves_everything_whole(
    #[values(
        Call::Create,
        Call::Upload,
        Call::Submit,
        Call::Replace,
        Call::AddBack,
        Call::Persist,
        Call::Commit,
        Call::CommitContent,
        Call::Restore,
        Call::Name,
        Call::Rename,
        Call::Trash,
        Call::Untrash,
        Call::Purge,
        Call::AddOwner,
        Call::RemoveOwner,
        Call::SignUp,
        Call::SignIn,
        Call::Refresh,
        Call::SignOut,
        Call::SignOutEverywhere,
        Call::RevokeSession,
        Call::UpdateMe,
        Call::DeleteMe,
        Call::Deactivate,
        Call::Jobs,
        Call::Collect
    )]
    call: Call,
) {
    let Some(servers) = Servers::new().await else { return };
    let world = servers.world(1).await;
    let mut dropped = 0;
    for waits in 0..=MOST {
        let scene = tokio::time::timeout(PATIENCE, scene(&world, call));
        let scene = scene.await.expect("the connection is useless");
        let ended = drop_after(waits, call.run(&world, &scene));
        let ended = tokio::time::timeout(PATIENCE, ended).await.expect("the call hangs");
        // The only connection works at once, whatever goes on with it.
        let view = world.services.accounts.sessions(&world.ada);
        tokio::time::timeout(PATIENCE, view).await.expect("no connection").unwrap();
        match ended {
            Some(result) => {
                result.unwrap();
                break;
            }
            None => dropped += 1,
        }
    }
    assert!((1..MOST).contains(&dropped), "{call:?} was dropped {dropped} times");
    println!("{call:?}: dropped at {dropped} awaits");
    let world = world.restart().await;
    assert_eq!(servers.abandoned().await, 0);
    world.clock.advance(Duration::from_secs(60 * 60));
    world.services.versions.collect_garbage().await.unwrap();
    world.services.jobs.work_off().await.unwrap();
    world.fsck_is_clean().await;
    servers.end(world).await;
}
