//! Times of requests.

use std::time::Duration;

use weir_contract::validation::Latency;

/// The times of all answered requests, in µs: 4 bytes each, so that quantiles are exact.
#[derive(Debug, Clone, Default)]
pub(crate) struct Times(Vec<u32>);

impl Times {
    pub(crate) fn extend(&mut self, times: &[Duration]) {
        self.0.extend(times.iter().map(|time| u32::try_from(time.as_micros()).unwrap_or(u32::MAX)));
    }

    /// Nothing for no requests.
    pub(crate) fn latency(mut self) -> Option<Latency> {
        self.0.sort_unstable();
        let times = &self.0;
        let max = *times.last()?;
        let ms = |micros: u32| f64::from(micros) / 1_000.0;
        // Nearest rank: the k-th smallest of n with the smallest k >= share * n.
        let quantile = |percent: usize| ms(times[(percent * times.len()).div_ceil(100).max(1) - 1]);
        let sum: u64 = times.iter().map(|&micros| u64::from(micros)).sum();
        Some(Latency {
            requests: times.len() as u64,
            mean_ms: sum as f64 / times.len() as f64 / 1_000.0,
            p50_ms: quantile(50),
            p90_ms: quantile(90),
            p99_ms: quantile(99),
            max_ms: ms(max),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_by_nearest_rank() {
        let mut times = Times::default();
        times.extend(&(1..=200).rev().map(Duration::from_millis).collect::<Vec<_>>());
        let latency = times.latency().unwrap();
        assert_eq!((latency.p50_ms, latency.p90_ms, latency.p99_ms), (100.0, 180.0, 198.0));
        assert_eq!((latency.requests, latency.mean_ms, latency.max_ms), (200, 100.5, 200.0));
    }

    #[test]
    fn a_single_request_is_all_quantiles_and_none_is_nothing() {
        let mut times = Times::default();
        times.extend(&[Duration::from_micros(1_500)]);
        let latency = times.latency().unwrap();
        assert_eq!((latency.p50_ms, latency.p99_ms, latency.mean_ms), (1.5, 1.5, 1.5));
        assert_eq!(Times::default().latency(), None);
    }
}
