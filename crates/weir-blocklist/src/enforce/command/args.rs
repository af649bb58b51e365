//! What the commands have in common: which enforcer, which state directory, who asks, what time it is.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{ArgAction, Args};
use weir_stage::{Failure, Stage};

use crate::enforce::{EnforceError, Enforcer, Ipset, Nftables};
use crate::state::Author;

/// How long another run of the same state directory is waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// Finds an enforcer that is not this crate's by its name.
pub type Others<'a> = &'a dyn Fn(&str) -> Result<Option<Box<dyn Enforcer>>, Failure>;

/// No enforcers but nftables and ipset.
///
/// # Errors
/// None.
pub fn no_others(_name: &str) -> Result<Option<Box<dyn Enforcer>>, Failure> {
    Ok(None)
}

/// Who is kept out by what; flatten it into the arguments of a command.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct EnforcerArgs {
    /// Directory that says who is blocked
    #[arg(long, value_name = "DIR", default_value = "weir-block")]
    pub state: PathBuf,

    /// What keeps clients out: nftables, ipset, or none for the files alone
    #[arg(long, value_name = "NAME", default_value = "nftables")]
    pub enforcer: String,

    /// Do it, in place of saying what would change
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", default_value_t = false, action = ArgAction::Set, value_name = "true|false", hide_default_value = true, hide_possible_values = true)]
    pub apply: bool,
}

/// The enforcer `name`; none for `none`.
pub(super) fn find(name: &str, others: Others<'_>) -> Result<Option<Box<dyn Enforcer>>, Failure> {
    match name {
        "none" => Ok(None),
        "nftables" => Ok(Some(Box::new(Nftables))),
        "ipset" => Ok(Some(Box::new(Ipset))),
        other => match others(other)? {
            Some(enforcer) => Ok(Some(enforcer)),
            None => Err(Failure::usage(format!("unknown enforcer {other:?}")).hint("take nftables, ipset or none")),
        },
    }
}

/// The enforcers with `names`, or else those that this host has.
pub(super) fn find_all(names: &[String], others: Others<'_>) -> Result<Vec<Box<dyn Enforcer>>, Failure> {
    if !names.is_empty() {
        return names.iter().filter_map(|name| find(name, others).transpose()).collect();
    }
    let mut own: Vec<Box<dyn Enforcer>> = vec![Box::new(Nftables), Box::new(Ipset)];
    own.retain_mut(|enforcer| {
        !matches!(enforcer.current(0), Err(EnforceError::NoProgram { .. } | EnforceError::Unsupported { .. }))
    });
    Ok(own)
}

/// Who runs this process.
pub(super) fn author(stage: &Stage, enforcer: &str) -> Author {
    // proc(5): the directory of a process belongs to its effective user.
    let uid = fs::metadata("/proc/self").map_or(u32::MAX, |metadata| metadata.uid());
    let user = stage.variable("SUDO_USER").or_else(|| stage.variable("USER"));
    Author { uid, user, enforcer: enforcer.to_owned(), run: None }
}

/// Seconds since 1970 UTC.
pub(super) fn now() -> Result<i64, Failure> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok();
    let seconds = since.and_then(|since| i64::try_from(since.as_secs()).ok());
    seconds.ok_or_else(|| Failure::usage("the clock of this host is before 1970").hint("set the clock"))
}

/// A stretch of time for people: `45 s`, `12 min`, `3 h 5 min`, `2 d 3 h`.
pub(super) fn span(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, 0) => format!("{hours} h"),
        (0, ..) => format!("{hours} h {minutes} min"),
        (_, 0, _) => format!("{days} d"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_of_time_has_two_units_at_most() {
        let spans = [0, 59, 60, 3_599, 3_600, 3_660, 86_399, 86_400, 97_200].map(span);
        let expected = ["0 s", "59 s", "1 min", "59 min", "1 h", "1 h 1 min", "23 h 59 min", "1 d", "1 d 3 h"];
        assert_eq!(spans, expected);
    }

    #[test]
    fn an_unknown_enforcer_is_refused_and_one_from_outside_is_asked_for() {
        let refused = find("iptables", &no_others).err().unwrap();
        assert_eq!(refused.message, "unknown enforcer \"iptables\"");
        let others = |name: &str| -> Result<Option<Box<dyn Enforcer>>, Failure> {
            Ok((name == "network-policy").then(|| Box::new(Nftables) as Box<dyn Enforcer>))
        };
        assert!(find("network-policy", &others).unwrap().is_some());
        assert!(find("none", &others).unwrap().is_none());
    }
}
