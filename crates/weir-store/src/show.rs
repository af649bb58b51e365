//! The same for people: plain text tables of what the types of this crate hold. For programs they all serialise.

use std::fmt::Write;

use weir_contract::feature::{FeatureSchema, FeatureStatistics};

#[cfg(doc)]
use crate::Store;
use crate::commit::Change;
use crate::{Classes, Commit, Dataset, Diff, FeatureChange, GcReport, Group, Lineage, Problem};

/// One line per version of a group; `head` is the last commit of each.
#[must_use]
pub fn groups(groups: &[(Group, Option<Commit>)]) -> String {
    let rows = groups.iter().map(|(group, head)| {
        let definition = &group.definition;
        let (commits, time) = head.as_ref().map_or((0, "-".to_owned()), |head| (head.number, head.time.to_string()));
        let suite = definition.suite.as_ref().map_or("-", |suite| suite.name.as_str());
        vec![
            group.key().to_string(),
            commits.to_string(),
            time,
            definition.feature_set.name.clone(),
            suite.to_owned(),
            definition.description.clone(),
        ]
    });
    table(&["group", "commits", "last", "feature set", "suite", "description"], rows)
}

/// A version of a group with its features.
#[must_use]
pub fn group(group: &Group) -> String {
    let definition = &group.definition;
    let mut text = format!("group       {}\ndescription {}\n", group.key(), definition.description);
    let _ = writeln!(text, "defined     {}\nseed        {}", group.time, definition.seed);
    let document = |what: &str, document: &crate::Document| format!("{what} {} ({})\n", document.name, document.sha256);
    text += &document("feature set", &definition.feature_set);
    if let Some(suite) = &definition.suite {
        text += &document("suite      ", suite);
    }
    let rows = definition.features.iter().map(|feature| {
        let identifies = feature.identifies.map_or("", weir_contract::feature::Identifies::name);
        vec![feature.name.clone(), feature.unit.clone(), identifies.to_owned(), feature.description.clone()]
    });
    text + "\n" + &table(&["feature", "unit", "identifies", "description"], rows)
}

/// One line per commit.
#[must_use]
pub fn commits(commits: &[Commit]) -> String {
    let rows = commits.iter().map(|commit| {
        let (kind, content) = match &commit.change {
            Change::Insert(insert) => (
                "insert",
                format!("{} of {}", count(insert.rows.kept, "row"), count(insert.sources.len() as u64, "source")),
            ),
            Change::Label(labels) => {
                let entries: u64 = labels.files.iter().map(|file| file.entries).sum();
                ("label", format!("{} in {}", count(entries, "entry"), count(labels.files.len() as u64, "file")))
            }
        };
        let (number, time) = (commit.number.to_string(), commit.time.to_string());
        vec![number, commit.id().short(), time, kind.to_owned(), content, commit.message.clone()]
    });
    table(&["commit", "id", "time", "kind", "content", "message"], rows)
}

/// A commit with its sources, tables and labels.
#[must_use]
pub fn commit(commit: &Commit) -> String {
    let mut text = format!("commit  {} of {}\nid      {}\n", commit.number, commit.group, commit.id());
    let _ = writeln!(text, "time    {}\nbuild   {}\nmessage {}\n", commit.time, commit.build, commit.message);
    match &commit.change {
        Change::Insert(insert) => {
            let rows = &insert.rows;
            let _ = writeln!(
                text,
                "{} records: {} kept, {} quarantined, {} deduplicated, {} excluded\n",
                rows.input,
                rows.kept,
                rows.quarantined,
                rows.deduplicated,
                rows.excluded.values().sum::<u64>()
            );
            let sources = insert.sources.iter();
            let sources =
                sources.map(|source| vec![source.name.clone(), source.size.to_string(), source.sha256.to_string()]);
            text += &table(&["source", "bytes", "sha256"], sources);
            text.push('\n');
            let tables = insert.data.iter().map(|file| {
                let time = |time: Option<i64>| time.map_or("-".to_owned(), |time| crate::Time(time).to_string());
                let (first, last) =
                    (time(file.event_time.map(|time| time.0)), time(file.event_time.map(|time| time.1)));
                vec![file.object.key(), file.rows.to_string(), first, last, classes(&file.classes)]
            });
            text + &table(&["table", "rows", "first", "last", "classes"], tables)
        }
        Change::Label(labels) => {
            let rows = labels.files.iter().map(|file| {
                let form = format!("{:?}", file.form).to_lowercase();
                vec![file.name.clone(), form, file.entries.to_string(), file.object.key()]
            });
            text + &table(&["labels", "form", "entries", "object"], rows)
        }
    }
}

