//! What builds: engines read ignore files and keep caches in ways of their own.

/// What builds a Dockerfile, its client included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// BuildKit from 0.13 on: Docker 25 and later, and buildx.
    #[default]
    BuildKit,
    /// BuildKit 0.8, which Docker 20.10 has inside.
    BuildKit08,
    /// Docker's builder before BuildKit (`DOCKER_BUILDKIT=0`).
    Legacy,
    /// buildah 1.28, as in Debian 12, with `--layers`, and podman of its age.
    Buildah,
}

impl Engine {
    /// As people name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BuildKit => "buildkit",
            Self::BuildKit08 => "buildkit-0.8",
            Self::Legacy => "legacy",
            Self::Buildah => "buildah",
        }
    }

    /// Metadata makes no step, and only what the target needs is built.
    pub fn is_buildkit(self) -> bool {
        matches!(self, Self::BuildKit | Self::BuildKit08)
    }
}
