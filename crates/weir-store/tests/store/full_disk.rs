//! A disk that is full.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use weir_contract::{Classify, ExitCode};
use weir_store::{Access, Store};

use crate::fixture::{commit, definition, insert_of, location, note, time};

/// A mount that is gone when this is.
struct Mount<'p>(&'p Path);

impl<'p> Mount<'p> {
    fn tmpfs(path: &'p Path, size: &str) -> Option<Self> {
        let options = format!("size={size}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "weir-store-test"]).arg(path).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(path))
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "failed to unmount {}", self.0.display());
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn a_full_disk_is_named_and_nothing_half_done_is_visible() {
    let (disk, work) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let Some(mount) = Mount::tmpfs(disk.path(), "400k") else {
        eprintln!("SKIPPED: only root can mount a small file system");
        return;
    };
    let store = Store::init(&location(&disk.path().join("store")), &Access::default()).unwrap();
    let group = store.define_group(&definition(), time(0)).unwrap().group().key();
    commit(&store, &group, work.path(), 1, &["a"]);

    let mut large = insert_of(work.path(), &["b"]);
    fs::write(&large.data[0].path, vec![7; 1 << 20]).unwrap();
    let error = store.insert(&group, &large, &note(2)).unwrap_err();
    assert_eq!(error.exit_code(), ExitCode::Retry);
    assert!(error.hint().unwrap().contains("make room"), "{error}: {:?}", error.hint());
    assert_eq!(fs::read_dir(disk.path().join("store/tmp")).unwrap().count(), 1, "the lock");

    // Filled to the last byte: the object may fit where its commit does not.
    let mut filled = 0;
    for number in 0..200 {
        let name = format!("c{number}");
        let mut small = insert_of(work.path(), &[&name]);
        fs::write(&small.data[0].path, name.repeat(900)).unwrap();
        small.rows.quarantined = 0;
        match store.insert(&group, &small, &note(3)) {
            Ok(_) => filled += 1,
            Err(error) => {
                assert!(error.hint().unwrap().contains("make room"), "{error}");
                break;
            }
        }
    }
    assert!(filled > 5 && filled < 200, "{filled}");
    assert_eq!(store.commits(&group).unwrap().len(), 1 + filled);
    assert_eq!(store.verify().unwrap(), []);

    // With room again the same insert succeeds.
    drop(large.data[0].path.metadata());
    let resized = Command::new("mount").args(["-o", "remount,size=4m"]).arg(disk.path()).status().unwrap();
    assert!(resized.success());
    large.sources[0].name = "b again.csv".to_owned();
    store.insert(&group, &large, &note(4)).unwrap();
    assert_eq!(store.verify().unwrap(), []);
    drop(mount);
}
