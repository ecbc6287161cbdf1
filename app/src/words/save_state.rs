use super::{
    state_kept, state_not_saved, state_offline, state_saved, state_saving, state_slow, state_unkept,
};
use izanagi_shared::save_state::SaveState;

/// Words the save indicator.
#[must_use]
pub fn save_state(state: &SaveState) -> String {
    match state {
        SaveState::Saved => state_saved(),
        SaveState::Saving => state_saving(),
        SaveState::Slow => state_slow(),
        SaveState::Offline { waiting: 0, .. } => state_offline(),
        SaveState::Offline { waiting, is_kept: true } => state_kept(*waiting as u64),
        SaveState::Offline { waiting, is_kept: false } => state_unkept(*waiting as u64),
        SaveState::Refused { reason } => state_not_saved(reason),
    }
}
