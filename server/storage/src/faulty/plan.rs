//! Plans: which faults are due at which calls.

use super::fault::{Class, Fault};

/// Determines which fault is due at a call.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    /// Never.
    Quiet,
    /// Once, at this call.
    Nth {
        /// Index of the call, from 0.
        index: usize,
        /// The fault.
        fault: Fault,
    },
    /// At calls chosen by a seed, with faults chosen by the same seed.
    Seeded {
        /// Seed of the choice.
        seed: u64,
        /// Probability of a fault per call, 0 to 1.
        probability: f64,
        /// The faults to choose from.
        among: Vec<Fault>,
    },
}

impl Plan {
    /// Returns the fault due at the call with this index, if it applies to the call's class.
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

    /// Whether this plan can ever inject this fault.
    pub(super) fn includes(&self, wanted: Fault) -> bool {
        match self {
            Self::Quiet => false,
            Self::Nth { fault, .. } => *fault == wanted,
            Self::Seeded { among, .. } => among.contains(&wanted),
        }
    }
}

/// Returns a number in `0.0..1.0` and a choice, determined by seed and call index. Each call draws
/// independently, so concurrent calls do not depend on their order.
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