/// Two commits beside each other.
#[must_use]
pub fn diff(diff: &Diff) -> String {
    let side = |side: &crate::DiffSide| format!("{} commit {}", side.group, side.number);
    let mut text = format!("{} -> {}\n", side(&diff.from), side(&diff.to));
    if !diff.definition.is_empty() {
        let _ = writeln!(text, "the definitions differ in: {}", diff.definition.join(", "));
    }
    text.push('\n');
    let (from, to) = (&diff.from, &diff.to);
    let mut counts = vec![
        ("records".to_owned(), from.rows.input, to.rows.input),
        ("rows".to_owned(), from.rows.kept, to.rows.kept),
        ("benign".to_owned(), from.classes.benign, to.classes.benign),
        ("malicious".to_owned(), from.classes.malicious, to.classes.malicious),
        ("unlabelled".to_owned(), from.classes.unlabelled, to.classes.unlabelled),
        ("quarantined".to_owned(), from.rows.quarantined, to.rows.quarantined),
        ("deduplicated".to_owned(), from.rows.deduplicated, to.rows.deduplicated),
    ];
    let attacks: std::collections::BTreeSet<&String> =
        from.classes.attacks.keys().chain(to.classes.attacks.keys()).collect();
    for attack in attacks {
        let rows = |classes: &Classes| classes.attacks.get(attack).copied().unwrap_or(0);
        counts.push((format!("attack {attack}"), rows(&from.classes), rows(&to.classes)));
    }
    let rows = counts.into_iter().map(|(name, from, to)| {
        vec![name, from.to_string(), to.to_string(), format!("{:+}", i128::from(to) - i128::from(from))]
    });
    text += &table(&["", "from", "to", "difference"], rows);
    text.push('\n');
    for (sign, sources) in [("+", &diff.sources_added), ("-", &diff.sources_removed)] {
        sources.iter().for_each(|source| {
            let _ = writeln!(text, "{sign} source {} ({})", source.name, source.sha256.short());
        });
    }
    for (sign, files) in [("+", &diff.files_added), ("-", &diff.files_removed)] {
        files.iter().for_each(|file| {
            let _ = writeln!(text, "{sign} table {} ({} rows)", file.object.sha256.short(), file.rows);
        });
    }
    for (sign, files) in [("+", &diff.labels_added), ("-", &diff.labels_removed)] {
        files.iter().for_each(|file| {
            let _ = writeln!(text, "{sign} labels {} ({})", file.name, count(file.entries, "entry"));
        });
    }
    let rows = diff.features.iter().map(|feature| {
        let change = match feature.change {
            FeatureChange::Same => "",
            FeatureChange::Changed => "changed",
            FeatureChange::Added => "added",
            FeatureChange::Removed => "removed",
        };
        let pair = |value: fn(&FeatureStatistics) -> f64| {
            let number =
                |side: &Option<FeatureStatistics>| side.as_ref().map_or("-".to_owned(), |side| short(value(side)));
            format!("{} -> {}", number(&feature.from), number(&feature.to))
        };
        vec![
            feature.name.clone(),
            change.to_owned(),
            pair(|statistics| statistics.mean),
            pair(|statistics| statistics.standard_deviation),
            pair(|statistics| statistics.quantiles[3]),
            pair(|statistics| statistics.minimum),
            pair(|statistics| statistics.maximum),
        ]
    });
    text + "\n" + &table(&["feature", "definition", "mean", "deviation", "median", "minimum", "maximum"], rows)
}

