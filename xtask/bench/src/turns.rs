//! Two things that are measured in turns, so that whatever else the machine does meets both.

use std::time::Instant;

/// Nanoseconds of two things in many rounds.
#[derive(Debug, Default)]
pub struct Turns {
    rounds: Vec<(f64, f64)>,
}

impl Turns {
    /// Notes one round.
    pub fn note(&mut self, ours: f64, bare: f64) {
        self.rounds.push((ours, bare));
    }

    /// Nanoseconds of ours and of the other, and the ratio of the two in one round: the middle of
    /// each, and the bounds of the middle half of the ratios.
    pub fn line(&self) -> String {
        let at = |quarter: usize, of: fn(&(f64, f64)) -> f64| {
            let mut values: Vec<f64> = self.rounds.iter().map(of).collect();
            values.sort_by(f64::total_cmp);
            *values.get(values.len() * quarter / 4).unwrap()
        };
        let ratio = |(ours, bare): &(f64, f64)| ours / bare;
        format!(
            "{:.0} {:.0} {:.4} {:.4} {:.4}",
            at(2, |(ours, _)| *ours),
            at(2, |(_, bare)| *bare),
            at(2, ratio),
            at(1, ratio),
            at(3, ratio),
        )
    }
}

/// Nanoseconds for each time, of many.
#[expect(clippy::cast_precision_loss, reason = "a few milliseconds")]
pub fn spent(times: usize, mut work: impl FnMut(usize)) -> f64 {
    let before = Instant::now();
    for time in 0..times {
        work(time);
    }
    before.elapsed().as_nanos() as f64 / times as f64
}
