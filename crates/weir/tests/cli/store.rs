//! The feature store, from the command line to the tables.

use std::path::Path;
use std::process::Command;

use weir_tables::FeatureTable;
use weir_testkit::{Output, TempRun};

use crate::{flows, text, weir};

fn store(temp: &TempRun, arguments: &[&str]) -> Output {
    let location = temp.join("store");
    let mut all = vec!["store", "--store", text(&location)];
    all.extend(arguments);
    weir(all)
}

fn rows(out: &Path) -> usize {
    let tables = ["train.parquet", "test.parquet", "validation.parquet"];
    tables.iter().map(|name| FeatureTable::read(&out.join(name), &[]).unwrap().rows()).sum()
}

#[test]
fn flows_become_commits_and_commits_a_training_dataset() {
    let temp = TempRun::new();
    let [first, second] = ["first", "second"].map(|name| {
        let path = temp.join(&format!("{name}.csv"));
        let seed = if name == "first" { "1" } else { "2" };
        weir(["simulate", "flows", "--rows", "3000", "--seed", seed, "--out", text(&path)]).ok();
        path
    });
    store(&temp, &["init"]).ok();
    store(&temp, &["define", "flows", "--description", "flows of the cluster"]).ok();
    store(&temp, &["insert", "flows", text(&first), "-m", "first day"]).ok();
    let again = store(&temp, &["insert", "flows", text(&first)]).ok();
    assert!(again.stdout.contains("has all of these files already"), "{}", again.stdout);
    store(&temp, &["insert", "flows", text(&first), text(&second)]).ok();
    let commits = store(&temp, &["commits", "flows", "--json"]).ok();
    assert_eq!(commits.stdout.matches("\"kind\": \"insert\"").count(), 2, "{}", commits.stdout);

    let (one, both) = (temp.join("one"), temp.join("both"));
    store(&temp, &["dataset", "flows", "daily", "--as-of", "1", "--out", text(&one)]).ok();
    store(&temp, &["dataset", "flows", "daily", "--out", text(&both)]).ok();
    // The tables are those of the files themselves.
    for (data, out, plain) in [(vec![&first], &one, "plain-1"), (vec![&first, &second], &both, "plain-2")] {
        let plain = temp.join(plain);
        let mut arguments = vec!["features", "--out", text(&plain), "--data"];
        arguments.extend(data.iter().map(|path| text(path)));
        weir(arguments).ok();
        assert_eq!(rows(out), rows(&plain));
        for name in ["train.parquet", "test.parquet", "features.json"] {
            assert_eq!(std::fs::read(out.join(name)).unwrap(), std::fs::read(plain.join(name)).unwrap(), "{name}");
        }
    }
    let lineage = store(&temp, &["lineage", "daily"]).ok();
    assert!(lineage.stdout.contains("first.csv") && lineage.stdout.contains("second.csv"), "{}", lineage.stdout);
    let lineage = store(&temp, &["lineage", "--source", text(&second)]).ok();
    assert!(lineage.stdout.contains("daily:2") && !lineage.stdout.contains("daily:1"), "{}", lineage.stdout);
    let diff = store(&temp, &["diff", "flows", "1", "2"]).ok();
    assert!(diff.stdout.contains("second.csv"), "{}", diff.stdout);
    assert!(store(&temp, &["statistics", "flows"]).ok().stdout.contains("bytes"));
    store(&temp, &["verify"]).ok();
}

#[test]
fn labels_attach_later_and_unlabelled_flows_wait() {
    let temp = TempRun::new();
    let labelled = flows(&temp, 2_000);
    let csv = std::fs::read_to_string(&labelled).unwrap();
    // The same flows without the last columns' words.
    let bare = temp.join("bare.csv");
    let bare_csv = csv.replace(",malicious", ",").replace(",benign", ",");
    std::fs::write(&bare, bare_csv).unwrap();
    store(&temp, &["init"]).ok();
    store(&temp, &["define", "flows"]).ok();
    store(&temp, &["insert", "flows", text(&bare)]).ok();
    let commit = store(&temp, &["show", "flows", "--as-of", "1"]).ok();
    assert!(commit.stdout.contains("unlabelled"), "{}", commit.stdout);
    let none = store(&temp, &["dataset", "flows", "none", "--out", text(&temp.join("none"))]);
    assert_eq!(none.code, Some(3));
    assert!(none.stderr.contains("unlabelled"), "{}", none.stderr);
    let rules = temp.join("rules.toml");
    std::fs::write(
        &rules,
        "default = \"benign\"\n\n[[rule]]\ndestination_port = \"0-1023\"\ntransport = \"tcp\"\nlabel = \"malicious\"\nattack = \"x\"\n",
    )
    .unwrap();
    store(&temp, &["label", "flows", text(&rules)]).ok();
    let out = temp.join("labelled");
    store(&temp, &["dataset", "flows", "ruled", "--out", text(&out)]).ok();
    let flows = weir_tables::read_flows(&out.join("flows-test.parquet")).unwrap();
    assert!(!flows.is_empty());
    for row in 0..flows.len() {
        let flow = flows.flow(row);
        let ruled =
            flow.transport == weir_contract::Transport::Tcp && flow.destination_port.is_some_and(|port| port < 1024);
        let expected = if ruled { weir_contract::Label::Malicious } else { weir_contract::Label::Benign };
        assert_eq!(flow.label, Some(expected), "{flow:?}");
    }
}