/// Statistics per feature.
#[must_use]
pub fn statistics(schema: &FeatureSchema) -> String {
    let rows = schema.features.iter().map(|feature| {
        let FeatureStatistics { minimum, maximum, mean, standard_deviation, quantiles, distinct, .. } =
            &feature.statistics;
        let numbers = [*mean, *standard_deviation, *minimum, quantiles[2], quantiles[3], quantiles[4], *maximum];
        let mut cells = vec![feature.name.clone(), feature.unit.clone()];
        cells.extend(numbers.map(short));
        cells.push(distinct.to_string());
        cells
    });
    let head = ["feature", "unit", "mean", "deviation", "minimum", "25 %", "median", "75 %", "maximum", "distinct"];
    format!("{} rows, feature set {}\n\n", schema.rows, schema.feature_set) + &table(&head, rows)
}

/// One line per version of a dataset.
#[must_use]
pub fn datasets(datasets: &[Dataset]) -> String {
    let rows = datasets.iter().map(|dataset| {
        let made = &dataset.made;
        let counts: Vec<String> = made.rows.iter().map(|(name, rows)| format!("{name} {rows}")).collect();
        vec![
            dataset.title(),
            format!("{} commit {}", made.group, made.commit),
            dataset.time.to_string(),
            made.artifact.short(),
            made.place.clone(),
            counts.join(", "),
        ]
    });
    table(&["dataset", "from", "time", "artifact", "place", "rows"], rows)
}

/// From a dataset to its sources.
#[must_use]
pub fn lineage(lineage: &Lineage) -> String {
    let (dataset, made) = (&lineage.dataset, &lineage.dataset.made);
    let mut text = format!("dataset  {}\nartifact {}\nplace    {}\n", dataset.title(), made.artifact, made.place);
    let _ = writeln!(text, "group    {} as of commit {} ({})", made.group, made.commit, dataset.commit_id.short());
    let set = &lineage.group.definition.feature_set;
    let _ = writeln!(text, "features {} ({})\nseed     {}\n", set.name, set.sha256.short(), made.seed);
    let rows = lineage.commits.iter().flat_map(|commit| {
        let line = |kind: &str, name: &str, digest: String| {
            vec![commit.number.to_string(), commit.time.to_string(), kind.to_owned(), name.to_owned(), digest]
        };
        let sources = commit.sources.iter();
        let sources = sources.map(move |source| line("source", &source.name, source.sha256.to_string()));
        let labels = commit.labels.iter();
        sources.chain(labels.map(move |file| line("labels", &file.name, file.object.sha256.to_string())))
    });
    text + &table(&["commit", "time", "kind", "file", "sha256"], rows)
}

/// What was, or would be, removed.
#[must_use]
pub fn gc(report: &GcReport, dry_run: bool) -> String {
    let mut text: String = report.removed.iter().map(|key| format!("{key}\n")).collect();
    let verb = if dry_run { "would be removed" } else { "removed" };
    let files = count(report.removed.len() as u64, "file");
    let _ = writeln!(
        text,
        "{files} of {} bytes {verb}; {} in use, {} young",
        report.bytes, report.referenced, report.young
    );
    text
}

/// What is damaged or lost.
#[must_use]
pub fn problems(problems: &[Problem]) -> String {
    match problems {
        [] => "everything is whole\n".to_owned(),
        some => some.iter().map(|problem| format!("{}\n", problem.reason)).collect(),
    }
}

fn classes(classes: &Classes) -> String {
    format!("{} benign, {} malicious, {} unlabelled", classes.benign, classes.malicious, classes.unlabelled)
}

fn count(number: u64, what: &str) -> String {
    match (number, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {what}s"),
    }
}

/// Four digits, for people.
fn short(value: f64) -> String {
    let size = value.abs();
    if value == value.trunc() && size < 1e6 {
        format!("{value}")
    } else if (1e-3..1e6).contains(&size) {
        format!("{value:.4}")
    } else {
        format!("{value:.3e}")
    }
}

/// Left-aligned columns two blanks apart, without blanks at the ends of lines.
fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut lines = vec![head.iter().map(|&name| name.to_owned()).collect::<Vec<_>>()];
    lines.extend(rows);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}
