//! `weir store`: the feature store.

mod add;
mod look;
mod reach;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use weir_flows::Format;
use weir_stage::{CommonArgs, Failure, Stage};
use weir_store::{AsOf, Location, Name};

#[derive(Parser)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,

    /// The store: a directory, or s3://bucket/prefix (reached as AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, ... say)
    #[arg(long, global = true, value_name = "LOCATION", default_value = "weir-store")]
    store: Location,

    #[command(flatten)]
    common: CommonArgs,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

#[derive(Subcommand)]
enum Action {
    /// Make an empty store
    Init,
    /// Define a feature group, or a new version of it
    Define(Define),
    /// Add flow files to a group; files that it has are left out
    Insert(Insert),
    /// Add labels: a table of flow ids, or rules over addresses, ports and times
    Label(Label),
    /// List the groups
    Groups,
    /// List the commits of a group
    Commits(Group),
    /// Show a group, or one of its commits with --as-of
    Show(GroupAt),
    /// Compare two commits of a group
    Diff(Diff),
    /// Show the statistics that the features of a commit's rows have
    Statistics(GroupAt),
    /// Make a training dataset: the feature tables of a group's rows as of a commit
    Dataset(Dataset),
    /// List the training datasets
    Datasets,
    /// Show what a dataset was made from, or with --source which datasets a flow file is in
    Lineage(Lineage),
    /// Remove what no commit names; without --remove only say what that is
    Gc(Gc),
    /// Read everything and name what is damaged
    Verify,
}

#[derive(clap::Args)]
struct Define {
    /// Name of the group
    name: Name,

    /// A shipped feature set (default, report, no-identity) or a file
    #[arg(long, value_name = "NAME|FILE", default_value = "default")]
    feature_set: String,

    /// A shipped expectation suite (flows) or a file
    #[arg(long, value_name = "NAME|FILE", default_value = "flows")]
    expectations: String,

    /// What is done with rows that fail an expectation: strict, quarantine or always
    #[arg(long, value_name = "POLICY", default_value = "quarantine", value_parser = policy)]
    policy: weir_contract::expectation::Policy,

    /// One line for people
    #[arg(long, value_name = "TEXT", default_value = "")]
    description: String,

    /// Seed of the splits
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
}

#[derive(clap::Args)]
struct Insert {
    /// The group, as NAME or NAME:VERSION
    group: String,

    /// Flow files of any known format
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Format of the flow files [default: recognised by their first bytes]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,

    /// One line for people
    #[arg(long, short, value_name = "TEXT", default_value = "")]
    message: String,

    /// MiB of records held in memory; what is more goes to a temporary file
    #[arg(long, value_name = "MIB", default_value_t = weir_features::DEFAULT_MEMORY, value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    memory: u64,

    /// Directory for temporary files [default: where the store is, or the current one]
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
}

#[derive(clap::Args)]
struct Label {
    /// The group, as NAME or NAME:VERSION
    group: String,

    /// Tables (flow_id,label,attack) or rules in TOML
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// One line for people
    #[arg(long, short, value_name = "TEXT", default_value = "")]
    message: String,
}

#[derive(clap::Args)]
struct Group {
    /// The group, as NAME or NAME:VERSION
    group: String,
}

#[derive(clap::Args)]
struct GroupAt {
    /// The group, as NAME or NAME:VERSION
    group: String,

    /// As of a commit (its number), or a time such as 2026-11-21T00:00:00Z [default: the last commit]
    #[arg(long, value_name = "COMMIT|TIME")]
    as_of: Option<AsOf>,
}

#[derive(clap::Args)]
struct Diff {
    /// The group, as NAME or NAME:VERSION
    group: String,

    /// The earlier commit: its number or a time
    from: AsOf,

    /// The later one
    #[arg(default_value = "head")]
    to: AsOf,
}

#[derive(clap::Args)]
struct Dataset {
    /// The group, as NAME or NAME:VERSION
    group: String,

    /// Name of the dataset
    name: Name,

    /// Rows and labels as of a commit (its number) or a time
    #[arg(long, value_name = "COMMIT|TIME", default_value = "head")]
    as_of: AsOf,

    /// Directory of the feature tables
    #[arg(long, value_name = "DIR", default_value = "weir-run/features")]
    out: PathBuf,

    /// Parameter file for shares and kind of the split [default: built in]
    #[arg(long, value_name = "FILE")]
    params: Option<PathBuf>,

    /// Set one parameter, as in --set features.split=time
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,

    /// One line for people
    #[arg(long, short, value_name = "TEXT", default_value = "")]
    message: String,

    /// MiB of records held in memory; what is more goes to a temporary file
    #[arg(long, value_name = "MIB", default_value_t = weir_features::DEFAULT_MEMORY, value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    memory: u64,
}

#[derive(clap::Args)]
struct Lineage {
    /// The dataset, as NAME or NAME:VERSION
    #[arg(required_unless_present_any = ["source", "artifact"])]
    dataset: Option<String>,

    /// A flow file: which datasets hold its rows
    #[arg(long, value_name = "FILE", conflicts_with = "dataset")]
    source: Option<PathBuf>,

    /// A directory of feature tables: which datasets it is
    #[arg(long, value_name = "DIR", conflicts_with_all = ["dataset", "source"])]
    artifact: Option<PathBuf>,
}

#[derive(clap::Args)]
struct Gc {
    /// Remove it
    #[arg(long)]
    remove: bool,

    /// Hours that something has to have lain there, since a writer stores before it commits
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    grace: u64,
}

fn policy(text: &str) -> Result<weir_contract::expectation::Policy, String> {
    serde_json::from_value(text.into()).map_err(|_| "expected strict, quarantine or always".to_owned())
}

pub(crate) fn command(args: Args, stage: &Stage) -> Result<(), Failure> {
    let access = reach::access(&args.store, stage);
    if matches!(args.action, Action::Init) {
        let store = weir_store::Store::init(&args.store, &access)?;
        let result = serde_json::json!({"store": store.location()});
        return stage.result(&result, || store.location().to_owned());
    }
    let store = weir_store::Store::open(&args.store, &access)?;
    match args.action {
        Action::Init => Ok(()),
        Action::Define(define) => add::define(&store, define, stage),
        Action::Insert(insert) => add::insert(&store, &args.store, insert, stage),
        Action::Label(label) => add::label(&store, label, stage),
        Action::Dataset(dataset) => add::dataset(&store, dataset, stage),
        Action::Groups => look::groups(&store, stage),
        Action::Commits(group) => look::commits(&store, &group, stage),
        Action::Show(group) => look::show(&store, &group, stage),
        Action::Diff(diff) => look::diff(&store, &diff, stage),
        Action::Statistics(group) => look::statistics(&store, &group, stage),
        Action::Datasets => look::datasets(&store, stage),
        Action::Lineage(lineage) => look::lineage(&store, &lineage, stage),
        Action::Gc(gc) => look::gc(&store, &gc, stage),
        Action::Verify => look::verify(&store, stage),
    }
}
