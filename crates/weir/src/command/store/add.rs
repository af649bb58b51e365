//! What adds to a store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde_json::json;
use weir_artifact::digest_file;
use weir_contract::feature::FeatureSchema;
use weir_contract::{Digest, FlowBatch, Seed};
use weir_features::{Documents, FeaturesParams, Ingest, Ingested, Request, ingest, shipped_or_file};
use weir_stage::{DEFAULT_PARAMS, Failure, Params, Stage};
use weir_store::{
    Applied, Classes, Commit, Document, FeatureNote, Group, GroupDefinition, Inserted, Labelled, Location, NewData,
    NewDataset, NewInsert, NewLabels, Note, Source, Store, Time, show,
};

pub(super) fn define(store: &Store, args: super::Define, stage: &Stage) -> Result<(), Failure> {
    let (set_origin, set_text) = shipped_or_file("feature set", &args.feature_set, &weir_transform::SHIPPED)?;
    let (suite_origin, suite_text) =
        shipped_or_file("expectation suite", &args.expectations, &weir_expectations::SHIPPED)?;
    let set = weir_transform::FeatureSet::parse(&set_text, &set_origin)?;
    let suite = weir_expectations::Checked::parse(&suite_text, &suite_origin)?;
    let features = set.features().iter().map(|feature| FeatureNote {
        name: feature.name.clone(),
        expression: feature.expression.clone(),
        unit: feature.unit.clone(),
        description: feature.description.clone(),
        identifies: feature.identifies,
    });
    let definition = GroupDefinition {
        name: args.name,
        description: args.description,
        features: features.collect(),
        feature_set: Document::new(set.name(), set_text.clone()),
        suite: Some(Document::new(suite.suite().name.clone(), suite_text)),
        policy: args.policy,
        seed: Seed(args.seed),
    };
    let defined = store.define_group(&definition, Time::now())?;
    stage.result(defined.group(), || show::group(defined.group()))
}

pub(super) fn insert(store: &Store, location: &Location, args: super::Insert, stage: &Stage) -> Result<(), Failure> {
    let group = store.find_group(&args.group)?;
    let mut files = Vec::new();
    let mut seen = BTreeMap::new();
    for path in args.files {
        let digest = digest_file(&path)?;
        match seen.insert(digest, path.clone()) {
            Some(first) => stage.note(format!("{} is the same file as {}", path.display(), first.display())),
            None => files.push((path, digest)),
        }
    }
    let work = args.work.unwrap_or_else(|| match location {
        Location::Directory(store) => store.parent().map_or_else(PathBuf::new, Path::to_owned),
        Location::S3 { .. } => PathBuf::new(),
    });
    let (params, documents) = of_group(&group, FeaturesParams::default());
    loop {
        let digests: Vec<Digest> = files.iter().map(|(_, digest)| *digest).collect();
        for known in store.known_sources(&group.key(), &digests)? {
            stage.note(format!("{} is in commit {} already", known.source.name, known.commit));
            files.retain(|(_, digest)| *digest != known.source.sha256);
        }
        if files.is_empty() {
            let result = json!({"group": group.key().to_string(), "unchanged": true});
            return stage.result(&result, || format!("{} has all of these files already", group.key()));
        }
        let paths: Vec<PathBuf> = files.iter().map(|(path, _)| path.clone()).collect();
        let ingested = ingest(
            &Ingest {
                data: &paths,
                format: args.format,
                params: &params,
                documents: &documents,
                seed: group.definition.seed,
                memory: (args.memory as usize) << 20,
                work: &work,
            },
            stage,
        )?;
        match store.insert(&group.key(), &new_insert(&ingested, &files)?, &note(&args.message))? {
            Inserted::Committed(commit) => return stage.result(&commit, || show::commit(&commit)),
            // Another writer was faster with some of the files: the others are brought in again.
            Inserted::Unchanged(_) | Inserted::Overlap(_) => {}
        }
    }
}

fn new_insert<'a>(ingested: &'a Ingested, files: &[(PathBuf, Digest)]) -> Result<NewInsert<'a>, Failure> {
    let mut sources = Vec::new();
    for ((path, digest), read) in files.iter().zip(&ingested.digests) {
        if digest != read {
            return Err(Failure::retry(format!("{} changed while it was read", path.display()))
                .hint("run again when the file is complete"));
        }
        let size = path.metadata().map_or(0, |data| data.len());
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        sources.push(Source { name, sha256: *digest, size });
    }
    let all = &ingested.statistics.splits[0];
    let classes = Classes {
        benign: all.benign,
        malicious: all.malicious,
        unlabelled: all.unlabelled,
        attacks: all.attacks.clone(),
    };
    let data = NewData {
        path: ingested.flows(),
        rows: ingested.account.kept,
        event_time: ingested.statistics.event_time,
        classes,
    };
    let set_aside = ingested.account.quarantined > 0;
    Ok(NewInsert {
        data: vec![data],
        sources,
        rows: ingested.account.clone(),
        statistics: Some(&ingested.statistics),
        schema: Some(&ingested.schema),
        expectations: Some(&ingested.expectations),
        quarantine: set_aside.then(|| ingested.quarantine()),
    })
}

