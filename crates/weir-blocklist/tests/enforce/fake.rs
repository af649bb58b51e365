//! An enforcer in memory that fails on request, and a host around it.

use std::cell::RefCell;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use tempfile::TempDir;
use weir_blocklist::allow::AllowList;
use weir_blocklist::enforce::{
    EnforceError, Enforcer, Exempt, Order, Protected, Removal, Report, enforce, preview, remove,
};
use weir_blocklist::state::{Action, Author, State};
use weir_contract::ExitCode;
use weir_contract::blocklist::{Basis, Block, Detection, Evidence, FORMAT, LogSummary, Method, Peak, Suspect};

/// What goes wrong at the next change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Half of it is in place when it fails.
    HalfDone,
    /// It says that it is done, and does nothing.
    Nothing,
    /// It fails after half, and every time from now on.
    Broken,
}

/// Keeps nobody out, but says so like one that does.
#[derive(Debug, Default)]
pub(crate) struct Fake {
    pub(crate) blocks: Vec<Block>,
    pub(crate) fault: Option<Fault>,
    /// How many it can keep out, if that is limited.
    pub(crate) most: Option<usize>,
    /// How often it was told something.
    pub(crate) changes: usize,
    /// A file that becomes a directory, which no file can replace, as soon as it is told something.
    pub(crate) sabotage: Option<PathBuf>,
}

impl Enforcer for Fake {
    fn name(&self) -> &str {
        "fake"
    }

    fn current(&mut self, now: i64) -> Result<Vec<Block>, EnforceError> {
        self.blocks.retain(|block| block.until > now);
        Ok(self.blocks.clone())
    }

    fn most(&self) -> usize {
        self.most.unwrap_or(usize::MAX)
    }

    fn replace(&mut self, blocks: &[Block], _now: i64) -> Result<(), EnforceError> {
        self.changes += 1;
        if let Some(path) = self.sabotage.take() {
            fs::create_dir(path).unwrap();
        }
        match self.fault {
            Some(Fault::Nothing) => self.fault = None,
            Some(fault) => {
                self.blocks = blocks[blocks.len().div_ceil(2)..].to_vec();
                if fault == Fault::HalfDone {
                    self.fault = None;
                }
                let reason = "out of order".to_owned();
                return Err(EnforceError::Outside { enforcer: "fake".to_owned(), reason, code: ExitCode::Retry });
            }
            None => self.blocks = blocks.to_vec(),
        }
        Ok(())
    }
}

/// One that the host keeps while it is lent as a box.
struct Shared(Rc<RefCell<Fake>>);

impl Enforcer for Shared {
    fn name(&self) -> &str {
        "fake"
    }

    fn current(&mut self, now: i64) -> Result<Vec<Block>, EnforceError> {
        self.0.borrow_mut().current(now)
    }

    fn replace(&mut self, blocks: &[Block], now: i64) -> Result<(), EnforceError> {
        self.0.borrow_mut().replace(blocks, now)
    }
}

/// A host: its state directory, its enforcer, and whom it leaves alone.
pub(crate) struct Host {
    pub(crate) dir: TempDir,
    pub(crate) fake: Fake,
    pub(crate) allow: AllowList,
    pub(crate) protected: Protected,
    /// How long somebody is blocked.
    pub(crate) seconds: i64,
}

impl Host {
    pub(crate) fn new() -> Self {
        let protected = Protected::new([address("192.0.2.254")], Some(address("198.51.100.1")));
        Self {
            dir: tempfile::tempdir().unwrap(),
            fake: Fake::default(),
            allow: AllowList::default(),
            protected,
            seconds: 3_600,
        }
    }

    pub(crate) fn enforce(&mut self, detection: &Detection, now: i64) -> Result<Report, EnforceError> {
        self.enforce_for(None, detection, now)
    }

