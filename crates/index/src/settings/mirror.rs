//! What can be set on an index whose projects live upstream.

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use super::common::Common;
use super::{Refused, coerce};
use crate::IndexName;
use crate::acl::{Acl, Principal};
use crate::mirror::{Config, FileHosts, FilesFrom, MetadataFrom, RootListing, Upstream, shown};

/// What can be set on an index whose projects live upstream.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MirrorSettings {
    /// What every index has.
    pub common: Common,
    /// Where its projects live. Only a mirror of the config file may have none
    /// that can be shown.
    pub url: Option<MirrorUrl>,
    /// For how many seconds a page is fresh; 0 asks upstream every time.
    pub cache_expiry: Option<u64>,
    /// Never fetch the list of all names.
    pub no_project_list: Option<bool>,
    /// The page of a project for people, with `{name}` in it.
    pub web_url_fmt: Option<String>,
    /// Send clients to upstream for the files that are not here, and keep none.
    pub use_external_urls: Option<bool>,
    /// Whether to ask upstream for the metadata beside every wheel, or for none; by
    /// itself a page says which wheels have it. What upstream lacks is made from the wheel.
    pub provides_core_metadata: Option<bool>,
    /// Kept for whoever asks, without effect: pages are compared, not serials.
    pub ignore_serial_header: Option<bool>,
}

/// The address of an upstream, which may hold a password: no output shows that.
#[derive(Clone, PartialEq, Eq)]
pub struct MirrorUrl {
    written: Box<str>,
    url: Url,
}

impl MirrorSettings {
    /// What there is to say of a mirror that the config file describes.
    pub fn of_config(config: &Config) -> Self {
        let url = config.upstream.url().map(|url| MirrorUrl {
            written: shown(url).into(),
            url: url.clone(),
        });
        let mut settings = Self {
            url,
            ..Self::default()
        };
        // As devpi's `root/pypi`: what the operator gives to all, one user does not empty.
        settings.common.volatile = false;
        if let Some(origin) = devpis_own(config) {
            settings.common.title = Some("PyPI".into());
            settings.web_url_fmt = Some(format!("{origin}/project/{{name}}/"));
        }
        settings
    }

    /// The same for those alone who are named here, as `acl_pkg_read` names them.
    #[must_use]
    pub fn read_by(mut self, readers: &[String]) -> Self {
        let readers = readers.iter().map(|reader| Principal::new(reader));
        self.common.acl_pkg_read = Acl::new(readers);
        self
    }

    /// The mirror as it is to be opened, where these settings say nothing with
    /// the defaults of all mirrors.
    pub fn config(&self, name: IndexName) -> Option<Config> {
        let mut url = self.url.as_ref()?.url.clone();
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        let mut config = Config::new(name, Upstream::Simple(url));
        // As devpi: upstream's pages may point anywhere but into our own network.
        config.file_hosts = FileHosts::AnyPublic(Vec::new());
        if let Some(seconds) = self.cache_expiry {
            config.fresh_for = Duration::from_secs(seconds);
        }
        if self.no_project_list == Some(true) {
            config.root_listing = RootListing::Known;
        }
        if self.use_external_urls == Some(true) {
            config.files_from = FilesFrom::Upstream;
        }
        config.metadata_from = match self.provides_core_metadata {
            None => MetadataFrom::Listed,
            Some(true) => MetadataFrom::Upstream,
            Some(false) => MetadataFrom::Wheel,
        };
        Some(config)
    }

    pub(super) fn set(&mut self, key: &str, value: &Value) -> Result<(), Refused> {
        match key {
            "mirror_url" => self.set_url(&coerce::text(key, value)?)?,
            "mirror_cache_expiry" => self.cache_expiry = Some(coerce::seconds(key, value)?),
            "mirror_web_url_fmt" => self.web_url_fmt = Some(coerce::text(key, value)?),
            _ => match self.flag(key) {
                Some(flag) => *flag = Some(coerce::flag(value)?),
                None => return self.common.set(key, value),
            },
        }
        Ok(())
    }