pub(super) fn label(store: &Store, args: super::Label, stage: &Stage) -> Result<(), Failure> {
    let group = store.find_group(&args.group)?.key();
    match store.add_labels(&group, &NewLabels { files: args.files }, &note(&args.message))? {
        Labelled::Committed(commit) => stage.result(&commit, || show::commit(&commit)),
        Labelled::Unchanged(number) => {
            let result = json!({"group": group.to_string(), "unchanged": true, "commit": number});
            stage.result(&result, || format!("{group} has just these labels since commit {number}"))
        }
    }
}

pub(super) fn dataset(store: &Store, args: super::Dataset, stage: &Stage) -> Result<(), Failure> {
    let key = store.find_group(&args.group)?.key();
    let snapshot = store.snapshot(&key, args.as_of)?;
    let params = Params::load(args.params.as_deref(), DEFAULT_PARAMS, &args.set)?;
    let (params, documents) = of_group(&snapshot.group, params.section("features")?);
    let files = snapshot.files.iter().map(|file| store.fetch(&file.data.object, &file.owner));
    let applied: Mutex<Option<Applied>> = Mutex::default();
    let relabel = |flows: &mut FlowBatch| {
        let some = snapshot.labels.apply(flows);
        let mut all = applied.lock().expect("no thread panicked");
        match &mut *all {
            Some(all) => all.add(&some),
            None => *all = Some(some),
        }
    };
    let request = Request {
        data: files.collect::<Result<_, _>>()?,
        format: None,
        labels: if snapshot.labels.is_empty() { None } else { Some((snapshot.id(), &relabel)) },
        out: args.out,
        params,
        documents,
        seed: snapshot.group.definition.seed,
        memory: (args.memory as usize) << 20,
    };
    let outcome = weir_features::run(&request, stage)?;
    if let Some(applied) = &*applied.lock().expect("no thread panicked") {
        stage.note(in_words(applied));
    }
    let features = &request.params;
    let new = NewDataset {
        name: args.name,
        group: key,
        commit: snapshot.head().number,
        split: json!({"split": features.split, "train": features.train, "test": features.test}),
        seed: request.seed,
        artifact: outcome.artifact.digest(),
        place: outcome.artifact.dir().display().to_string(),
        rows: outcome.artifact.manifest().rows.clone(),
        build: outcome.artifact.manifest().build.clone(),
        message: args.message,
    };
    let dataset = store.create_dataset(&new, Time::now())?;
    stage.result(&dataset, || show::datasets(std::slice::from_ref(&dataset)))
}

/// Parameters and documents of a group: its own feature set, suite and policy.
fn of_group(group: &Group, params: FeaturesParams) -> (FeaturesParams, Documents) {
    let definition = &group.definition;
    let text = |document: &Document| Some((document.name.clone(), document.text.clone()));
    let documents = Documents {
        feature_set: text(&definition.feature_set),
        expectations: definition.suite.as_ref().and_then(text),
    };
    let params = FeaturesParams {
        feature_set: definition.feature_set.name.clone(),
        expectations: definition.suite.as_ref().map_or(params.expectations, |suite| suite.name.clone()),
        policy: definition.policy,
        ..params
    };
    (params, documents)
}

/// The features of a group as one commit described them.
pub(super) fn schema(store: &Store, commits: &[Commit]) -> Result<Option<FeatureSchema>, Failure> {
    match commits.iter().rev().find(|commit| commit.insert().is_some()) {
        Some(commit) => Ok(store.schema(commit)?),
        None => Ok(None),
    }
}

fn note(message: &str) -> Note {
    Note { time: Time::now(), build: env!("CARGO_PKG_VERSION").to_owned(), message: message.to_owned() }
}

fn in_words(applied: &Applied) -> String {
    let mut text = format!("labels: {} flows keep what they have", applied.kept);
    for layer in &applied.layers {
        text += &format!("; {} by flow id, {} by default", layer.ids, layer.default);
        for (rule, flows) in &layer.rules {
            text += &format!(", {flows} by {rule}");
        }
    }
    text
}
