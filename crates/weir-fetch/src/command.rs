//! `weir fetch`: its arguments, its progress, what it prints.

use std::path::PathBuf;

use clap::Parser;
use weir_stage::{CommonArgs, Failure, ProgressHandle, Stage};

use crate::{Dataset, Event, FetchError, Fetched, Request, Settings, Watcher, fetch};

/// Download a published data set, check it and unpack it
#[derive(Debug, Clone, PartialEq, Parser)]
pub struct Args {
    /// Common options.
    #[command(flatten)]
    pub common: CommonArgs,

    /// Which one: assuremoss
    #[arg(value_name = "DATASET", value_parser = dataset)]
    pub dataset: &'static Dataset,

    /// Directory for its files [default: data/DATASET]
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,

    /// Where the archive is, if not at its publisher
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,

    /// Proxy to go through, as in http://proxy.example:3128
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,

    /// Keep the archive after unpacking
    #[arg(long)]
    pub keep_archive: bool,
}

fn dataset(name: &str) -> Result<&'static Dataset, String> {
    name.parse()
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

/// Fetches a data set and prints its files and whom to credit.
///
/// # Errors
/// Those of [`fetch`]; where the publisher's server says no, with the way to do it by hand.
pub fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    let dataset = args.dataset;
    let dir = args.to.unwrap_or_else(|| ["data", dataset.name].iter().collect());
    let shown = dir.display().to_string();
    let request = Request {
        dataset,
        dir,
        url: args.url.unwrap_or_else(|| dataset.url.to_owned()),
        keep_archive: args.keep_archive,
        force: stage.common().force,
        now: stage.clock().run_info("").started,
        settings: Settings { proxy: args.proxy, ..Settings::default() },
    };
    stage.detail(format!("fetching {} into {shown}", request.url));
    let mut display = Display { stage, part: None };
    let fetched = fetch(&request, &mut Watcher::new(stage.cancelled(), &mut |event| display.show(&event)));
    drop(display);
    let fetched = fetched.map_err(|error| failure(error, dataset, &shown))?;
    for warning in &fetched.warnings {
        stage.warn(warning);
    }
    let result = serde_json::json!({
        "directory": shown,
        "unchanged": fetched.unchanged,
        "record": fetched.record,
    });
    stage.result(&result, || text(&fetched, &shown))
}

/// What the server or the archive has wrong, a person can do otherwise.
fn failure(error: FetchError, dataset: &Dataset, dir: &str) -> Failure {
    let by_hand = dataset.by_hand(dir);
    match &error {
        FetchError::Interrupted => Failure::interrupted(),
        FetchError::Refused { .. } | FetchError::Redirect { .. } | FetchError::NoArchive { .. } => {
            Failure::from(error).hint(format!("if it has moved, give its new place with --url, or {by_hand}"))
        }
        FetchError::Length { .. } | FetchError::Archive { .. } => {
            Failure::from(error).hint(format!("download it again with --force, or {by_hand}"))
        }
        _ => Failure::from(error),
    }
}

/// Shows one part of the work after the other.
struct Display<'a> {
    stage: &'a Stage,
    part: Option<(String, ProgressHandle)>,
}

impl Display<'_> {
    fn show(&mut self, event: &Event<'_>) {
        match *event {
            Event::Downloaded { done, total } => self.advance("download (bytes)", done, total.unwrap_or(0)),
            Event::Unpacked { name, done, total } => self.advance(&format!("{name} (bytes)"), done, total),
            Event::Retry { reason, wait } => {
                self.stage.warn(format!("{reason}; trying again in {} s", wait.as_secs_f64()));
            }
        }
    }

    fn advance(&mut self, label: &str, done: u64, total: u64) {
        let same = self.part.take().filter(|(shown, handle)| shown == label && handle.done() <= done);
        let (label, handle) = same.unwrap_or_else(|| (label.to_owned(), self.stage.progress(label, total)));
        handle.advance(done - handle.done());
        self.part = Some((label, handle));
    }
}

fn text(fetched: &Fetched, dir: &str) -> String {
    let record = &fetched.record;
    let mut text = String::new();
    for member in &record.members {
        let (digest, bytes, rows) = (member.sha256.short(), member.bytes, member.rows);
        text += &format!("{dir}/{}  {rows} records, {bytes} bytes, SHA-256 {digest}\n", member.name);
    }
    let unchanged = if fetched.unchanged { " (unchanged)" } else { "" };
    text += &format!("from {}, {}{unchanged}\n", record.url, record.fetched);
    text + &record.attribution + "\n"
}
