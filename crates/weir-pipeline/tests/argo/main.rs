//! The pipeline as Argo has it: the same steps, edges and calls, and nothing that refers to what is not there.

mod calls;
mod form;
mod references;

use serde_json::{Value, json};
use weir_pipeline::argo::{self, Artifacts, FLOWS, Options};
use weir_pipeline::{PARAMETERS, PipelineSpec, yaml};

/// Every form of the template.
fn forms() -> Vec<Form> {
    let memoized = |artifacts| [false, true].map(|memoize| Options { artifacts, memoize });
    [Artifacts::S3, Artifacts::Volume].into_iter().flat_map(memoized).map(form).collect()
}

fn form(options: Options) -> Form {
    Form { options, manifest: argo::workflow_template(&PipelineSpec::default(), "1.2.3", options) }
}

fn usual(artifacts: Artifacts) -> Form {
    form(Options { artifacts, memoize: false })
}

/// A rendered template.
struct Form {
    options: Options,
    manifest: Value,
}

impl Form {
    fn spec(&self) -> &Value {
        &self.manifest["spec"]
    }

    fn templates(&self) -> &[Value] {
        list(&self.spec()["templates"])
    }

    fn template(&self, name: &str) -> &Value {
        self.templates().iter().find(|template| template["name"] == name).unwrap_or_else(|| panic!("no {name}"))
    }

    fn parameter(&self, name: &str) -> &str {
        let parameters = list(&self.spec()["arguments"]["parameters"]);
        text(&parameters.iter().find(|parameter| parameter["name"] == name).expect(name)["value"])
    }
}

/// The elements of a list, none where there is no list.
fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn names(value: &Value) -> Vec<&str> {
    list(value).iter().map(|element| text(&element["name"])).collect()
}

/// The tasks of a template; none where it runs a program.
fn tasks(template: &Value) -> &[Value] {
    list(&template["dag"]["tasks"])
}

#[test]
fn parameters_are_those_of_the_pipeline() {
    for form in forms() {
        let expected: Vec<&str> = PARAMETERS.iter().map(|parameter| parameter.name).collect();
        assert_eq!(names(&form.spec()["arguments"]["parameters"]), expected);
    }
    let form = usual(Artifacts::S3);
    assert_eq!(form.parameter("tag"), "1.2.3");
    assert_eq!(form.parameter("deploy"), "false");
    assert_eq!(form.parameter("storage-uri"), "");
    assert_eq!(usual(Artifacts::Volume).parameter("storage-uri"), "pvc://weir");
    let trials: Vec<Value> = serde_json::from_str(form.parameter("trials")).unwrap();
    assert_eq!(trials.len(), 8);
    assert_eq!(trials[0], json!({ "representation": "baseline", "model": "svc" }));
}

#[test]
fn the_text_reads_back_as_it_was() {
    for form in forms() {
        let text = yaml::to_yaml(&form.manifest).unwrap();
        let read: Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(read, form.manifest);
        assert!(text.contains("value: \"1\"\n") && text.contains("value: \"false\"\n"), "numbers and words unquoted");
    }
}

#[test]
fn the_scheduled_run_gives_what_the_template_takes() {
    for (artifacts, flows) in [(Artifacts::S3, FLOWS), (Artifacts::Volume, "/weir/incoming")] {
        let cron = argo::cron_workflow(artifacts);
        assert_eq!(cron["spec"]["suspend"], true);
        assert_eq!(cron["spec"]["concurrencyPolicy"], "Forbid");
        assert_eq!(cron["spec"]["workflowSpec"]["workflowTemplateRef"]["name"], argo::NAME);
        assert_eq!(list(&cron["spec"]["schedules"]).len(), 1, "the singular is gone in 4.0");
        let arguments = &cron["spec"]["workflowSpec"]["arguments"];
        assert_eq!(arguments["parameters"], json!([{ "name": "flows", "value": flows }]));
        let form = usual(artifacts);
        let taken = names(&form.template(argo::NAME)["inputs"]["artifacts"]);
        assert!(names(&arguments["artifacts"]).iter().all(|name| taken.contains(name)));
    }
}
