//! Clients and savers: steps 0 to 5, the fence, and statements whose sender is gone.
//!
//! An attempt has at most one statement in flight. It is independent of the saver that sent it: it
//! executes at any later moment, whether the saver is waiting, has given up or has crashed.

use super::attempt::{Answer, Attempt, Learned, Phase, Statement};
use super::flaw::Flaw;
use super::model::{CommitModel, REQUESTS, State};
use super::stores::{CommitReply, Version};

/// Version number named by the caller of the named-base request.
const NAMED_BASE: u8 = 1;

/// Possible next steps of clients, savers and their statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SaverAction {
    /// Step 0: a client sends its request, for the first time or as a retry.
    Request(u8),
    /// Step 1: the text and the head are read, and the intent is sent.
    Take(u8),
    /// Step 1 finds that the text equals that of the head.
    Unchanged(u8),
    /// The statement of an attempt executes; its saver receives the reply if it is still waiting.
    Execute(u8),
    /// Step 4 finds the intent open, but expired by its clock.
    Expire(u8),
    /// Step 4 executes twice; the saver receives the second reply.
    Repeat(u8),
    /// The saver stops waiting. The statement may be lost, delayed, or executed with its reply
    /// lost.
    GiveUp(u8),
    /// The saver crashes, or its task is dropped.
    Crash(u8),
    /// A statement whose saver has stopped waiting is lost.
    Lose(u8),
    /// A late copy of step 2 executes after the intent of its commit id was forgotten.
    Reopen(u8),
    /// After "no row": checks whether the request is committed; if not, rejects it or rebases.
    Look(u8),
    /// Fences, then reads, then answers.
    Settle(u8),
}

/// Reply to a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    Inserted,
    Created,
    Commit(CommitReply),
}

impl CommitModel {
    pub(crate) fn saver_actions(&self, state: &State, actions: &mut Vec<SaverAction>) {
        for request in 0..REQUESTS {
            if self.may_ask(state, request) {
                actions.push(SaverAction::Request(request));
            }
        }
        for (attempt, at) in (0..).zip(&state.attempts) {
            match at.phase {
                Phase::Looked => {
                    actions.push(SaverAction::Take(attempt));
                    if state.sql.head().number > 1 {
                        actions.push(SaverAction::Unchanged(attempt));
                    }
                }
                Phase::Waiting => self.waiting_actions(state, attempt, actions),
                Phase::NoRow => actions.push(SaverAction::Look(attempt)),
                Phase::Unsettled if self.may_settle(state, attempt) => {
                    actions.push(SaverAction::Settle(attempt));
                }
                Phase::Unsettled | Phase::Unused | Phase::Gone | Phase::Never { .. } => {}
            }
            if at.is_alive() {
                actions.push(SaverAction::Crash(attempt));
            }
            // Correct protocols refuse it, so it adds no states.
            if !self.bounds.one_file && state.sql.is_forgotten(self.commit_id(attempt)) {
                actions.push(SaverAction::Reopen(attempt));
            }
            if at.sent.is_some() {
                actions.push(SaverAction::Execute(attempt));
                if at.phase != Phase::Waiting {
                    actions.push(SaverAction::Lose(attempt));
                }
            }
        }
    }

    fn waiting_actions(&self, state: &State, attempt: u8, actions: &mut Vec<SaverAction>) {
        actions.push(SaverAction::GiveUp(attempt));
        let sent = state.attempts[usize::from(attempt)].sent;
        if sent == Some(Statement::Commit) && state.sql.is_open(self.commit_id(attempt)) {
            actions.push(SaverAction::Expire(attempt));
        }
        if matches!(sent, Some(Statement::Commit | Statement::Transaction)) {
            actions.push(SaverAction::Repeat(attempt));
        }
    }

    /// With one file there is one writer: settling a request queues behind the request's own
    /// transaction.
    fn may_settle(&self, state: &State, attempt: u8) -> bool {
        let mut slots = self.bounds.slots(self.bounds.request_of(attempt));
        !self.bounds.one_file
            || self.has(Flaw::FenceBesideQueue)
            || slots.all(|slot| state.attempts[usize::from(slot)].sent.is_none())
    }

