//! What is measured while a stage runs, for `run-info.json`.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use weir_contract::manifest::RunInfo;

/// The clock of a run.
#[derive(Debug)]
pub struct RunClock {
    version: &'static str,
    threads: usize,
    started: SystemTime,
    begin: Instant,
    parts: BTreeMap<String, f64>,
}

impl RunClock {
    /// Also sets the process's peak memory back to what it holds now, so that each of several stages in one process
    /// measures its own; where the system does not let it, the peak stays that of the process.
    pub(crate) fn start(version: &'static str, threads: usize) -> Self {
        // proc(5), /proc/pid/clear_refs: 5 resets VmHWM.
        let _ = fs::write("/proc/self/clear_refs", "5");
        Self { version, threads, started: SystemTime::now(), begin: Instant::now(), parts: BTreeMap::new() }
    }

    /// Runs `work` and adds its seconds to the part `name`.
    pub fn part<T>(&mut self, name: &str, work: impl FnOnce() -> T) -> T {
        let begin = Instant::now();
        let result = work();
        self.add(name, begin.elapsed().as_secs_f64());
        result
    }

    /// Adds `seconds` to the part `name`, for what runs beside something else or is the sum of parts.
    pub fn add(&mut self, name: &str, seconds: f64) {
        *self.parts.entry(name.to_owned()).or_default() += seconds;
    }

    /// Seconds since the start.
    #[must_use]
    pub fn seconds(&self) -> f64 {
        self.begin.elapsed().as_secs_f64()
    }

    /// What was measured so far. `code_path` names the instruction set of the kernels, empty where there are none.
    ///
    /// Host and peak memory come from `/proc`; where there is none they are empty and 0.
    #[must_use]
    pub fn run_info(&self, code_path: &str) -> RunInfo {
        RunInfo {
            version: self.version.to_owned(),
            started: rfc3339(self.started),
            seconds: self.seconds(),
            parts: self.parts.clone(),
            threads: self.threads,
            peak_memory: fs::read_to_string("/proc/self/status").ok().and_then(|text| peak(&text)).unwrap_or(0),
            host: fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned(),
            code_path: code_path.to_owned(),
            rungs: Vec::new(),
        }
    }
}

/// Peak resident memory in bytes, from the line `VmHWM:   12345 kB`.
fn peak(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// `2026-11-21T00:05:02Z`; a clock before 1970 reads as 1970.
///
/// Days to date after Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`, for days
/// since 1970 that are not negative.
fn rfc3339(time: SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days since 0000-03-01, in eras of 400 years = 146,097 days.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months count from March: their lengths then repeat every five months, 153 days.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Mutex, PoisonError};
    use std::time::Duration;

    /// Taken by tests that start a clock: it sets back the peak memory of the process, which is that of all tests.
    static PEAK: Mutex<()> = Mutex::new(());

    #[test]
    fn times_are_written_as_by_gnu_date() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_709_251_199, "2024-02-29T23:59:59Z"),
            (1_795_219_502, "2026-11-21T00:05:02Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn peak_memory_is_read_in_bytes() {
        assert_eq!(peak("Name:\tweir\nVmHWM:\t    2048 kB\nVmRSS:\t 1 kB\n"), Some(2_097_152));
        assert_eq!(peak("Name:\tweir\n"), None);
    }

    #[test]
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    fn the_peak_of_an_earlier_stage_is_not_that_of_the_next() {
        if fs::write("/proc/self/clear_refs", "5").is_err() {
            eprintln!("SKIPPED: this system does not reset the peak memory of a process");
            return;
        }
        let _alone = PEAK.lock().unwrap_or_else(PoisonError::into_inner);
        let clock = RunClock::start("0.1.0", 1);
        drop(std::hint::black_box(vec![1_u8; 256 << 20]));
        let earlier = clock.run_info("").peak_memory;
        let next = RunClock::start("0.1.0", 1).run_info("").peak_memory;
        assert!(next + (128 << 20) < earlier, "{next} after {earlier}");
    }

    #[test]
    fn parts_add_up_by_name() {
        let _alone = PEAK.lock().unwrap_or_else(PoisonError::into_inner);
        let mut clock = RunClock::start("0.1.0", 2);
        let nap = || std::thread::sleep(Duration::from_millis(5));
        clock.part("fit", nap);
        clock.part("fit", nap);
        assert_eq!(clock.part("score", || 7), 7);
        let info = clock.run_info("scalar");
        assert!(info.parts["fit"] >= 0.010 && info.seconds >= info.parts["fit"]);
        assert_eq!((info.version.as_str(), info.threads, info.code_path.as_str()), ("0.1.0", 2, "scalar"));
        assert!(info.peak_memory > 0);
    }
}
