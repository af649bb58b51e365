//! Watching runs: what is lost on the way is taken up again; listing, showing, stopping.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::fixture::{Home, RUN, World, failed, news, pod, retry, run, step, workflow};
use crate::server::{Piece, Reply, Server, refusal};

fn lines(told: &str, wanted: &str) -> usize {
    told.lines().filter(|line| *line == wanted).count()
}

#[test]
fn a_step_that_is_tried_again_and_succeeds_is_a_run_that_succeeds() {
    let (first, second) = (failed("features(0)", 1, "Error (exit code 1)"), step("features(1)", "Running"));
    let trying = retry("features", "Running", &[&first, &second]);
    let done = step("features(1)", "Succeeded");
    let world = World::new(
        workflow(2, "Running", &[step("features(0)", "Running"), retry("features", "Running", &[&first])]),
        vec![vec![
            news(workflow(3, "Running", &[first.clone(), second, trying])),
            news(workflow(
                4,
                "Succeeded",
                &[first.clone(), done.clone(), retry("features", "Succeeded", &[&first, &done])],
            )),
            Piece::Hold,
        ]],
    );
    let told = run(&world.start(), &["submit"]).ok().stderr;
    assert_eq!(lines(&told, "warning: features failed: Error (exit code 1); it is tried again"), 1, "{told}");
    assert_eq!(lines(&told, "features (attempt 2) started"), 1, "{told}");
    assert_eq!(lines(&told, "features (attempt 2) done in 12 s"), 1, "{told}");
}

#[test]
fn a_lost_connection_is_taken_up_again_and_nothing_is_told_twice() {
    let features = step("features", "Succeeded");
    let world = World::new(
        workflow(2, "Running", &[step("features", "Running")]),
        vec![
            vec![news(workflow(3, "Running", std::slice::from_ref(&features))), Piece::Cut],
            vec![],
            // What was told before comes once more, and the rest.
            vec![
                news(workflow(3, "Running", std::slice::from_ref(&features))),
                news(workflow(4, "Succeeded", &[features, step("selection", "Succeeded")])),
                Piece::Hold,
            ],
        ],
    );
    let server = world.start();
    let told = run(&server, &["submit"]).ok().stderr;
    for once in ["features started", "features done in 12 s", "selection done in 12 s", "the cluster answers again"] {
        assert_eq!(lines(&told, once), 1, "{once}\n{told}");
    }
    assert!(told.contains("warning: lost the connection to the cluster"), "{told}");
    let watches = server
        .asked()
        .into_iter()
        .filter(|asked| asked.path.ends_with("workflows") && asked.query.contains_key("watch"));
    let versions: Vec<String> = watches.map(|asked| asked.query["resourceVersion"].clone()).collect();
    assert_eq!(versions, ["1", "3", "3"]);
}

#[test]
fn a_watch_that_the_cluster_has_forgotten_begins_anew_in_silence() {
    let gone = json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "too old resource version",
        "reason": "Expired", "code": 410});
    let mut world = World::new(
        workflow(2, "Running", &[step("features", "Running")]),
        vec![vec![Piece::Event("ERROR", gone), Piece::Hold]],
    );
    world.lists.push(workflow(9, "Succeeded", &[step("features", "Succeeded")]));
    let told = run(&world.start(), &["submit"]).ok().stderr;
    assert_eq!(lines(&told, "features done in 12 s"), 1, "{told}");
    assert!(!told.contains("warning"), "{told}");
}

#[test]
fn a_run_that_is_deleted_is_missed() {
    let world = World::new(
        workflow(2, "Running", &[]),
        vec![vec![Piece::Event("DELETED", workflow(3, "Running", &[])), Piece::Hold]],
    );
    let output = run(&world.start(), &["submit"]);
    assert_eq!(output.code, Some(3));
    assert!(output.stderr.contains(&format!("run {RUN} is no longer there")), "{}", output.stderr);
}

