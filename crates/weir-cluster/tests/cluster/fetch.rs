//! `weir submit --out`: the package of a run, from a volume and from a bucket. The package is one that `weir run` has
//! made, in the run directory `WEIR_TEST_RUN`; the bucket is on the S3 server `WEIR_TEST_S3`, as `tests/s3.sh` of
//! weir-store has it (credentials weir-test and weir-test-secret, bucket weir-test, its directory in
//! `WEIR_TEST_S3_ROOT`). Without them the tests say so and do nothing.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use weir_testkit::tree_digests;

use crate::fixture::{Home, RUN, World, news, permissions, step, with_values, workflow};
use crate::server::{Piece, Reply, Server};

/// The package of a real run.
fn package() -> Option<PathBuf> {
    let dir = std::env::var_os("WEIR_TEST_RUN").map(|run| Path::new(&run).join("package"));
    if dir.is_none() {
        skipped("WEIR_TEST_RUN is not set to a directory that `weir run` has made");
    }
    dir
}

#[expect(clippy::print_stderr, reason = "whoever runs the tests has to know")]
fn skipped(why: &str) {
    eprintln!("SKIPPED: {why}");
}

fn digest(package: &Path) -> String {
    weir_artifact::Artifact::open(package).unwrap().digest().to_string()
}

/// A run that has packaged, and says which digest its package has.
fn world(digest: &str, repository: Value, key: &str) -> World {
    let mut packaging = with_values(step("packaging", "Succeeded"), &[("digest", digest)]);
    if !key.is_empty() {
        packaging["outputs"]["artifacts"] = json!([{"name": "package", "s3": {"key": key}}]);
    }
    let mut ended = workflow(3, "Succeeded", &[packaging]);
    ended["status"]["artifactRepositoryRef"] = repository;
    ended["spec"]["arguments"] =
        json!({"parameters": [{"name": "registry", "value": "reg:5000"}, {"name": "tag", "value": "9"}]});
    World::new(workflow(2, "Running", &[]), vec![vec![news(ended), Piece::Hold]])
}

/// A cluster whose pod reads the volume: its log is what `weir-cluster export` writes.
fn with_volume(package: &Path, digest: &str) -> Server {
    let exported = Command::new(env!("CARGO_BIN_EXE_weir-cluster")).arg("export").arg(package).output().unwrap();
    assert!(exported.status.success());
    let log = String::from_utf8(exported.stdout).unwrap();
    let world = world(digest, json!({}), "");
    Server::start(move |request| match (request.method.as_str(), request.path.rsplit('/').next().unwrap()) {
        ("POST", "pods") => {
            let mut pod = request.body.clone();
            pod["metadata"]["name"] = json!("weir-export-1");
            Reply::Json(201, pod)
        }
        ("GET", "weir-export-1") => {
            Reply::Json(200, json!({"metadata": {"name": "weir-export-1"}, "status": {"phase": "Succeeded"}}))
        }
        ("DELETE", "weir-export-1") => Reply::Json(200, json!({"metadata": {"name": "weir-export-1"}})),
        ("GET", "log") => Reply::Text(200, log.clone()),
        _ => world.answer(request),
    })
}

#[test]
fn a_package_on_the_volume_arrives_byte_for_byte() {
    let Some(package) = package() else { return };
    let server = with_volume(&package, &digest(&package));
    let home = Home::of(&server);
    let output = home.run(&["submit", "--artifacts=volume", "--out=here"]).ok();
    assert!(
        output.stdout.ends_with("report here/package/report.html\nbundle here/package/bundle\n"),
        "{}",
        output.stdout
    );
    assert_eq!(tree_digests(home.dir.path().join("here/package")), tree_digests(&package));
    let left: Vec<_> =
        std::fs::read_dir(home.dir.path().join("here")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["package"]);
    let pod = server.request("POST", "/pods").body;
    let container = &pod["spec"]["containers"][0];
    assert_eq!(
        (&container["image"], &container["args"]),
        (&json!("reg:5000/weir-cluster:9"), &json!(["export", format!("/weir/runs/{RUN}/package")]))
    );
    server.request("DELETE", "/pods/weir-export-1");
    for verb in ["create", "delete"] {
        assert!(permissions().contains(&("pods".to_owned(), verb.to_owned())));
    }
}

#[test]
fn a_package_that_is_not_the_runs_own_does_not_appear() {
    let Some(package) = package() else { return };
    let server = with_volume(&package, "0000");
    let home = Home::of(&server);
    let output = home.run(&["submit", "--artifacts=volume", "--out=here"]);
    assert_eq!(output.code, Some(3));
    assert!(output.stderr.contains("and the run says 0000"), "{}", output.stderr);
    assert_eq!(std::fs::read_dir(home.dir.path().join("here")).unwrap().count(), 0);
}

#[test]
fn a_package_in_a_bucket_arrives_byte_for_byte() {
    let Some(package) = package() else { return };
    let (Ok(url), Some(root)) = (std::env::var("WEIR_TEST_S3"), std::env::var_os("WEIR_TEST_S3_ROOT")) else {
        skipped("WEIR_TEST_S3 and WEIR_TEST_S3_ROOT are not set");
        return;
    };
    let key = format!("runs/{}/package", std::process::id());
    let target = Path::new(&root).join("weir-test").join(&key);
    std::fs::create_dir_all(&target).unwrap();
    let copied = Command::new("cp").arg("-r").arg(package.join(".")).arg(&target).status().unwrap();
    assert!(copied.success());
    // The address that the cluster has is another one.
    let repository = json!({"artifactRepository": {"s3": {"endpoint": "minio.minio.svc:9000", "bucket": "weir-test", "insecure": true}}});
    let server = world(&digest(&package), repository, &key).start();
    let home = Home::of(&server);
    let mut command = home.command(&["submit", "--out=here", "--s3-endpoint", &url]);
    command.env("AWS_ACCESS_KEY_ID", "weir-test").env("AWS_SECRET_ACCESS_KEY", "weir-test-secret");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(tree_digests(home.dir.path().join("here/package")), tree_digests(&package));

    let output = Home::of(&world("", json!({"artifactRepository": {"s3": {"bucket": "weir-test"}}}), &key).start())
        .run(&["submit", "--out=here"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"), "{}", output.stderr);
}
