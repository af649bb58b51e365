//! What looks at a store.

use std::time::Duration;

use weir_artifact::{Artifact, digest_file};
use weir_stage::{Failure, Stage};
use weir_store::{AsOf, Commit, Grace, Store, Time, show};

use super::add::schema;

pub(super) fn groups(store: &Store, stage: &Stage) -> Result<(), Failure> {
    let mut groups = Vec::new();
    for group in store.groups()? {
        let head: Option<Commit> = store.commits(&group.key())?.pop();
        groups.push((group, head));
    }
    stage.result(&groups, || show::groups(&groups))
}

pub(super) fn commits(store: &Store, args: &super::Group, stage: &Stage) -> Result<(), Failure> {
    let commits = store.commits(&store.find_group(&args.group)?.key())?;
    stage.result(&commits, || show::commits(&commits))
}

pub(super) fn show(store: &Store, args: &super::GroupAt, stage: &Stage) -> Result<(), Failure> {
    let group = store.find_group(&args.group)?;
    match args.as_of {
        None => stage.result(&group, || show::group(&group)),
        Some(as_of) => {
            let commits = store.commits_as_of(&group.key(), as_of)?;
            let commit = commits.last().expect("a state of a group has a commit");
            stage.result(commit, || show::commit(commit))
        }
    }
}

pub(super) fn diff(store: &Store, args: &super::Diff, stage: &Stage) -> Result<(), Failure> {
    let key = store.find_group(&args.group)?.key();
    let diff = store.diff((&key, args.from), (&key, args.to))?;
    stage.result(&diff, || show::diff(&diff))
}

pub(super) fn statistics(store: &Store, args: &super::GroupAt, stage: &Stage) -> Result<(), Failure> {
    let key = store.find_group(&args.group)?.key();
    let commits = store.commits_as_of(&key, args.as_of.unwrap_or(AsOf::Head))?;
    match schema(store, &commits)? {
        Some(schema) => stage.result(&schema, || show::statistics(&schema)),
        None => Err(Failure::usage(format!("{key} has no commit with statistics")).hint("insert flows first")),
    }
}

pub(super) fn datasets(store: &Store, stage: &Stage) -> Result<(), Failure> {
    let datasets = store.datasets()?;
    stage.result(&datasets, || show::datasets(&datasets))
}

pub(super) fn lineage(store: &Store, args: &super::Lineage, stage: &Stage) -> Result<(), Failure> {
    let datasets = match (&args.dataset, &args.source, &args.artifact) {
        (Some(name), ..) => {
            let lineage = store.lineage(&store.find_dataset(name)?)?;
            return stage.result(&lineage, || show::lineage(&lineage));
        }
        (None, Some(file), _) => store.datasets_with_source(digest_file(file)?)?,
        (None, None, Some(dir)) => store.datasets_of_artifact(Artifact::open(dir)?.digest())?,
        (None, None, None) => Vec::new(),
    };
    stage.result(&datasets, || show::datasets(&datasets))
}

pub(super) fn gc(store: &Store, args: &super::Gc, stage: &Stage) -> Result<(), Failure> {
    let grace = Grace(Duration::from_secs(args.grace.saturating_mul(3600)));
    let report = store.gc(grace, Time::now(), !args.remove)?;
    stage.result(&report, || show::gc(&report, !args.remove))
}

pub(super) fn verify(store: &Store, stage: &Stage) -> Result<(), Failure> {
    let problems = store.verify()?;
    stage.result(&problems, || show::problems(&problems))?;
    match problems.len() {
        0 => Ok(()),
        count => Err(Failure::input(format!("{count} objects or files of the store are damaged or lost"))
            .hint("restore them from a copy, or insert their sources into a new group")),
    }
}
