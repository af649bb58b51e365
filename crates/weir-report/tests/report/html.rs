//! Just enough HTML to hold the page to: balanced tags, quoted attributes, unique ids, text without tags.

use std::collections::BTreeSet;

const VOID: [&str; 5] = ["meta", "br", "input", "img", "hr"];
/// SVG elements that may close themselves.
const SELF_CLOSING: [&str; 4] = ["line", "rect", "circle", "path"];

/// What is wrong with the page first, if something is.
pub(crate) fn check(page: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut ids = BTreeSet::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").ok_or("no doctype")?;
    while let Some(start) = rest.find('<') {
        if rest[..start].contains('>') {
            return Err(format!("a stray > in {:?}", &rest[..start]));
        }
        let (tag, after) = rest[start + 1..].split_once('>').ok_or("a tag that does not end")?;
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            let last = open.pop();
            if last != Some(name) {
                return Err(format!("</{name}> closes {last:?} before {:?}", rest.get(..60)));
            }
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(format!("not a tag: <{tag}>"));
        }
        if tag.matches('"').count() % 2 != 0 || tag.contains('<') {
            return Err(format!("an attribute that does not end: <{tag}>"));
        }
        if let Some((_, id)) = tag.split_once(" id=\"") {
            let id = id.split('"').next().unwrap_or_default();
            if !ids.insert(id) {
                return Err(format!("two elements with id {id}"));
            }
        }
        let closed = tag.ends_with('/') && SELF_CLOSING.contains(&name);
        if !closed && !VOID.contains(&name) {
            open.push(name);
        }
        if name == "style" {
            let end = rest.find("</style>").ok_or("a style that does not end")?;
            rest = &rest[end..];
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("never closed: {open:?}")) }
}

/// The section with `id`.
pub(crate) fn section<'a>(page: &'a str, id: &str) -> &'a str {
    let start = page.find(&format!("<section id=\"{id}\">")).expect("the section is on the page");
    let end = page[start..].find("</section>").expect("the section ends");
    &page[start..start + end]
}

/// What is read: no tags, entities resolved, one space between words.
pub(crate) fn text(html: &str) -> String {
    let mut text = String::new();
    for piece in html.split('<') {
        let (tag, words) = piece.split_once('>').unwrap_or(("", piece));
        // A tag inside a line separates words in a table, and not before a comma.
        if !words.starts_with([',', '.', ':']) && !matches!(tag, "/span" | "/b") {
            text.push(' ');
        }
        text.push_str(words);
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#x27;", "'");
    let text = text.replace("&#x2f;", "/").replace("&amp;", "&");
    text.split([' ', '\n']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_check_finds_what_is_wrong() {
    assert_eq!(check("<!DOCTYPE html><p>a<br>b</p><svg><rect x=\"1\"/></svg>"), Ok(()));
    for wrong in
        ["<p><b></p></b>", "<p", "<p>", "<p title=\"x></p>", "<p id=\"a\"></p><p id=\"a\"></p>", "a > b<p></p>"]
    {
        assert!(check(&format!("<!DOCTYPE html>{wrong}")).is_err(), "{wrong}");
    }
}
