//! From a kubeconfig, or the credentials of a pod, to a client.

use hyper_util::client::legacy::Client as HttpClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, Client, ConfigExt};
use kube::config::{Config, KubeConfigOptions, Kubeconfig, KubeconfigError};
use tower::{BoxError, ServiceBuilder};
use weir_stage::Failure;

use super::{ClusterArgs, NAMESPACE};
use crate::cluster::lookup::Lookup;

pub(super) struct Connected {
    pub(super) client: Client,
    pub(super) namespace: String,
    pub(super) server: String,
    pub(super) inside: bool,
}

pub(super) async fn connect(args: &ClusterArgs) -> Result<Connected, Failure> {
    let (config, inside) = config(args).await?;
    let namespace = match &args.namespace {
        Some(namespace) => namespace.clone(),
        None if inside => config.default_namespace.clone(),
        None => NAMESPACE.to_owned(),
    };
    let server = config.cluster_url.to_string();
    let server = server.trim_end_matches('/').to_owned();
    if config.proxy_url.is_some() {
        return Err(Failure::usage(format!(
            "the kubeconfig says to reach {server} through a proxy, which weir cannot"
        ))
        .hint("take out proxy-url, or run `kubectl proxy` and point --kubeconfig at it"));
    }
    let client = client(&config).map_err(|error| {
        Failure::usage(format!("the credentials for {server} cannot be used: {}", weir_http::chain(&error)))
            .hint("see `kubectl config view`; `kubectl get pods` shows whether they work there")
    })?;
    Ok(Connected { client, namespace, server, inside })
}

/// The configuration, and whether it is that of a pod.
async fn config(args: &ClusterArgs) -> Result<(Config, bool), Failure> {
    let options = KubeConfigOptions { context: args.context.clone(), ..KubeConfigOptions::default() };
    let read = match &args.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    let file = match read {
        Ok(file) => file,
        Err(error) if args.kubeconfig.is_none() && args.context.is_none() => return in_cluster(&error),
        Err(error) => return Err(unusable(&error)),
    };
    let config = Config::from_custom_kubeconfig(file, &options).await.map_err(|error| unusable(&error))?;
    Ok((config, false))
}

fn in_cluster(no_file: &KubeconfigError) -> Result<(Config, bool), Failure> {
    match Config::incluster() {
        Ok(config) => Ok((config, true)),
        Err(not_inside) => Err(Failure::usage(format!(
            "there is no cluster to speak to: {}; nor is this a pod of one: {}",
            weir_http::chain(no_file),
            weir_http::chain(&not_inside)
        ))
        .hint("name a kubeconfig with --kubeconfig or KUBECONFIG; k8s/try-it makes a cluster on this machine")),
    }
}

fn unusable(error: &KubeconfigError) -> Failure {
    Failure::usage(format!("the kubeconfig cannot be used: {}", weir_http::chain(error)))
        .hint("`kubectl config get-contexts` lists what there is; choose with --kubeconfig and --context")
}

/// The stack of kube's own client, over a connector that finds names without the C library.
fn client(config: &Config) -> Result<Client, kube::Error> {
    let mut http = HttpConnector::new_with_resolver(Lookup);
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(config.connect_timeout);
    let https = config.rustls_https_connector_with_connector(http)?;
    let plain = HttpClient::builder(TokioExecutor::new()).build::<_, Body>(https);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(plain);
    Ok(Client::new(service, config.default_namespace.clone()))
}
