//! User agents.

use crate::random::Random;

pub(super) const BROWSERS: [&str; 12] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:147.0) Gecko/20100101 Firefox/147.0",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.2 Safari/605.1.15",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.2 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36 Edg/144.0.0.0",
    r#"Mozilla/5.0 (Linux; Android 9; \"K-Tab\") AppleWebKit/537.36 (KHTML, like Gecko) Chrome/109.0.0.0 Safari/537.36"#,
];

pub(super) const CRAWLERS: [&str; 4] = [
    "Mozilla/5.0 (compatible; ExampleBot/2.1; +http://bot.example/about)",
    "Mozilla/5.0 (compatible; IndexSpider/1.0; +http://index.example/spider.html)",
    "ArchiveFetcher/3.2 (+http://archive.example)",
    "FeedReader/5.4 (http://feeds.example; 12 subscribers)",
];

pub(super) const POLLER: &str = "python-requests/2.32.3";
pub(super) const HEALTH_CHECK: &str = "HealthChecker/2.0";
pub(super) const FLOOD_TOOLS: [&str; 4] = ["ApacheBench/2.3", "curl/8.14.1", "Go-http-client/1.1", "-"];

/// A browser; the first of the list are the most usual.
pub(super) fn browser(random: &mut Random) -> &'static str {
    let place = random.unit();
    BROWSERS[(place * place * BROWSERS.len() as f64) as usize]
}