    pub(super) fn clear(&mut self, key: &str) -> Result<(), Refused> {
        match key {
            "mirror_url" => self.url = None,
            "mirror_cache_expiry" => self.cache_expiry = None,
            "mirror_web_url_fmt" => self.web_url_fmt = None,
            _ => match self.flag(key) {
                Some(flag) => *flag = None,
                None => return self.common.clear(key),
            },
        }
        Ok(())
    }

    /// Whoever sends back what we showed does not mean to remove the password.
    fn set_url(&mut self, text: &str) -> Result<(), String> {
        let same = |url: &MirrorUrl| url.to_string() == text;
        if !self.url.as_ref().is_some_and(same) {
            self.url = Some(MirrorUrl::read(text)?);
        }
        Ok(())
    }

    fn flag(&mut self, key: &str) -> Option<&mut Option<bool>> {
        match key {
            "mirror_no_project_list" => Some(&mut self.no_project_list),
            "mirror_use_external_urls" => Some(&mut self.use_external_urls),
            "mirror_provides_core_metadata" => Some(&mut self.provides_core_metadata),
            "mirror_ignore_serial_header" => Some(&mut self.ignore_serial_header),
            _ => None,
        }
    }

    pub(super) fn write(&self, fields: &mut Map<String, Value>) {
        self.common.write(fields);
        let values = [
            (
                "mirror_url",
                self.url.as_ref().map(|url| url.to_string().into()),
            ),
            ("mirror_cache_expiry", self.cache_expiry.map(Value::from)),
            (
                "mirror_web_url_fmt",
                self.web_url_fmt.as_deref().map(Value::from),
            ),
            (
                "mirror_no_project_list",
                self.no_project_list.map(Value::from),
            ),
            (
                "mirror_use_external_urls",
                self.use_external_urls.map(Value::from),
            ),
            (
                "mirror_provides_core_metadata",
                self.provides_core_metadata.map(Value::from),
            ),
            (
                "mirror_ignore_serial_header",
                self.ignore_serial_header.map(Value::from),
            ),
        ];
        for (key, value) in values {
            if let Some(value) = value {
                fields.insert(key.to_owned(), value);
            }
        }
    }
}

/// The origin of the mirror that devpi makes at first: its settings have a title
/// and a page for people, and a test of devpi's looks for just these.
fn devpis_own(config: &Config) -> Option<String> {
    match &config.upstream {
        Upstream::Simple(url) if config.name.as_str() == "root/pypi" => {
            Some(url.origin().ascii_serialization())
        }
        _ => None,
    }
}

impl MirrorUrl {
    fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        // The text itself is not repeated: it may hold a password.
        let is_http = text.starts_with("http://") || text.starts_with("https://");
        let url = text.parse::<Url>().ok().filter(|_| is_http);
        let url = url.ok_or("'mirror_url' option must be a URL.")?;
        if url.query().is_some() || url.fragment().is_some() {
            let why =
                "'mirror_url' may have no ? and no #: write it like https://pypi.example/simple/";
            return Err(why.to_owned());
        }
        Ok(Self {
            written: text.into(),
            url,
        })
    }

    /// Whether this is what somebody else writes like `text`, whoever they log in as.
    pub(crate) fn is_of(&self, text: &str) -> bool {
        let plain = |url: &Url| shown(url).trim_end_matches('/').to_owned();
        text.trim()
            .parse()
            .is_ok_and(|other: Url| plain(&other) == plain(&self.url))
    }

    /// As it was written, password and all: for what is kept.
    pub(super) fn reveal(&self) -> &str {
        &self.written
    }
}

impl fmt::Display for MirrorUrl {
    /// Without user info.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.url.username().is_empty() && self.url.password().is_none() {
            f.write_str(&self.written)
        } else {
            f.write_str(&shown(&self.url))
        }
    }
}

impl fmt::Debug for MirrorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MirrorUrl({self})")
    }
}
