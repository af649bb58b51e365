//! Ways to a cluster: addresses, certificates, tokens, programs that give credentials.

use std::process::Stdio;
use std::sync::Arc;

use k8s_openapi::ByteString;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use serde_json::{Value, json};

use crate::fixture::{Home, list, run};
use crate::server::{Reply, Request, Server, refusal};

fn no_runs(_: &Request) -> Reply {
    list("WorkflowList", "argoproj.io/v1alpha1", &[])
}

fn base64(text: &str) -> Value {
    serde_json::to_value(ByteString(text.as_bytes().to_vec())).unwrap()
}

#[test]
fn a_secure_server_wants_its_authority_known_and_a_client_certificate() {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let signed = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
        (certificate, key)
    };
    let ((own, own_key), (client, client_key)) = (signed("localhost"), signed("ada"));
    let mut roots = RootCertStore::empty();
    roots.add(authority.der().clone()).unwrap();
    let provider = Arc::new(default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivatePkcs8KeyDer::from(own_key.serialize_der()).into();
    let config = config.with_client_cert_verifier(verifier).with_single_cert(vec![own.der().clone()], key).unwrap();
    let server = Server::secure(config, no_runs);

    let known = json!({"server": server.url, "certificate-authority-data": base64(&authority.pem())});
    let ada = json!({"client-certificate-data": base64(&client.pem()), "client-key-data": base64(&client_key.serialize_pem())});
    Home::with(&known, &ada).run(&["runs"]).ok();

    let output = Home::with(&known, &json!({})).run(&["runs"]);
    assert_eq!(output.code, Some(1), "without a certificate: {}", output.stderr);
    let stranger = KeyPair::generate().unwrap();
    let other = CertificateParams::new(vec!["x".to_owned()]).unwrap().self_signed(&stranger).unwrap();
    let unknown = json!({"server": server.url, "certificate-authority-data": base64(&other.pem())});
    let output = Home::with(&unknown, &ada).run(&["runs"]);
    assert!(output.code == Some(1) && output.stderr.contains("not from the authority"), "{}", output.stderr);
}

/// Lets in who shows this token.
fn with_token(request: &Request) -> Reply {
    match request.headers.get("authorization").map(String::as_str) {
        Some("Bearer secret") => no_runs(request),
        _ => refusal(401, "Unauthorized", "Unauthorized", json!({})),
    }
}

#[test]
fn a_token_comes_from_the_kubeconfig_a_file_or_a_program() {
    let server = Server::start(with_token);
    let cluster = json!({"server": server.url});
    Home::with(&cluster, &json!({"token": "secret"})).run(&["runs"]).ok();

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    std::fs::write(&file, "secret").unwrap();
    Home::with(&cluster, &json!({"tokenFile": file})).run(&["runs"]).ok();

    let credential = json!({"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": {"token": "secret"}});
    let exec = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/sh", "args": ["-c", format!("echo '{credential}'")], "interactiveMode": "Never"}});
    Home::with(&cluster, &exec).run(&["runs"]).ok();

    std::fs::write(&file, "no\ntoken").unwrap();
    let output = Home::with(&cluster, &json!({"tokenFile": file})).run(&["runs"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("failed to get credentials"), "{}", output.stderr);

    let failing = json!({"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "/bin/false", "interactiveMode": "Never"}});
    let output = Home::with(&cluster, &failing).run(&["runs"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("auth exec command"), "{}", output.stderr);

    let output = Home::with(&cluster, &json!({"token": "wrong"})).run(&["runs"]);
    assert_eq!(output.code, Some(2));
    assert!(
        output.stderr.contains("the cluster does not know who asks") && output.stderr.contains("log in again"),
        "{}",
        output.stderr
    );
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let server = Server::start(no_runs);
    let home = Home::with(&json!({"server": "http://127.0.0.1:1"}), &json!({}));
    let output = home.run(&["runs"]);
    assert_eq!(output.code, Some(1));
    assert!(
        output.stderr.contains("no answer from http://127.0.0.1:1") && output.stderr.contains("kubectl cluster-info"),
        "{}",
        output.stderr
    );
    drop(server);
}

#[test]
fn without_a_kubeconfig_and_outside_a_cluster_the_way_to_one_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new(crate::fixture::commands());
    let output = command.arg("runs").env_clear().env("HOME", dir.path()).stdin(Stdio::null()).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(told.contains("there is no cluster to speak to") && told.contains("--kubeconfig or KUBECONFIG"), "{told}");
}

#[test]
fn another_namespace_is_asked_for_when_one_is_given() {
    let server = Server::start(no_runs);
    run(&server, &["runs", "-n", "lab"]).ok();
    server.request("GET", "/namespaces/lab/workflows");
}
