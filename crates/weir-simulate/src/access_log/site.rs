//! Pages, assets, and what else is asked for.

use super::request::Target;
use crate::line_text::push_number;
use crate::random::Random;

/// Pages of the site.
pub(super) const PAGES: u32 = 400;
/// Assets that all pages have.
pub(super) const SHARED_ASSETS: u8 = 12;

const WORDS: [&str; 16] = [
    "annual", "city", "winter", "garden", "music", "report", "guide", "open", "river", "market", "night", "school",
    "spring", "travel", "letter", "history",
];
const SHARED: [&str; SHARED_ASSETS as usize] = [
    "/static/main.css",
    "/static/theme.css",
    "/static/app.js?v=31",
    "/static/vendor.js?v=31",
    "/static/menu.js?v=31",
    "/static/logo.svg",
    "/static/icons.svg",
    "/static/fonts/text.woff2",
    "/static/fonts/bold.woff2",
    "/static/banner.webp",
    "/favicon.ico",
    "/static/footer.png",
];

struct Page {
    path: String,
    bytes: u32,
    /// Assets of its own.
    assets: u8,
}

/// The site that is served.
pub(super) struct Site {
    pages: Vec<Page>,
}

impl Site {
    /// Draws a site. A page has 0 to 68 assets of its own, half of them at most 8.
    pub(super) fn new(random: &mut Random) -> Self {
        let mut page = |number: u32| Page {
            path: match number {
                0 => "/".to_owned(),
                _ => format!("/articles/{}-{}-{number}", random.pick(&WORDS), random.pick(&WORDS)),
            },
            bytes: random.log_normal(18_000.0, 0.6) as u32,
            assets: random.log_normal(8.0, 0.9).min(68.0) as u8,
        };
        Self { pages: (0..PAGES).map(&mut page).collect() }
    }

    /// A page that a visitor wants: the first are the most popular.
    pub(super) fn popular(&self, random: &mut Random) -> u16 {
        let place = random.unit();
        (place * place * place * f64::from(PAGES)) as u16
    }

    pub(super) fn bytes(&self, page: u16) -> u32 {
        self.pages[usize::from(page)].bytes
    }

    /// Assets of the page's own.
    pub(super) fn assets(&self, page: u16) -> u8 {
        self.pages[usize::from(page)].assets
    }

    /// Appends the path of a target, with its query.
    pub(super) fn push_path(&self, line: &mut Vec<u8>, target: Target) {
        let mut push = |text: &str| line.extend_from_slice(text.as_bytes());
        match target {
            Target::Fixed(path) | Target::Garbage(path) => push(path),
            Target::Page(page) => push(&self.pages[usize::from(page)].path),
            Target::SharedAsset(asset) => push(SHARED[usize::from(asset)]),
            Target::Asset(page, asset) => {
                push("/media/");
                push_number(line, u64::from(page));
                line.push(b'/');
                push_number(line, u64::from(asset));
                line.extend_from_slice(if asset % 5 == 0 { b".webp" } else { b".jpg" });
            }
            Target::Gone(page) => {
                push("/old/");
                push_number(line, u64::from(page));
                line.extend_from_slice(b".html");
            }
            Target::RandomQuery(bits) => {
                push("/?");
                let rest = push_letters(line, bits, b'A');
                line.push(b'=');
                push_letters(line, rest, b'A');
            }
            Target::RandomPath(bits) => {
                push("/");
                let rest = push_letters(line, bits, b'a');
                line.push(b'/');
                push_letters(line, rest, b'a');
            }
            Target::Search(bits) => {
                push("/search?q=");
                push_letters(line, bits, b'a');
            }
        }
    }
}

/// Three to eight letters of some bits; returns the bits that are left.
pub(super) fn push_letters(line: &mut Vec<u8>, mut bits: u64, first: u8) -> u64 {
    let length = 3 + bits % 6;
    bits /= 6;
    for _ in 0..length {
        line.push(first + (bits % 26) as u8);
        bits /= 26;
    }
    bits
}
