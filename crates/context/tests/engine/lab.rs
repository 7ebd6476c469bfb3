//! What builds the scenarios, and the model that it is held against.

use std::path::Path;

use dockerfile::Engine as Model;
use testkit::{Buildah, Builder, Built, Engine};

/// An engine that builds, whichever it is.
#[derive(Debug)]
pub(crate) enum Lab {
    Docker(Engine, Builder),
    Buildah(Buildah),
}

impl Lab {
    /// Starts what a model is of, or says loudly why it cannot.
    pub(crate) fn start(model: Model) -> Option<Self> {
        let builder = match model {
            Model::Buildah => return Buildah::start().map(Self::Buildah),
            Model::Legacy => Builder::Legacy,
            Model::BuildKit08 => Builder::BuildKit,
            Model::BuildKit => unreachable!("Debian has none of those"),
        };
        Engine::start().map(|engine| Self::Docker(engine, builder))
    }

    pub(crate) fn model(&self) -> Model {
        match self {
            Self::Docker(_, Builder::BuildKit) => Model::BuildKit08,
            Self::Docker(_, Builder::Legacy) => Model::Legacy,
            Self::Buildah(_) => Model::Buildah,
        }
    }

    /// Forgets what was built for other scenarios, but may remember one that began the same
    /// way: whether it does.
    pub(crate) fn begin(&self, name: &str, way: &str) -> bool {
        match self {
            Self::Docker(engine, _) => {
                engine.import_base(name);
                false
            }
            Self::Buildah(buildah) => {
                let remembers = buildah.restore(way);
                if !remembers {
                    buildah.forget();
                }
                remembers
            }
        }
    }

    /// Remembers what was built for others that begin the same way.
    pub(crate) fn remember(&self, way: &str) {
        if let Self::Buildah(buildah) = self {
            buildah.keep(way);
        }
    }

    /// Makes the base another image.
    pub(crate) fn import_base(&self, content: &str) {
        match self {
            Self::Docker(engine, _) => engine.import_base(content),
            Self::Buildah(buildah) => buildah.import_base(content),
        }
    }

    pub(crate) fn build(&self, context: &Path, arguments: &[&str]) -> Built {
        match self {
            Self::Docker(engine, builder) => engine.build(*builder, context, arguments),
            Self::Buildah(buildah) => buildah.build(context, arguments),
        }
    }
}
