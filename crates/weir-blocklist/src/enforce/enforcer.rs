//! Whatever keeps addresses out, and the one way to change what it does.

use std::collections::BTreeMap;
use std::net::IpAddr;

use weir_contract::blocklist::Block;

use super::EnforceError;

/// Clocks of kernel and ledger are cut to whole seconds, and programs take their time.
pub(super) const TOLERANCE: i64 = 5;

/// Whatever keeps addresses out.
pub trait Enforcer {
    /// Its name for people, as `--enforcer` takes it.
    fn name(&self) -> &str;

    /// Who is kept out at `now`, in any order. An address that is held, but not kept out, is not among them.
    ///
    /// # Errors
    /// What keeps it from being found out.
    fn current(&mut self, now: i64) -> Result<Vec<Block>, EnforceError>;

    /// Whether a block ends at its time without being told so.
    fn ends_blocks(&self) -> bool {
        true
    }

    /// How many addresses it can keep out.
    fn most(&self) -> usize {
        usize::MAX
    }

    /// Makes that exactly `blocks`, at once where it can, each until its end or for as long as the means allows. For no
    /// blocks it leaves no trace. An error may leave a change half done where the means has no transactions: callers
    /// use [`apply`], which puts back what was.
    ///
    /// # Errors
    /// What keeps it from being changed.
    fn replace(&mut self, blocks: &[Block], now: i64) -> Result<(), EnforceError>;
}

/// Makes `enforcer` keep out exactly `blocks`, and looks whether it does. On an error it keeps out whom it did before.
///
/// # Errors
/// Those of the enforcer; [`EnforceError::Mismatch`] when it does not do what it was told;
/// [`EnforceError::NotRestored`] when what was before could not be put back.
pub fn apply(enforcer: &mut dyn Enforcer, blocks: &[Block], now: i64) -> Result<(), EnforceError> {
    let before = enforcer.current(now)?;
    let Err(cause) = replace(enforcer, blocks, now) else { return Ok(()) };
    match restore(enforcer, &before, now) {
        Ok(()) => Err(cause),
        Err(error) => Err(EnforceError::NotRestored { cause: Box::new(cause), error: Box::new(error) }),
    }
}

/// Makes `enforcer` keep out `before` again, and clears away what a change that failed has left.
///
/// # Errors
/// Those of the enforcer, where it keeps out anybody else now.
pub(super) fn restore(enforcer: &mut dyn Enforcer, before: &[Block], now: i64) -> Result<(), EnforceError> {
    let Err(error) = replace(enforcer, before, now) else { return Ok(()) };
    let untouched = enforcer.current(now).is_ok_and(|current| difference(before, &current, now).is_none());
    if untouched { Ok(()) } else { Err(error) }
}

fn replace(enforcer: &mut dyn Enforcer, blocks: &[Block], now: i64) -> Result<(), EnforceError> {
    enforcer.replace(blocks, now)?;
    let found = enforcer.current(now)?;
    match difference(blocks, &found, now) {
        None => Ok(()),
        Some(example) => Err(EnforceError::Mismatch {
            enforcer: enforcer.name().to_owned(),
            expected: blocks.len(),
            found: found.len(),
            example,
        }),
    }
}

/// Where `found` is not what is `wanted`: the first address that is missing, too many, or kept out for longer. Whoever is
/// about to be let in anyway may be in either or in one of them alone; an earlier end does not count: a means may not know
/// so long a time.
pub(super) fn difference(wanted: &[Block], found: &[Block], now: i64) -> Option<String> {
    let ends = |blocks: &[Block]| -> BTreeMap<IpAddr, i64> {
        blocks.iter().map(|block| (block.address, block.until)).collect()
    };
    let is_lasting = |until: i64| until > now.saturating_add(TOLERANCE);
    let (wanted, found) = (ends(wanted), ends(found));
    let is_missing = |(address, until): &(&IpAddr, &i64)| is_lasting(**until) && !found.contains_key(address);
    if let Some((address, _)) = wanted.iter().find(is_missing) {
        return Some(format!("{address} is missing"));
    }
    found.iter().filter(|(_, until)| is_lasting(**until)).find_map(|(address, until)| match wanted.get(address) {
        None => Some(format!("{address} is too many")),
        Some(end) if *until > end.saturating_add(TOLERANCE) => Some(format!("{address} is kept out for too long")),
        Some(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000;

    fn block(until: i64) -> Vec<Block> {
        vec![Block { address: "192.0.2.1".parse().unwrap(), until }]
    }

    #[test]
    fn an_end_that_is_read_a_second_earlier_makes_no_difference() {
        for left in 1..20 {
            assert_eq!(difference(&block(NOW + left), &block(NOW + left - 1), NOW), None, "{left} s left");
            assert_eq!(difference(&block(NOW + left - 1), &block(NOW + left), NOW), None, "{left} s left");
        }
    }

    #[test]
    fn who_is_missing_too_many_or_kept_out_for_too_long_is_named() {
        let lasting = block(NOW + TOLERANCE + 1);
        assert_eq!(difference(&lasting, &[], NOW).unwrap(), "192.0.2.1 is missing");
        assert_eq!(difference(&[], &lasting, NOW).unwrap(), "192.0.2.1 is too many");
        assert_eq!(difference(&lasting, &block(NOW + 60), NOW).unwrap(), "192.0.2.1 is kept out for too long");
        assert_eq!(difference(&block(NOW + TOLERANCE), &[], NOW), None, "about to be let in");
        assert_eq!(difference(&[], &block(NOW + TOLERANCE), NOW), None, "about to be let in");
        assert_eq!(difference(&block(i64::MAX), &block(NOW + 60), NOW), None, "as long as the means allows");
    }
}