    /// For the run of that name.
    pub(crate) fn enforce_for(
        &mut self,
        run: Option<&str>,
        detection: &Detection,
        now: i64,
    ) -> Result<Report, EnforceError> {
        let state = State::open(self.dir.path(), Duration::ZERO)?;
        let exempt = Exempt { allow: &self.allow, protected: &self.protected };
        let by = Author { run: run.map(str::to_owned), ..author() };
        enforce(Order { detection, exempt, now, seconds: self.seconds }, &state, Some(&mut self.fake), &by)
    }

    pub(crate) fn preview(&mut self, detection: &Detection, now: i64) -> Report {
        let exempt = Exempt { allow: &self.allow, protected: &self.protected };
        preview(Order { detection, exempt, now, seconds: self.seconds }, self.dir.path(), Some(&mut self.fake)).unwrap()
    }

    pub(crate) fn remove(&mut self, who: Option<&[IpAddr]>, now: i64) -> Vec<String> {
        let (removed, failures) = self.try_to_remove(who, now);
        assert!(failures.is_empty(), "{failures:?}");
        removed
    }

    /// Who was let in, and what failed.
    pub(crate) fn try_to_remove(&mut self, who: Option<&[IpAddr]>, now: i64) -> (Vec<String>, Vec<EnforceError>) {
        let state = State::open(self.dir.path(), Duration::ZERO);
        let shared = Rc::new(RefCell::new(std::mem::take(&mut self.fake)));
        let mut enforcers: Vec<Box<dyn Enforcer>> = vec![Box::new(Shared(Rc::clone(&shared)))];
        let (removal, failures) = remove(who, state, &mut enforcers, &author(), now);
        self.fake = shared.take();
        (removal.removed.iter().map(ToString::to_string).collect(), failures)
    }

    /// Lets somebody in by the files alone.
    pub(crate) fn remove_without_enforcer(&self, who: IpAddr, now: i64) -> Removal {
        let state = State::open(self.dir.path(), Duration::ZERO);
        let (removal, failures) = remove(Some(&[who]), state, &mut [], &author(), now);
        assert!(failures.is_empty(), "{failures:?}");
        removal
    }

    /// Who is blocked by the files, as `address until`.
    pub(crate) fn listed(&self) -> Vec<String> {
        shown(&State::read(self.dir.path()).unwrap().blocks())
    }

    /// Who is blocked by the enforcer.
    pub(crate) fn enforced(&self) -> Vec<String> {
        shown(&self.fake.blocks)
    }

    /// The audit log: what was done to whom.
    pub(crate) fn audit(&self) -> Vec<(Action, String)> {
        let records = State::read_history(self.dir.path()).unwrap();
        let about = |address: Option<IpAddr>| address.map_or_else(String::new, |address| address.to_string());
        records.iter().map(|record| (record.action, about(record.address))).collect()
    }

    pub(crate) fn blocked_ips(&self) -> String {
        fs::read_to_string(self.dir.path().join("blocked_ips.txt")).unwrap_or_default()
    }
}

pub(crate) fn shown(blocks: &[Block]) -> Vec<String> {
    let mut shown: Vec<String> = blocks.iter().map(|block| format!("{} {}", block.address, block.until)).collect();
    shown.sort();
    shown
}

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// A detection of these, each with the times of its worst ten seconds and of its last request.
pub(crate) fn listed(clients: &[(&str, i64, i64)]) -> Detection {
    let suspect = |(client, peak, last): &(&str, i64, i64)| Suspect {
        client: address(client),
        basis: Basis::Group,
        evidence: Evidence { last: *last, peak_ten_seconds: Peak { count: 655, start: *peak }, ..Evidence::default() },
    };
    Detection {
        format: FORMAT,
        log: LogSummary::default(),
        method: Method::Robust,
        grouping: None,
        reason: String::new(),
        listed: clients.iter().map(suspect).collect(),
        spared: Vec::new(),
        top_clients: Vec::new(),
    }
}

fn author() -> Author {
    Author { uid: 0, user: Some("root".to_owned()), enforcer: "fake".to_owned(), run: None }
}