#[test]
fn damage_is_found_and_named() {
    let temp = TempRun::new();
    let data = flows(&temp, 1_500);
    store(&temp, &["init"]).ok();
    store(&temp, &["define", "flows"]).ok();
    store(&temp, &["insert", "flows", text(&data)]).ok();
    let objects = temp.join("store").join("objects");
    let parquet = std::fs::read_dir(&objects)
        .unwrap()
        .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap())
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|extension| extension == "parquet"))
        .unwrap();
    let whole = std::fs::read(&parquet).unwrap();
    let name = parquet.file_name().unwrap().to_str().unwrap().to_owned();
    let mut flipped = whole.clone();
    flipped[whole.len() / 3] ^= 4;
    for bad in [&flipped[..], &whole[..whole.len() - 10]] {
        let mut permissions = std::fs::metadata(&parquet).unwrap().permissions();
        #[expect(clippy::permissions_set_readonly_false, reason = "a test damages what is read-only")]
        permissions.set_readonly(false);
        std::fs::set_permissions(&parquet, permissions).unwrap();
        std::fs::write(&parquet, bad).unwrap();
        let verify = store(&temp, &["verify"]);
        assert!(verify.code == Some(3) && verify.stdout.contains(&name), "{}", verify.stdout);
        let dataset = store(&temp, &["dataset", "flows", "daily", "--out", text(&temp.join("out"))]);
        assert!(dataset.code == Some(3) && dataset.stderr.contains(&name), "{}", dataset.stderr);
        assert!(!temp.join("out").exists());
    }
}

/// A directory of one MiB, unmounted at the end; `None` where mounting is not allowed.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    #[expect(clippy::print_stderr, reason = "a skipped test has to be seen")]
    fn mount(dir: std::path::PathBuf) -> Option<Self> {
        std::fs::create_dir(&dir).unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"]).arg(&dir).output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Self(dir));
        }
        eprintln!("SKIPPED: a small disk cannot be mounted here");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_leaves_the_store_as_it_was() {
    let temp = TempRun::new();
    let (small, large) = (temp.join("small.csv"), temp.join("large.csv"));
    for (path, rows) in [(&small, "500"), (&large, "60000")] {
        weir(["simulate", "flows", "--rows", rows, "--out", text(path)]).ok();
    }
    let Some(disk) = SmallDisk::mount(temp.join("disk")) else { return };
    let location = disk.0.join("store");
    let store = |arguments: &[&str]| {
        let mut all = vec!["store", "--store", text(&location)];
        all.extend(arguments);
        weir(all)
    };
    store(&["init"]).ok();
    store(&["define", "flows"]).ok();
    store(&["insert", "flows", text(&small)]).ok();
    // Neither the spilled records nor the tables have room.
    let full = store(&["insert", "flows", text(&large), "--memory", "1"]);
    assert_eq!(full.code, Some(1), "{}", full.stderr);
    assert!(full.stderr.contains("No space left"), "{}", full.stderr);
    store(&["verify"]).ok();
    assert_eq!(store(&["commits", "flows", "--json"]).ok().stdout.matches("\"kind\"").count(), 1);
    assert_eq!(std::fs::read_dir(&disk.0).unwrap().count(), 1, "nothing but the store is left");
}

#[test]
fn a_killed_insert_leaves_the_store_as_it_was_and_the_next_one_ends_as_any() {
    let temp = TempRun::new();
    let data = flows(&temp, 30_000);
    store(&temp, &["init"]).ok();
    store(&temp, &["define", "flows"]).ok();
    let location = temp.join("store");
    for delay in [5, 20, 40, 60, 80, 110, 150, 200] {
        let mut insert = Command::new(env!("CARGO_BIN_EXE_weir"))
            .args(["store", "--store", text(&location), "insert", "flows", text(&data), "--quiet"])
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(delay));
        insert.kill().unwrap();
        insert.wait().unwrap();
        store(&temp, &["verify"]).ok();
    }
    store(&temp, &["insert", "flows", text(&data)]).ok();
    assert_eq!(store(&temp, &["commits", "flows", "--json"]).ok().stdout.matches("\"kind\"").count(), 1);
    let (stored, plain) = (temp.join("stored"), temp.join("plain"));
    store(&temp, &["dataset", "flows", "daily", "--out", text(&stored)]).ok();
    weir(["features", "--data", text(&data), "--out", text(&plain)]).ok();
    let train = |out: &Path| std::fs::read(out.join("train.parquet")).unwrap();
    assert_eq!(train(&stored), train(&plain));
}
