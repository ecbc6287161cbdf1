//! The middle of the shortest way from one sequence to another, found from both ends at once.
//!
//! A point `(x, y)` means: `x` items of the old and `y` of the new sequence are behind. A step
//! right drops an old item, a step down takes a new one, a diagonal is free. Diagonal `k` holds the
//! points with `x - y = k`; a search keeps, for each `k`, the furthest `x` it reached in `d` steps.

use super::super::budget::Budget;
use super::{common_prefix, common_suffix};

/// A search gives up after this many steps from each end; the square of it is what one box costs.
const MAX_DISTANCE: i32 = 128;

/// A diagonal that no way leads to.
const UNREACHED: i32 = i32::MIN;

/// A point in a box: items of the old and of the new sequence that lie behind it.
pub(super) type Point = (usize, usize);

/// Where to cut a box in two.
pub(super) enum Middle {
    /// A point on a shortest way.
    Meeting(Point),
    /// The two searches did not meet: the furthest points that they reached, in order.
    FarApart(Vec<Point>),
    /// The budget did not suffice to tell.
    OutOfBudget,
}

/// The furthest points of the two searches, kept as buffers.
#[derive(Default)]
pub(super) struct Myers {
    forward: Frontier,
    backward: Frontier,
}

impl Myers {
    /// The middle of a shortest way from `old` to `new`, which differ at both ends.
    pub(super) fn find_middle(&mut self, old: &[u32], new: &[u32], budget: &mut Budget) -> Middle {
        let (n, m) = (old.len() as i32, new.len() as i32);
        let limit = MAX_DISTANCE.min((n + m + 1) / 2);
        self.forward.reset(limit, n, m);
        self.backward.reset(limit, n, m);
        let ahead = |x: i32, y: i32| common_prefix(&old[x as usize..], &new[y as usize..]) as i32;
        let behind = |x: i32, y: i32| {
            common_suffix(&old[..(n - x) as usize], &new[..(m - y) as usize]) as i32
        };
        // The two can first meet in a forward step when the shortest way is odd, else in a backward one.
        let is_odd = (n - m) % 2 != 0;
        for distance in 0..=limit {
            let other = is_odd.then_some(&self.backward);
            let met = self.forward.step(distance, ahead, other);
            if let Some((x, y)) = met {
                return Middle::Meeting((x as usize, y as usize));
            }
            let other = (!is_odd).then_some(&self.forward);
            let met = self.backward.step(distance, behind, other);
            if let Some((x, y)) = met {
                return Middle::Meeting(((n - x) as usize, (m - y) as usize));
            }
            if !budget.spend(self.forward.take_steps() + self.backward.take_steps()) {
                return Middle::OutOfBudget;
            }
        }
        let first = self.forward.furthest();
        let last = self.backward.furthest();
        let last = (n - last.0, m - last.1);
        let points =
            if first.0 <= last.0 && first.1 <= last.1 { vec![first, last] } else { vec![first] };
        let to_place = |(x, y)| (x as usize, y as usize);
        Middle::FarApart(points.into_iter().map(to_place).collect())
    }
}

/// One search; the backward one counts from the ends and so runs by the same code.
#[derive(Default)]
struct Frontier {
    /// The furthest `x` of each diagonal, from `-limit - 1` to `limit + 1`.
    furthest: Vec<i32>,
    middle: i32,
    distance: i32,
    n: i32,
    m: i32,
    steps: usize,
}

impl Frontier {
    fn reset(&mut self, limit: i32, n: i32, m: i32) {
        self.middle = limit + 1;
        let width = (2 * limit + 3) as usize;
        if self.furthest.len() < width {
            self.furthest.resize(width, UNREACHED);
        }
        (self.n, self.m, self.distance, self.steps) = (n, m, -1, 0);
    }

    #[inline]
    fn at(&self, diagonal: i32) -> i32 {
        self.furthest[(self.middle + diagonal) as usize]
    }

    /// The lowest and the highest diagonal that hold points of the box at the present distance;
    /// every other one in between does too.
    fn diagonals(&self) -> (i32, i32) {
        let lowest = -self.distance + 2 * (self.distance - self.m).max(0);
        let highest = self.distance - 2 * (self.distance - self.n).max(0);
        (lowest, highest)
    }

    /// Goes one step further on every diagonal; the point where it meets `other`, if it does.
    ///
    /// `snake` gives the number of free steps from a point.
    fn step(
        &mut self,
        distance: i32,
        snake: impl Fn(i32, i32) -> i32,
        other: Option<&Self>,
    ) -> Option<(i32, i32)> {
        let (n, m) = (self.n, self.m);
        self.distance = distance;
        for outside in [-distance - 1, distance + 1] {
            self.furthest[(self.middle + outside) as usize] = UNREACHED;
        }
        let (lowest, highest) = self.diagonals();
        // The other search counts its diagonals from the other end.
        let mirror = n - m;
        let facing = other.map(|other| (other, other.diagonals()));
        let mut left = self.at(lowest - 1);
        let mut k = lowest;
        // A plain loop: nothing else here runs as often, and the page is compiled for size.
        while k <= highest {
            let above = self.at(k + 1);
            let mut x = if distance == 0 { 0 } else { UNREACHED };
            if above != UNREACHED && above - k <= m {
                x = above;
            }
            if left != UNREACHED && left < n {
                x = x.max(left + 1);
            }
            left = above;
            if x != UNREACHED {
                let free = snake(x, x - k);
                self.steps += free as usize;
                x += free;
            }
            self.steps += 1;
            self.furthest[(self.middle + k) as usize] = x;
            if let Some((other, (lowest, highest))) = facing
                && (lowest..=highest).contains(&(mirror - k))
                && x != UNREACHED
            {
                let met = other.at(mirror - k);
                if met != UNREACHED && x + met >= n {
                    return Some((x, x - k));
                }
            }
            k += 2;
        }
        None
    }

    fn take_steps(&mut self) -> usize {
        std::mem::take(&mut self.steps)
    }

    /// The point with the most items behind it.
    fn furthest(&self) -> (i32, i32) {
        let (lowest, highest) = self.diagonals();
        let reached = (lowest..=highest).step_by(2).map(|k| (self.at(k), k));
        reached
            .filter(|(x, _)| *x != UNREACHED)
            .map(|(x, k)| (x, x - k))
            .max_by_key(|(x, y)| x + y)
            .unwrap_or((0, 0))
    }
}