    pub(crate) fn saver_step(&self, state: &mut State, action: SaverAction) {
        match action {
            SaverAction::Request(request) => self.look_up_key(state, request),
            SaverAction::Take(attempt) => self.take(state, attempt),
            SaverAction::Unchanged(attempt) => self.decline(state, attempt),
            SaverAction::Execute(attempt) => self.execute(state, attempt),
            SaverAction::Expire(attempt) => state.attempt(attempt).hear(Phase::NoRow),
            SaverAction::Reopen(attempt) => {
                state.sql.insert_intent(self.commit_id(attempt), self.flaw);
            }
            SaverAction::Repeat(attempt) => {
                if let Some(statement) = state.attempt(attempt).sent {
                    self.write(state, attempt, statement);
                }
                self.execute(state, attempt);
            }
            SaverAction::Lose(attempt) => {
                state.attempt(attempt).sent = None;
                state.attempt(attempt).forget_parent();
            }
            SaverAction::GiveUp(attempt) => self.give_up(state, attempt),
            SaverAction::Crash(attempt) => state.attempt(attempt).end(Phase::Gone),
            SaverAction::Look(attempt) => self.look(state, attempt),
            SaverAction::Settle(attempt) => self.settle(state, attempt),
        }
    }

    /// Drops a step 4 whose intent is closed and whose saver has stopped waiting. It cannot change
    /// anything, so the states with and without it are equivalent.
    pub(crate) fn forget_dead_statements(&self, state: &mut State) {
        if self.has(Flaw::NoIntentCheck) || self.has(Flaw::ReuseCommitId) {
            return;
        }
        for (at, commit) in state.attempts.iter_mut().zip(1..) {
            let closed = state.sql.is_closed(commit);
            if closed && at.sent == Some(Statement::Commit) && at.phase != Phase::Waiting {
                at.sent = None;
                at.forget_parent();
            }
        }
    }

    /// Returns the commit id of an attempt: its own, or with the flaw the first one of its request.
    pub(crate) fn commit_id(&self, attempt: u8) -> u8 {
        if self.has(Flaw::ReuseCommitId) {
            return self.bounds.slots(self.bounds.request_of(attempt)).start + 1;
        }
        attempt + 1
    }

    /// Returns the text of an attempt. Each attempt has a different one because users keep typing.
    fn text_of(attempt: u8) -> u8 {
        attempt + 1
    }

    /// Returns whether the caller named a base version: the second request does, the first one
    /// rebases.
    fn names_its_base(request: u8) -> bool {
        request == 1
    }

    fn next_slot(&self, state: &State, request: u8) -> Option<u8> {
        self.bounds
            .slots(request)
            .find(|slot| state.attempts[usize::from(*slot)].phase == Phase::Unused)
    }

    /// A client sends its request once and retries when it gets no answer; impatient clients also
    /// while a saver is alive.
    pub(crate) fn may_ask(&self, state: &State, request: u8) -> bool {
        let client = state.requests[usize::from(request)];
        client.answer == Answer::Pending
            && self.next_slot(state, request).is_some()
            && client.current.is_none_or(|current| {
                self.bounds.impatient || !state.attempts[usize::from(current)].is_alive()
            })
    }

    /// Step 0.
    fn look_up_key(&self, state: &mut State, request: u8) {
        if let Some(version) = state.sql.by_request(request) {
            let answer = Answer::Committed { text: version.text, learned: Learned::Key };
            state.requests[usize::from(request)].end(answer);
        } else if let Some(slot) = self.next_slot(state, request) {
            state.attempt(slot).phase = Phase::Looked;
            state.requests[usize::from(request)].current = Some(slot);
        }
    }

    /// Step 1; also sends step 2.
    fn take(&self, state: &mut State, attempt: u8) {
        let head = state.sql.head().number;
        if Self::names_its_base(self.bounds.request_of(attempt)) && head != NAMED_BASE {
            return self.decline(state, attempt);
        }
        let first =
            if self.bounds.one_file { Statement::Transaction } else { Statement::InsertIntent };
        *state.attempt(attempt) =
            Attempt { phase: Phase::Waiting, parent: head, sent: Some(first) };
    }

    /// Executes the statement of an attempt. If its saver is waiting, it receives the reply and
    /// continues.
    fn execute(&self, state: &mut State, attempt: u8) {
        let Some(statement) = state.attempt(attempt).sent else {
            return;
        };
        let reply = self.write(state, attempt, statement);
        let at = state.attempt(attempt);
        if at.phase != Phase::Waiting {
            at.sent = None;
            return at.forget_parent();
        }
        match reply {
            Reply::Inserted => at.sent = Some(Statement::CreateContent),
            Reply::Created => at.sent = Some(Statement::Commit),
            Reply::Commit(CommitReply::NoRow) => at.hear(Phase::NoRow),
            Reply::Commit(CommitReply::Row) => self.acknowledge(state, attempt, Learned::Reply),
            Reply::Commit(CommitReply::KeyTaken) => {
                self.acknowledge(state, attempt, Learned::UniqueViolation);
            }
        }
    }

