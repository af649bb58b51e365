//! `weir block remove`: let somebody in again, at once.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::Parser;
use weir_stage::{CommonArgs, Failure, Stage};

use super::args::{Others, PATIENCE, author, find_all, now};
use crate::enforce::remove;
use crate::state::{State, StateError};

/// Let clients in again, at once; a flood that the log shows already does not block them a second time
#[derive(Debug, Clone, Parser)]
pub struct RemoveArgs {
    /// Whom
    #[arg(value_name = "ADDRESS", required_unless_present = "all", conflicts_with = "all")]
    pub addresses: Vec<IpAddr>,

    /// Everybody
    #[arg(long)]
    pub all: bool,

    /// Directory that says who is blocked
    #[arg(long, value_name = "DIR", default_value = "weir-block")]
    pub state: PathBuf,

    /// What to let them in through [default: nftables and ipset, where this host has them]
    #[arg(long, num_args = 1.., value_name = "NAME")]
    pub enforcer: Vec<String>,

    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,
}

impl AsRef<CommonArgs> for RemoveArgs {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Takes blocks away and prints whose.
///
/// # Errors
/// A failure of usage for an unknown enforcer, one to be retried where another run goes on changing what is blocked: then
/// nothing is done. The first of [`remove`], after everything that can be done is.
pub fn remove_command(args: RemoveArgs, stage: &Stage, others: Others<'_>) -> Result<(), Failure> {
    let mut enforcers = find_all(&args.enforcer, others)?;
    let names: Vec<&str> = enforcers.iter().map(|enforcer| enforcer.name()).collect();
    let name = if names.is_empty() { "none".to_owned() } else { names.join(" and ") };
    let state = match State::open(&args.state, PATIENCE) {
        // Whoever holds it may be telling the same enforcers right now.
        Err(error @ StateError::Locked { .. }) => return Err(error.into()),
        other => other,
    };
    stage.check()?;
    let who = (!args.all).then_some(args.addresses.as_slice());
    let (removal, failures) = remove(who, state, &mut enforcers, &author(stage, &name), now()?);
    for address in &removal.unknown {
        stage.warn(format!("{address} was not blocked, by the blocklist of {} and by {name}", args.state.display()));
    }
    for (enforcer, addresses) in &removal.not_asked {
        stage.warn(still_out(enforcer, addresses, &args.state));
    }
    stage.result(&removal, || {
        let lines: Vec<String> = removal.removed.iter().map(|address| format!("let in {address}")).collect();
        if lines.is_empty() { "nobody was let in".to_owned() } else { lines.join("\n") }
    })?;
    let mut failures = failures.into_iter().map(Failure::from);
    let Some(first) = failures.next() else { return Ok(()) };
    for Failure { message, hint, .. } in failures {
        stage.warn(hint.map_or_else(|| message.clone(), |hint| format!("{message} ({hint})")));
    }
    Err(first)
}

/// What to do about whom an enforcer that was not asked may keep out still.
fn still_out(enforcer: &str, addresses: &[IpAddr], state: &Path) -> String {
    let addresses: Vec<String> = addresses.iter().map(ToString::to_string).collect();
    let addresses = addresses.join(" ");
    format!(
        "{addresses}: blocked by {enforcer}, which was not asked and may keep them out until the next enforcement; \
         to let them in now, with the options of enforce that say where: \
         weir block remove {addresses} --enforcer {enforcer} --state {}",
        state.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_lets_them_in_is_said_in_full() {
        let addresses = ["192.0.2.7", "2001:db8::7"].map(|address| address.parse().unwrap());
        let warning = still_out("network-policy", &addresses, Path::new("/var/lib/weir"));
        let command = "weir block remove 192.0.2.7 2001:db8::7 --enforcer network-policy --state /var/lib/weir";
        assert!(warning.ends_with(command), "{warning}");
    }
}
