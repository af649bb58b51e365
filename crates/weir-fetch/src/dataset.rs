//! The data sets `weir fetch` knows. Another one is another entry here.

/// A published data set: one archive of CSV files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dataset {
    /// What it is called on the command line; its directory and archive are called the same.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Where the archive is.
    pub url: &'static str,
    /// The page for people, where it can be downloaded by hand.
    pub landing_page: &'static str,
    /// Identifier of the publication to cite.
    pub doi: &'static str,
    /// The publication to cite.
    pub citation: &'static str,
    /// SPDX identifier.
    pub licence: &'static str,
    /// The files to unpack.
    pub files: &'static [Wanted],
}

/// A file of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Its name, without folders.
    pub name: &'static str,
    /// Its records, without the header.
    pub rows: u64,
}

const fn wanted(name: &'static str, rows: u64) -> Wanted {
    Wanted { name, rows }
}

/// The data sets by name.
pub const DATASETS: [Dataset; 1] = [Dataset {
    name: "assuremoss",
    title: "AssureMOSS Kubernetes Run-time Monitoring Dataset",
    url: "https://data.4tu.nl/ndownloader/items/629887f7-f6aa-4d77-b0db-83822a92c582/versions/1",
    landing_page: "https://data.4tu.nl/datasets/629887f7-f6aa-4d77-b0db-83822a92c582/1",
    doi: "10.1145/3538969.3543810",
    citation: "C. Cao, A. Blaise, S. Verwer, F. Rebecchi: \"Learning State Machines to Monitor and Detect Anomalies on a \
               Kubernetes Cluster\", ARES 2022",
    licence: "CC-BY-4.0",
    files: &[
        wanted("elastic_may2021_benign_data.csv", 1_777_238),
        wanted("elastic_may2021_malicious_data.csv", 1_954_212),
        wanted("elastic_february2022_data.csv", 398_414),
        wanted("elastic_may2022_data.csv", 961_046),
    ],
}];

impl Dataset {
    /// Whom to credit, as the licence asks.
    #[must_use]
    pub fn attribution(&self) -> String {
        let Self { title, licence, citation, doi, .. } = self;
        format!("{title}, licence {licence}; cite {citation}, https://doi.org/{doi}")
    }

    /// How to get it without this program.
    #[must_use]
    pub fn by_hand(&self, dir: &str) -> String {
        format!("download it by hand from {} and unzip its CSV files into {dir}", self.landing_page)
    }
}

impl std::str::FromStr for &'static Dataset {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = || DATASETS.iter().map(|dataset| dataset.name).collect::<Vec<_>>().join(", ");
        DATASETS.iter().find(|it| it.name == name).ok_or_else(|| format!("the data sets are: {}", known()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_data_set_is_found_by_name_and_others_are_named() {
        let assuremoss: &Dataset = "assuremoss".parse().unwrap();
        assert_eq!(assuremoss.files.iter().map(|file| file.rows).sum::<u64>(), 5_090_910);
        assert_eq!("mnist".parse::<&Dataset>().unwrap_err(), "the data sets are: assuremoss");
    }
}