#[test]
fn ctrl_c_leaves_the_run_alone_and_says_how_to_go_on() {
    let server = World::new(workflow(2, "Running", &[step("features", "Running")]), vec![]).start();
    let home = Home::of(&server);
    let mut child = home.command(&["submit"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(told.any(|line| line == "features started"));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let rest: Vec<String> = told.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    assert!(
        rest.iter().any(
            |line| line == &format!("hint: `weir logs {RUN} --follow` watches it again, `weir stop {RUN}` ends it")
        ),
        "{rest:?}"
    );
}

#[test]
fn waiting_can_have_an_end() {
    let server = World::new(workflow(2, "Running", &[step("features", "Running")]), vec![]).start();
    let output = run(&server, &["submit", "--timeout=1"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains(&format!("run {RUN} has not ended within --timeout")), "{}", output.stderr);
}

fn with_a_log() -> World {
    let node = step("features", "Succeeded");
    let mut world = World::new(workflow(2, "Succeeded", std::slice::from_ref(&node)), vec![]);
    world.pods = vec![pod(
        &node,
        json!({"phase": "Succeeded", "containerStatuses": [{"name": "main", "ready": false, "restartCount": 0,
        "image": "x", "imageID": "", "state": {"terminated": {"exitCode": 0}}}]}),
    )];
    world.log = "reading\n5561 rows\n";
    world
}

#[test]
fn follow_shows_all_that_steps_write_while_they_run() {
    let world = with_a_log();
    let mut running = workflow(2, "Running", &[step("features", "Running")]);
    running["metadata"]["resourceVersion"] = json!("2");
    let ended = world.lists[0].clone();
    let world =
        World { lists: vec![running], watches: std::sync::Mutex::new(vec![vec![news(ended), Piece::Hold]]), ..world };
    let told = run(&world.start(), &["submit", "--follow"]).ok().stderr;
    assert_eq!((lines(&told, "features | reading"), lines(&told, "features | 5561 rows")), (1, 1), "{told}");
}

#[test]
fn follow_shows_the_log_of_a_pod_that_its_watch_has_not_told_of_when_the_run_ends() {
    let world = with_a_log();
    // A watch begins with a list in pages; the list at the end of a run is asked for at once.
    let server = Server::start(move |request| match request.path.ends_with("/pods") {
        true if request.query.contains_key("limit") => Reply::Stream(vec![Piece::Hold]),
        _ => world.answer(request),
    });
    let told = run(&server, &["submit", "--follow"]).ok().stderr;
    assert_eq!((lines(&told, "features | reading"), lines(&told, "features | 5561 rows")), (1, 1), "{told}");
}

#[test]
fn logs_are_data_and_can_be_those_of_one_step() {
    let server = with_a_log().start();
    for args in [&["logs", RUN][..], &["logs"], &["logs", RUN, "features"]] {
        assert_eq!(run(&server, args).ok().stdout, "features | reading\nfeatures | 5561 rows\n");
    }
    let output = run(&server, &["logs", RUN, "trainings"]);
    assert_eq!(output.code, Some(3));
    assert!(output.stderr.contains("has no step trainings\nhint: its steps: features"), "{}", output.stderr);
}

#[test]
fn a_run_that_is_not_there_is_an_input_that_is_missing() {
    let details = json!({"name": "weir-none", "group": "argoproj.io", "kind": "workflows"});
    let server = Server::start(move |_| {
        refusal(404, "NotFound", "workflows.argoproj.io \"weir-none\" not found", details.clone())
    });
    for command in ["logs", "stop"] {
        let output = run(&server, &[command, "weir-none"]);
        assert_eq!(output.code, Some(3));
        assert!(
            output.stderr.contains("there is no workflows.argoproj.io weir-none in namespace weir"),
            "{}",
            output.stderr
        );
    }
}

#[test]
fn runs_are_a_table_with_the_newest_first() {
    let mut old = workflow(2, "Failed", &[]);
    old["metadata"]["name"] = json!("weir-old");
    old["metadata"]["creationTimestamp"] = json!("2026-11-01T00:00:00Z");
    let mut other = old.clone();
    other["spec"]["workflowTemplateRef"]["name"] = json!("another");
    let mut new = workflow(3, "Succeeded", &[]);
    new["status"]["outputs"] = json!({"parameters": [{"name": "selection-winner", "value": "baseline-knn-best"}, {"name": "selection-accuracy", "value": "0.98765432"}]});
    let items = [old, other, new];
    let server = Server::start(move |_| crate::fixture::list("WorkflowList", "argoproj.io/v1alpha1", &items));
    let table = run(&server, &["runs"]).ok().stdout;
    let cells: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(cells[0], ["RUN", "PHASE", "AGE", "DURATION", "STEPS", "WINNER", "ACCURACY"]);
    assert_eq!(
        (cells[1][0], cells[1][1], &cells[1][3..]),
        (RUN, "Succeeded", &["1m30s", "1/2", "baseline-knn-best", "0.9877"][..])
    );
    assert_eq!((cells[2][0], cells[2][1], cells.len()), ("weir-old", "Failed", 3));
    let json: serde_json::Value = serde_json::from_str(&run(&server, &["runs", "--json"]).ok().stdout).unwrap();
    assert_eq!(
        (&json[0]["run"], &json[0]["accuracy"], &json[1]["winner"]),
        (&json!(RUN), &json!("0.98765432"), &json!(null))
    );
}

#[test]
fn stop_asks_for_an_orderly_end_unless_told_otherwise() {
    for (args, how) in [(&["stop", RUN][..], "Stop"), (&["stop", RUN, "--terminate"], "Terminate")] {
        let server = World::new(workflow(2, "Running", &[]), vec![]).start();
        assert_eq!(run(&server, args).ok().stdout, format!("run {RUN} is being stopped\n"));
        assert_eq!(server.request("PATCH", RUN).body, json!({"spec": {"shutdown": how}}));
    }
    let server = World::new(workflow(2, "Succeeded", &[]), vec![]).start();
    assert_eq!(run(&server, &["stop", RUN]).ok().stdout, format!("run {RUN} has ended already: Succeeded\n"));
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn pods_that_may_not_be_watched_are_done_without() {
    let world = World::new(
        workflow(2, "Running", &[]),
        vec![vec![news(workflow(3, "Succeeded", &[step("features", "Succeeded")])), Piece::Hold]],
    );
    let server = Server::start(move |request| match request.path.ends_with("/pods") {
        true => crate::server::forbidden("list", "pods", ""),
        false => world.answer(request),
    });
    let told = run(&server, &["submit"]).ok().stderr;
    // Which of the two watches is answered first is not said.
    assert!(told.matches("you may not watch pods in namespace weir").count() <= 1, "{told}");
}

#[test]
fn a_reply_that_is_no_answer_of_kubernetes_is_told_with_the_address() {
    let server = Server::start(|_| Reply::Text(200, "<html>log in</html>".to_owned()));
    let output = run(&server, &["runs"]);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains(&server.url), "{}", output.stderr);
}
