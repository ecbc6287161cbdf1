//! When which fault is due.

use super::fault::{Class, Fault};

/// When which fault is due.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    /// Never.
    Quiet,
    /// Once, at this call.
    Nth {
        /// The call, counted from 0.
        index: usize,
        /// What happens to it.
        fault: Fault,
    },
    /// At calls drawn by a seed, faults drawn by the same seed.
    Seeded {
        /// Decides together with the index of the call.
        seed: u64,
        /// Of a fault at a call, 0 to 1.
        probability: f64,
        /// The faults to draw from.
        among: Vec<Fault>,
    },
}

impl Plan {
    /// The fault due at the call with this index, if one is due that fits its class.
    pub(super) fn choose(&self, index: usize, class: Class) -> Option<Fault> {
        match self {
            Self::Quiet => None,
            Self::Nth { index: due, fault } => {
                (*due == index && fault.fits(class)).then_some(*fault)
            }
            Self::Seeded { seed, probability, among } => {
                let fitting: Vec<_> = among.iter().filter(|fault| fault.fits(class)).collect();
                let (chance, choice) = draw(*seed, index);
                if chance >= *probability || fitting.is_empty() {
                    return None;
                }
                fitting.get(choice % fitting.len()).map(|fault| **fault)
            }
        }
    }

    /// Whether this fault can ever be due.
    pub(super) fn includes(&self, wanted: Fault) -> bool {
        match self {
            Self::Quiet => false,
            Self::Nth { fault, .. } => *fault == wanted,
            Self::Seeded { among, .. } => among.contains(&wanted),
        }
    }
}

/// A number in `0.0..1.0` and a choice, the same for the same seed and call. Each call has its own
/// draw, so calls that run at the same time do not depend on who drew first.
fn draw(seed: u64, index: usize) -> (f64, usize) {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(&(index as u64).to_le_bytes());
    let [a, b, c, d, e, f, g, h, ..] = *hasher.finalize().as_bytes();
    let chance = f64::from(u32::from_le_bytes([a, b, c, d])) / (f64::from(u32::MAX) + 1.0);
    (chance, u32::from_le_bytes([e, f, g, h]) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seeded(seed: u64, probability: f64) -> Plan {
        Plan::Seeded { seed, probability, among: Fault::ALL.to_vec() }
    }

    fn draws(plan: &Plan) -> Vec<Option<Fault>> {
        (0..1000).map(|index| plan.choose(index, Class::Write)).collect()
    }

    #[test]
    fn a_seed_decides_everything() {
        assert_eq!(draws(&seeded(1, 0.3)), draws(&seeded(1, 0.3)));
        assert_ne!(draws(&seeded(1, 0.3)), draws(&seeded(2, 0.3)));
    }

    #[test]
    fn the_probability_is_kept() {
        let due = |probability| draws(&seeded(7, probability)).iter().flatten().count();
        assert_eq!(due(0.0), 0);
        assert!((250..350).contains(&due(0.3)), "{}", due(0.3));
        assert_eq!(due(1.0), 1000);
    }

    #[test]
    fn only_faults_that_fit_are_drawn_and_each_of_them_is() {
        let drawn: std::collections::HashSet<_> =
            draws(&seeded(3, 1.0)).into_iter().flatten().collect();
        let fitting = Fault::ALL.into_iter().filter(|fault| fault.fits(Class::Write)).collect();
        assert_eq!(drawn, fitting);
    }
}
