//! Where this platform keeps things.

#[cfg(test)]
use std::path::Path;
use std::path::PathBuf;

use etcetera::BaseStrategy;

/// The directories that matter to us; absent where a user has no home.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    pub(crate) home: Option<PathBuf>,
    pub(crate) config: Option<PathBuf>,
    pub(crate) data: Option<PathBuf>,
}

impl Places {
    /// Those of the user who runs this.
    pub(crate) fn of_user() -> Self {
        let Ok(strategy) = etcetera::choose_base_strategy() else {
            return Self::default();
        };
        Self {
            home: Some(strategy.home_dir().to_owned()),
            config: Some(strategy.config_dir()),
            data: Some(strategy.data_dir()),
        }
    }

    /// Those of a user whose home is `home`.
    #[cfg(test)]
    pub(super) fn within(home: &Path) -> Self {
        Self {
            home: Some(home.to_owned()),
            config: Some(home.join(".config")),
            data: Some(home.join(".local/share")),
        }
    }

    /// Where the config file is looked for when nobody names one.
    pub(crate) fn config_file(&self) -> Option<PathBuf> {
        Some(
            self.config
                .as_ref()?
                .join("pilothouse")
                .join("pilothouse.toml"),
        )
    }

    /// Where everything is kept when nobody says otherwise.
    pub(crate) fn data_dir(&self) -> Option<PathBuf> {
        Some(self.data.as_ref()?.join("pilothouse"))
    }
}
