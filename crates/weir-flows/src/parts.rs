//! What tools tell in several columns and the canonical table holds in one.

use weir_contract::flow::Transport;

use crate::batch::Row;
use crate::table::Expected;
use crate::text::unsigned;

/// Both directions of a flow's counts, and its first and last moment.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) bytes: [Option<u64>; 2],
    pub(crate) packets: [Option<u64>; 2],
    /// In µs since 1970 UTC.
    pub(crate) start: Option<i64>,
    /// In µs since 1970 UTC.
    pub(crate) end: Option<i64>,
}

impl Parts {
    /// Sums the directions, of which one that is not told counts nothing. The event time is the end of the flow, without
    /// one its start and duration, at least its start. The duration, where it is not told, is what lies between start
    /// and end.
    #[inline]
    pub(crate) fn finish(&self, row: &mut Row<'_>) -> Result<(), Expected> {
        row.bytes = sum(self.bytes).ok_or("bytes of both directions that add up to less than 18446744073709551616")?;
        row.packets =
            sum(self.packets).ok_or("packets of both directions that add up to less than 18446744073709551616")?;
        if let (None, Some(start), Some(end)) = (row.duration_ns, self.start, self.end) {
            let between = || u64::try_from(end.checked_sub(start)?).ok()?.checked_mul(1000);
            row.duration_ns = Some(between().ok_or("an end that is not before the start")?);
        }
        row.event_time = match (self.start, self.end) {
            (_, Some(end)) => Some(end.div_euclid(1000)),
            (Some(start), None) => {
                let end_ns = i128::from(start) * 1000 + i128::from(row.duration_ns.unwrap_or(0));
                Some(i64::try_from(end_ns.div_euclid(1_000_000)).map_err(|_| "a time that milliseconds can tell")?)
            }
            (None, None) => None,
        };
        Ok(())
    }
}

/// A port, null when empty, and null for ICMP, where tools put type and code in its place.
///
/// The transport of the row must have been read before.
#[inline]
pub(crate) fn port(text: &[u8], row: &Row<'_>) -> Result<Option<u16>, Expected> {
    match row.transport {
        Transport::Icmp | Transport::Icmp6 => Ok(None),
        _ => unsigned::port(text),
    }
}

/// Null if both are; nothing if the sum is beyond u64.
fn sum([first, second]: [Option<u64>; 2]) -> Option<Option<u64>> {
    match (first, second) {
        (Some(first), Some(second)) => first.checked_add(second).map(Some),
        _ => Some(first.or(second)),
    }
}