    /// Applies the effect of a statement.
    fn write(&self, state: &mut State, attempt: u8, statement: Statement) -> Reply {
        let commit = self.commit_id(attempt);
        match statement {
            Statement::InsertIntent => {
                state.sql.insert_intent(commit, self.flaw);
                Reply::Inserted
            }
            Statement::CreateContent => {
                state.contents.create(commit, Self::text_of(attempt));
                Reply::Created
            }
            Statement::Commit => Reply::Commit(self.commit(state, attempt)),
            Statement::Transaction => {
                let before = (state.sql, state.contents);
                let mut reply = CommitReply::NoRow;
                if !state.sql.is_used(commit) {
                    state.contents.create(commit, Self::text_of(attempt));
                    reply = self.commit(state, attempt);
                }
                if reply != CommitReply::Row {
                    (state.sql, state.contents) = before;
                }
                Reply::Commit(reply)
            }
        }
    }

    fn commit(&self, state: &mut State, attempt: u8) -> CommitReply {
        let version = Version {
            number: state.attempt(attempt).parent + 1,
            commit: self.commit_id(attempt),
            text: Self::text_of(attempt),
            request: self.bounds.request_of(attempt),
        };
        state.sql.commit(version, !self.bounds.one_file, self.flaw)
    }

    fn give_up(&self, state: &mut State, attempt: u8) {
        let at = state.attempt(attempt);
        if self.has(Flaw::CommitAfterUnknownCreate) && at.sent == Some(Statement::CreateContent) {
            at.sent = Some(Statement::Commit);
            return;
        }
        at.end(Phase::Unsettled);
    }

    /// Handles "no row", which does not give a reason: the head may have moved, the intent may be
    /// closed or expired, or an earlier delivery of the same statement may have committed.
    fn look(&self, state: &mut State, attempt: u8) {
        let request = self.bounds.request_of(attempt);
        let stale = Self::names_its_base(request) && state.sql.head().number != NAMED_BASE;
        if stale {
            return self.decline(state, attempt);
        }
        if state.sql.by_request(request).is_some() {
            return self.acknowledge(state, attempt, Learned::Key);
        }
        let Some(slot) = self.next_slot(state, request) else {
            return state.attempt(attempt).end(Phase::Unsettled);
        };
        // Rebase: step 1 again, with a new commit id.
        state.attempt(attempt).end(Phase::Gone);
        state.attempt(slot).phase = Phase::Looked;
        let client = &mut state.requests[usize::from(request)];
        if client.current == Some(attempt) {
            client.current = Some(slot);
        }
    }

    /// Handles 412 and "nothing to commit". These are rejections too, so the request is settled
    /// first.
    fn decline(&self, state: &mut State, attempt: u8) {
        if self.has(Flaw::RefuseWithoutLook) {
            self.refuse(state, attempt, false);
        } else {
            state.attempt(attempt).end(Phase::Unsettled);
        }
    }

    /// Closes everything that may still commit this request, then checks whether it is committed.
    fn settle(&self, state: &mut State, attempt: u8) {
        let request = self.bounds.request_of(attempt);
        let own = self.commit_id(attempt);
        let mut fenced = false;
        if self.has(Flaw::FenceOwnAttemptOnly) {
            fenced = state.sql.close(own);
        } else if !self.has(Flaw::NoFence) {
            for other in self.bounds.slots(request) {
                let commit = self.commit_id(other);
                fenced |= state.sql.close(commit) && commit == own;
            }
        }
        if let Some(version) = state.sql.by_request(request) {
            let lost = version.commit == own;
            let learned = if lost { Learned::LostFence } else { Learned::Key };
            self.acknowledge(state, attempt, learned);
        } else {
            self.refuse(state, attempt, fenced);
        }
    }

    fn acknowledge(&self, state: &mut State, attempt: u8, learned: Learned) {
        let at = state.attempt(attempt);
        if at.phase == Phase::Waiting {
            at.sent = None;
        }
        at.end(Phase::Gone);
        let request = self.bounds.request_of(attempt);
        let text = state.sql.by_request(request).map_or(0, |version| version.text);
        let client = &mut state.requests[usize::from(request)];
        if client.current == Some(attempt) {
            client.end(Answer::Committed { text, learned });
        }
    }

    /// Tells the client that this attempt never commits. This is final only if no other saver works
    /// on the request; otherwise the client should retry with the same key.
    fn refuse(&self, state: &mut State, attempt: u8, fenced: bool) {
        state.attempt(attempt).end(Phase::Never { fenced });
        let request = self.bounds.request_of(attempt);
        let others =
            self.bounds.slots(request).any(|slot| state.attempts[usize::from(slot)].is_alive());
        let client = &mut state.requests[usize::from(request)];
        let last_word = !others || self.has(Flaw::RefuseWhileOthersWork);
        if client.current == Some(attempt) && last_word {
            client.end(Answer::Refused);
        }
    }
}
