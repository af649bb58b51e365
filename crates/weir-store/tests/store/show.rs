//! The words for people.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use weir_contract::{Digest, Seed};
use weir_store::{AsOf, Grace, NewDataset, show};

use crate::fixture::{Fixture, schema, time};

#[test]
fn groups_and_commits_are_one_line_each() {
    let fixture = Fixture::new();
    fixture.commit(1, &["a", "b"]);
    let head = fixture.commit(2, &["c"]);
    let commits = fixture.store.commits(&fixture.group).unwrap();
    let ids: Vec<String> = commits.iter().map(|commit| commit.id().short()).collect();
    let expected = format!(
        "commit  id            time                  kind    content              message\n\
         1       {}  2026-11-21T00:01:00Z  insert  2 rows of 2 sources  minute 1\n\
         2       {}  2026-11-21T00:02:00Z  insert  1 row of 1 source    minute 2\n",
        ids[0], ids[1]
    );
    assert_eq!(show::commits(&commits), expected);

    let group = fixture.store.group(&fixture.group).unwrap();
    assert_eq!(
        show::groups(&[(group.clone(), Some(head))]),
        "group    commits  last                  feature set  suite  description\n\
         flows:1  2        2026-11-21T00:02:00Z  default      -      flows of the small cluster\n"
    );
    assert!(show::group(&group).contains("bytes    bytes              bytes in both directions\n"));
}

#[test]
fn a_commit_names_its_sources_and_tables() {
    let fixture = Fixture::new();
    let commit = fixture.commit(1, &["a"]);
    let text = show::commit(&commit);
    assert!(text.contains("1 records: 1 kept, 0 quarantined, 0 deduplicated, 0 excluded\n"), "{text}");
    assert!(text.contains(&format!("a.csv   1      {}\n", Digest::of(b"a"))), "{text}");
    assert!(text.contains("1 benign, 0 malicious, 0 unlabelled\n"), "{text}");
}

#[test]
fn a_diff_names_differences_with_their_sign() {
    let fixture = Fixture::new();
    fixture.commit(1, &["a"]);
    fixture.commit(2, &["b", "c"]);
    let group = &fixture.group;
    let diff = fixture.store.diff((group, AsOf::Commit(1)), (group, AsOf::Head)).unwrap();
    let text = show::diff(&diff);
    assert!(text.starts_with("flows:1 commit 1 -> flows:1 commit 2\n"), "{text}");
    assert!(text.contains("rows          1     3   +2\n"), "{text}");
    assert!(text.contains(&format!("+ source b.csv ({})\n", Digest::of(b"b").short())), "{text}");
}

#[test]
fn datasets_lineage_statistics_and_gc_are_tables() {
    let fixture = Fixture::new();
    fixture.commit(1, &["a"]);
    let new = NewDataset {
        name: "daily".parse().unwrap(),
        group: fixture.group.clone(),
        commit: 1,
        split: Value::Null,
        seed: Seed(42),
        artifact: Digest::of(b"artifact"),
        place: "runs/1/features".to_owned(),
        rows: BTreeMap::from([("test".to_owned(), 2), ("train".to_owned(), 7)]),
        build: String::new(),
        message: String::new(),
    };
    let dataset = fixture.store.create_dataset(&new, time(2)).unwrap();
    assert!(show::datasets(std::slice::from_ref(&dataset)).contains("runs/1/features  test 2, train 7\n"));
    let lineage = show::lineage(&fixture.store.lineage(&dataset).unwrap());
    assert!(
        lineage.contains(&format!("1       2026-11-21T00:01:00Z  source  a.csv  {}\n", Digest::of(b"a"))),
        "{lineage}"
    );
    let statistics = show::statistics(&schema("bytes", 2.5));
    assert!(
        statistics.contains("bytes    1     2.5000  1.5000     0        1     2.5000  4     10       7\n"),
        "{statistics}"
    );
    let report = fixture.store.gc(Grace(Duration::ZERO), time(0), true).unwrap();
    assert_eq!(show::gc(&report, true), "0 files of 0 bytes would be removed; 1 in use, 0 young\n");
    assert_eq!(show::problems(&[]), "everything is whole\n");
}
