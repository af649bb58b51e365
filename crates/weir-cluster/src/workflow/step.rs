//! The name of a step as people know it, from the name that Argo made of it.

use std::fmt;

/// A step of a run: `training/baseline-svc`, and which attempt it is, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) name: String,
    pub(crate) attempt: u32,
}

impl Step {
    /// Reads Argo's display name: the task, `(i:item)` of a fan-out, where an item of several members is
    /// `key:value,key:value`, and `(n)` of an attempt.
    pub(crate) fn of(display_name: &str) -> Self {
        let mut groups = display_name.split('(');
        let mut name = groups.next().unwrap_or_default().to_owned();
        let mut attempt = 1;
        for group in groups {
            let group = group.trim_end_matches(')');
            match (group.parse::<u32>(), group.split_once(':')) {
                (Ok(number), _) => attempt = number + 1,
                (Err(_), Some((_, item))) => name = format!("{name}/{}", item_name(item)),
                (Err(_), None) => name = format!("{name}/{group}"),
            }
        }
        Self { name, attempt }
    }
}

/// `representation` and `model` of a trial in the order in which artifacts are named; other values as they come.
fn item_name(item: &str) -> String {
    let members: Vec<(&str, &str)> = item.split(',').filter_map(|member| member.split_once(':')).collect();
    if members.is_empty() {
        return item.to_owned();
    }
    let get = |key: &str| members.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
    match (get("representation"), get("model")) {
        (Some(representation), Some(model)) => format!("{representation}-{model}"),
        _ => members.iter().map(|(_, value)| *value).collect::<Vec<_>>().join("-"),
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.attempt {
            1 => f.write_str(&self.name),
            attempt => write!(f, "{} (attempt {attempt})", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_have_the_names_that_they_have_in_a_local_run() {
        let shown = |name: &str| Step::of(name).to_string();
        assert_eq!(shown("features"), "features");
        assert_eq!(shown("features(0)"), "features");
        assert_eq!(shown("features(2)"), "features (attempt 3)");
        assert_eq!(shown("training(3:model:svc,representation:baseline)"), "training/baseline-svc");
        assert_eq!(shown("training(3:model:svc,representation:baseline)(1)"), "training/baseline-svc (attempt 2)");
        assert_eq!(shown("run-part(0:17)(0)"), "run-part/17");
    }
}
