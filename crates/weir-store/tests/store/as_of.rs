//! Reading as of a commit or a time.

use weir_store::AsOf;

use crate::fixture::{Fixture, time};

#[test]
fn a_snapshot_is_that_of_its_commit_or_of_the_last_one_not_later() {
    let fixture = Fixture::new();
    fixture.commit(10, &["a"]);
    fixture.commit(20, &["b"]);
    fixture.commit(20, &["c"]);
    fixture.commit(30, &["d"]);
    let commits = |as_of| fixture.store.snapshot(&fixture.group, as_of).map(|snapshot| snapshot.commits.len()).ok();
    assert_eq!(commits(AsOf::Head), Some(4));
    assert_eq!(commits(AsOf::Commit(2)), Some(2));
    assert_eq!(commits(AsOf::Commit(5)), None);
    assert_eq!(commits(AsOf::Commit(0)), None);
    assert_eq!(commits(AsOf::Time(time(9))), None);
    assert_eq!(commits(AsOf::Time(time(10))), Some(1));
    assert_eq!(commits(AsOf::Time(time(20))), Some(3), "both of that moment");
    assert_eq!(commits(AsOf::Time(time(29))), Some(3));
    assert_eq!(commits(AsOf::Time(time(99))), Some(4));
}

#[test]
fn a_snapshot_holds_the_files_of_its_commits_in_their_order() {
    let fixture = Fixture::new();
    fixture.commit(1, &["b"]);
    fixture.commit(2, &["a"]);
    let snapshot = fixture.store.snapshot(&fixture.group, AsOf::Head).unwrap();
    let texts: Vec<String> = snapshot
        .files
        .iter()
        .map(|file| std::fs::read_to_string(fixture.store.fetch(&file.data.object, &file.owner).unwrap()).unwrap())
        .collect();
    assert_eq!(texts, ["rows of b", "rows of a"]);
    assert_eq!(snapshot.id(), snapshot.commits[1].id());
}

#[test]
fn an_unknown_moment_is_refused_with_the_known_ones() {
    use weir_contract::Classify;
    let fixture = Fixture::new();
    let error = fixture.store.snapshot(&fixture.group, AsOf::Head).unwrap_err();
    assert!(error.to_string().contains("no commit of flows:1"), "{error}");
    fixture.commit(1, &["a"]);
    let error = fixture.store.snapshot(&fixture.group, AsOf::Time(time(0))).unwrap_err();
    assert!(error.hint().unwrap().contains("1 (2026-11-21T00:01:00Z)"), "{:?}", error.hint());
}

#[test]
fn as_of_is_written_as_head_a_number_or_a_time() {
    for (text, as_of) in
        [("head", AsOf::Head), ("12", AsOf::Commit(12)), ("2026-11-21T00:10:00Z", AsOf::Time(time(10)))]
    {
        assert_eq!(text.parse(), Ok(as_of));
        assert_eq!(as_of.to_string(), text);
    }
    assert_eq!("2026-11-21".parse(), Ok(AsOf::Time(time(0))));
    assert!("yesterday".parse::<AsOf>().is_err());
}
